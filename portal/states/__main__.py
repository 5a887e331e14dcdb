"""`python -m portal.states` prints docs/states.md."""

from portal.states import MACHINES
from portal.states.machine import as_page

print(as_page(MACHINES), end="")
