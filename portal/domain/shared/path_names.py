"""The rule of names: ASCII letters, digits and . _ - + = @ , / for folders; no part starts with = - + @ or a dot."""

import re
import unicodedata
from collections.abc import Callable

from anyascii import anyascii

from portal import errors
from portal.domain.shared import companions
from portal.messages import Message, say

ALLOWED = re.compile(r"[A-Za-z0-9._\-+=@,]")
SEGMENT_START = "=-+@."
# What nearly every name is, seen at once: at most eight parts, none near a bound.
PLAIN = re.compile(r"[A-Za-z0-9_,][A-Za-z0-9._\-+=@,]{0,200}(?:/[A-Za-z0-9_,][A-Za-z0-9._\-+=@,]{0,200}){0,7}")
LONGEST, DEEPEST, SEGMENT_LONGEST = 1000, 32, 240
MOST_NUMBERED = 1000
IsFree = Callable[[str], bool]


def clean(path: str, *, with_companions: bool = False, is_free: IsFree | None = None) -> str:
    """The path as it is stored: no leading or doubled slashes. Raises BadName with a corrected suggestion, which is one
    that `is_free` takes. `with_companions` lets names pass that operating systems give to what they lay beside data."""
    name = "/".join(segment for segment in path.split("/") if segment)
    reason = fault(name, with_companions=with_companions)
    if reason is not None:
        better = suggest(name, is_free=is_free)
        hint = [say("name_suggestion", "Call it {name} instead.", name=better)] if better and better != name else []
        raise errors.BadName([reason, *hint], suggestion=better)
    return name


def fault(name: str, *, with_companions: bool = False) -> Message | None:
    """The first thing that is wrong with a path; None when nothing is."""
    if not name:
        return say("name_empty", "The name is empty.")
    if len(name) > LONGEST:
        return say("path_too_long", "The path is longer than {longest} characters.", longest=LONGEST)
    if PLAIN.fullmatch(name):
        return None
    segments = name.split("/")
    if with_companions and companions.is_companion(name):
        segments[-1] = companions.bare(segments[-1])
    if len(segments) > DEEPEST:
        return say("path_too_deep", "The path is more than {deepest} folders deep.", deepest=DEEPEST)
    return next((wrong for segment in segments if (wrong := _segment_fault(segment))), None)


def _segment_fault(segment: str) -> Message | None:
    bad = next((char for char in segment if not ALLOWED.fullmatch(char)), None)
    if bad is not None:
        return say("name_character", "The name holds {character}, which is not allowed.", character=describe(bad))
    if segment[0] in SEGMENT_START:
        return say("name_start", "A name may not start with {start!r}.", start=segment[0])
    if len(segment) > SEGMENT_LONGEST:
        return say("name_too_long", "A name is longer than {longest} characters.", longest=SEGMENT_LONGEST)
    return None


def describe(char: str) -> Message:
    """A character in words, safe to print."""
    if char == " ":
        return say("a_space", "a space")
    if char.isprintable() and not 0xD800 <= ord(char) <= 0xDFFF:
        return say("a_character", "the character {char!r}", char=char)
    return say("an_unprintable_character", "the unprintable character U+{point:04X}", point=ord(char))


def suggest(name: str, *, is_free: IsFree | None = None) -> str:
    """The nearest allowed path that is free, in letters of our own where it is written in others; empty where none is
    near, and for companions, which would bear the name of their data."""
    if companions.is_companion(name):
        return ""
    segments = [_mend(segment) if fault(segment) else segment for segment in name.split("/")]
    better = "/".join(segment for segment in segments if segment)[:LONGEST].rstrip("/")
    if fault(better):
        return ""
    return better if is_free is None or is_free(better) else _numbered(better, is_free)


def _numbered(name: str, is_free: IsFree) -> str:
    """run/a.tar.gz as run/a_2.tar.gz, or the next number that is free; empty where none is near."""
    folder, slash, base = name.rpartition("/")
    stem, dot, ending = base.partition(".")
    for number in range(2, MOST_NUMBERED):
        other = f"{folder}{slash}{stem}_{number}{dot}{ending}"
        if not fault(other) and is_free(other):
            return other
    return ""


def _mend(segment: str) -> str:
    composed = unicodedata.normalize("NFC", segment.encode("utf-8", "replace").decode())
    plain = anyascii("".join(char if char.isprintable() else " " for char in composed))
    mended = re.sub(r"[^A-Za-z0-9._\-+=@,]+", "_", plain.replace("/", "_").strip())
    mended = re.sub(r"_+(?=\.|$)", "", mended).rstrip(".").lstrip("=-+@_")
    if mended.startswith(".") and not segment.startswith("."):
        mended = f"file{mended}"  # nothing but its ending can be written
    return mended.lstrip(f"{SEGMENT_START}_")[:SEGMENT_LONGEST]
