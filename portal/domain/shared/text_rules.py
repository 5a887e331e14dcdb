"""What text may be, and what people type into a field, tidied and bounded: one line, several lines, an MD5.

What is taken here goes into bags, receipts and reports, which are XML: a character that XML cannot carry is refused.
"""

import re
import unicodedata

from portal import errors
from portal.messages import Message, say

# All that is not a `Char` of XML 1.0 (section 2.2).
_UNFIT = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def check_characters(text: str) -> str:
    """The text, if it can be kept: the one rule of which characters a text may hold. Raises Invalid, which names the
    first that it may not hold and its place."""
    unfit = _UNFIT.search(text)
    if unfit is not None:
        words = (
            "Character {place} is U+{point:04X}, which is no character of any script and cannot be archived. Delete it."
        )
        raise errors.Invalid(say("text_character", words, place=unfit.start() + 1, point=ord(unfit[0])))
    return text


def carried(text: str) -> str:
    """What another program says, and nobody here can correct, with what text may not hold replaced by U+FFFD."""
    return _UNFIT.sub("\ufffd", text)


def md5(value: object) -> str | None:
    """A declared MD5 in lower case, or None when nothing was declared. Raises Invalid when it is malformed."""
    text = str(value or "").strip().lower()
    if not text:
        return None
    if not re.fullmatch(r"[0-9a-f]{32}", text):
        raise errors.Invalid(_md5_fault(text), topic="md5")
    return text


def _md5_fault(text: str) -> Message:
    if len(text) != 32:
        return say("md5_length", "An MD5 has 32 characters 0-9 and a-f; this has {length}.", length=len(text))
    return say("md5_characters", "An MD5 has only the characters 0-9 and a-f.")


def _check_length(text: str, longest: int) -> None:
    if len(text) > longest:
        raise errors.Invalid(
            say("text_too_long", "At most {longest} characters; this has {length}.", longest=longest, length=len(text))
        )


def line(value: object, *, longest: int = 500) -> str:
    """One line of text: control characters become spaces, ends are trimmed. Raises Invalid when it is too long or holds
    what text may not hold."""
    text = str(value or "").strip()
    if not (text.isascii() and text.isprintable()):
        text = unicodedata.normalize("NFC", text)
        text = "".join(" " if unicodedata.category(char) in ("Cc", "Cs", "Zl", "Zp") else char for char in text).strip()
        check_characters(text)
    _check_length(text, longest)
    return text


def prose(value: object, *, longest: int = 5000) -> str:
    """Several lines of text, with line feeds kept. Raises Invalid when it, or a line of it, is too long or holds what
    text may not hold."""
    text = str(value or "").replace("\r\n", "\n").replace("\r", "\n")
    text = "\n".join(line(part, longest=longest) for part in text.split("\n")).strip()
    _check_length(text, longest)
    return text
