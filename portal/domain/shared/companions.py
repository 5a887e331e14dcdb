"""Companion files: what operating systems and office programs lay beside data and never are data.

AppleDouble attributes (._x), .DS_Store, Thumbs.db, desktop.ini and the lock files of office programs (~$x). A mirror of
a folder brings them along, so the drop box takes them; they belong to no dataset.
"""

import re

from sqlalchemy import ColumnElement, and_, func, or_
from sqlalchemy.orm import InstrumentedAttribute

from portal.messages import Message, say

NAMED = (".DS_Store", "Thumbs.db", "desktop.ini")
PREFIXES = ("._", "~$")
_COMPANION = re.compile(r"\._.+|~\$.+|\.DS_Store|thumbs\.db|desktop\.ini", re.IGNORECASE)
NO_DATA = "{name} is a companion file of an operating system or office program and no data. Leave it out."


def is_companion(path: str) -> bool:
    return _COMPANION.fullmatch(path.rpartition("/")[2]) is not None


def bare(segment: str) -> str:
    """A companion's name without what names may not begin with otherwise."""
    return segment[2:] if segment.startswith(PREFIXES) else segment.removeprefix(".")


def refusal(path: str) -> Message:
    """Why a companion is not declared."""
    return say("name_companion", NO_DATA, name=path.rpartition("/")[2])


def among(base: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    """The condition that a base name, a column, is a companion's; each part of it is a range of an index."""
    prefixed = (and_(base >= prefix, base < prefix[:-1] + chr(ord(prefix[-1]) + 1)) for prefix in PREFIXES)
    return or_(*prefixed, base == NAMED[0], func.lower(base).in_([name.lower() for name in NAMED[1:]]))
