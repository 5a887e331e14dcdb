"""What is in a file, read from an open descriptor: its type by its bytes, whether it is whole, what a package holds.

Knows no database, writes nothing, extracts nothing, and stops at bounds. `inspect()` is all that others need.
"""

from portal.inspection.error_codes import ERRORS, TYPES, is_hint, says
from portal.inspection.inspector import Report, inspect
from portal.inspection.limits import Bounds, Watch
from portal.inspection.members import Member

__all__ = ["ERRORS", "TYPES", "Bounds", "Member", "Report", "Watch", "inspect", "is_hint", "says"]
