"""Letters attached to requests: kept beside the database, read by the two sides of the request alone."""

from pathlib import Path

from portal import config, errors, storage
from portal.domain.shared import sizes
from portal.messages import say

LARGEST = 3 << 20
# How a PDF, PNG, JPEG and the documents of word processors begin.
MARKS = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"PK\x03\x04")


def path(token: str) -> Path:
    return config.settings().instance / "letters" / token


def store(content: bytes) -> str:
    """Keep a letter on disk; returns its token. Raises Invalid for what is no letter."""
    if len(content) > LARGEST:
        raise errors.Invalid(
            fields={
                "letter": say(
                    "letter_too_large",
                    "At most {most}; write to the deciders for more.",
                    most=sizes.size(LARGEST),
                )
            }
        )
    if not content.startswith(MARKS):
        raise errors.Invalid(
            fields={"letter": say("letter_type", "A letter is a PDF, an image, or a document of a word processor.")}
        )
    token = storage.token()
    storage.make_folder(path(token).parent)
    storage.write_whole(path(token), content)
    return token


def read(token: str) -> bytes:
    try:
        return path(token).read_bytes()
    except FileNotFoundError:
        raise errors.NotFound(say("letter_lost", "The letter is not here any more.")) from None


def remove(token: str | None) -> None:
    if token:
        storage.remove(path(token))
