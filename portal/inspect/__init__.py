"""What is in a file, read from an open descriptor: its type by its bytes, whether it is whole, what a package holds.

Knows no database, writes nothing, extracts nothing, and stops at bounds. `look()` is all that others need.
"""

from portal.inspect.bounds import Bounds, Watch
from portal.inspect.look import Report, look
from portal.inspect.packing import Member
from portal.inspect.words import ERRORS, TYPES, is_hint, says

__all__ = ["ERRORS", "TYPES", "Bounds", "Member", "Report", "Watch", "is_hint", "look", "says"]
