"""The rule of names: ASCII letters, digits and . _ - + = @ , / for folders; no part starts with = - + @ or a dot."""

import re
import unicodedata

from anyascii import anyascii

from portal import errors

ALLOWED = re.compile(r"[A-Za-z0-9._\-+=@,]")
SEGMENT_START = "=-+@."
# What nearly every name is, seen at once: at most eight parts, none near a bound.
PLAIN = re.compile(r"[A-Za-z0-9_,][A-Za-z0-9._\-+=@,]{0,200}(?:/[A-Za-z0-9_,][A-Za-z0-9._\-+=@,]{0,200}){0,7}")
LONGEST, DEEPEST, SEGMENT_LONGEST = 1000, 32, 240


def clean(path: str) -> str:
    """The path as it is stored: no leading or doubled slashes. Raises BadName with a corrected suggestion."""
    name = "/".join(segment for segment in path.split("/") if segment)
    reason = fault(name)
    if reason:
        better = suggest(name)
        hint = f" Call it {better} instead." if better and better != name else ""
        raise errors.BadName(f"{reason}{hint}", suggestion=better)
    return name


def fault(name: str) -> str:
    """What is wrong with a path, as a sentence; empty when nothing is."""
    if not name:
        return "The name is empty."
    if len(name) > LONGEST:
        return f"The path is longer than {LONGEST} characters."
    if PLAIN.fullmatch(name):
        return ""
    segments = name.split("/")
    if len(segments) > DEEPEST:
        return f"The path is more than {DEEPEST} folders deep."
    for segment in segments:
        bad = next((char for char in segment if not ALLOWED.fullmatch(char)), None)
        if bad is not None:
            return f"The name holds {describe(bad)}, which is not allowed."
        if segment[0] in SEGMENT_START:
            return f"A name may not start with {segment[0]!r}."
        if len(segment) > SEGMENT_LONGEST:
            return f"A name is longer than {SEGMENT_LONGEST} characters."
    return ""


def describe(char: str) -> str:
    """A character in words, safe to print."""
    if char == " ":
        return "a space"
    if char.isprintable() and not 0xD800 <= ord(char) <= 0xDFFF:
        return f"the character {char!r}"
    return f"the unprintable character U+{ord(char):04X}"


def suggest(name: str) -> str:
    """The nearest allowed path, in letters of our own where it is written in others; empty where none is near."""
    segments = [_mend(segment) if fault(segment) else segment for segment in name.split("/")]
    better = "/".join(segment for segment in segments if segment)[:LONGEST].rstrip("/")
    return "" if fault(better) else better


def _mend(segment: str) -> str:
    known = unicodedata.normalize("NFC", segment.encode("utf-8", "replace").decode())
    plain = anyascii("".join(char if char.isprintable() else " " for char in known))
    mended = re.sub(r"[^A-Za-z0-9._\-+=@,]+", "_", plain.replace("/", "_").strip())
    mended = re.sub(r"_+(?=\.|$)", "", mended).rstrip(".").lstrip("=-+@_")
    if mended.startswith(".") and not segment.startswith("."):
        mended = f"file{mended}"  # nothing but its ending can be written
    return mended.lstrip(f"{SEGMENT_START}_")[:SEGMENT_LONGEST]
