"""Numbers of files as people write them: 1, 3-5."""

import re

from portal import errors
from portal.messages import say

RANGE = re.compile(r"-?(\d{1,7})(?:\s*(?:-|to|\N{EN DASH})\s*-?(\d{1,7}))?")
MOST = 100_000


def numbers_of(text: str) -> list[int]:
    """The numbers, each once; none for an empty text. Raises Invalid."""
    chosen: dict[int, None] = {}
    for part in filter(None, (part.strip() for part in re.split(r"[,;\n]", text))):
        match = RANGE.fullmatch(part)
        if match is None or int(match[2] or match[1]) - int(match[1]) > MOST:
            raise errors.Invalid(fields={"files": say("file_numbers_format", "Numbers of files, such as 1, 3-5.")})
        chosen |= dict.fromkeys(range(int(match[1]), int(match[2] or match[1]) + 1))
    return list(chosen)
