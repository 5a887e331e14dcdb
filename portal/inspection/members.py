"""The members of a package as they are read through: name, size, MD5, type and what is wrong with each."""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass

from portal.inspection import file_types
from portal.inspection.error_codes import says
from portal.inspection.limits import Fault, Stop, Watch
from portal.inspection.readers import HEAD, Peeked, Reader, Tally, Torn, drain, fill

LONGEST_NAME = 1024
# Nothing of a name may steer a terminal, a table or the direction of a line.
_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufffe\uffff]")


@dataclass(slots=True)
class Member:
    """A file of a package. Without MD5 it could not be read: encrypted, sparse, or by an unknown method."""

    name: str
    size: int
    md5: str | None
    file_type: str
    error: str | None = None


# Checks what a member holds: type, reader, name, size and its own watch. Raises Fault.
Check = Callable[[str, Reader, str, int, Watch], None]


class Listing:
    """Collects members within the bounds, and notices names and bytes that come twice."""

    def __init__(self, watch: Watch, check: Check) -> None:
        self.members: list[Member] = []
        self.unread = 0
        self.unchecked = ""
        self._watch, self._check = watch, check
        self._names: set[bytes] = set()
        self._seen: set[tuple[str, int]] = set()
        self._length = 0
        self.fault: Fault | None = None

    def add(self, name: bytes, size: int, source: Reader) -> Member:
        """Read a member to its end and list it. Raises Torn, after listing it, where its package breaks off."""
        member = Member(printable(name), size, None, "UNKNOWN")
        self._count(member, name)
        tally = Tally(source)
        try:
            self._look(member, tally)
        except Torn as torn:
            member.error = torn.fault.word
            raise
        member.size, member.md5 = tally.size, tally.md5
        self._compare(member)
        return member

    def _look(self, member: Member, tally: Tally) -> None:
        head = fill(tally, HEAD)
        kind = file_types.of(head, member.size)
        member.file_type = file_types.shown(kind)
        try:
            self._check(kind, Peeked(head, tally), member.name, member.size, self._watch.within(member.size))
        except Fault as fault:
            self.blame(member, fault)
        except Stop as stop:
            if not stop.inner:
                raise
            self.unchecked = self.unchecked or f"{member.name}: {stop.why}"
        drain(tally)

    def add_unread(self, name: bytes, size: int) -> Member:
        """List a member whose bytes cannot be had."""
        member = Member(printable(name), size, None, "UNKNOWN")
        self._count(member, name)
        self.unread += 1
        return member

    def blame(self, member: Member, fault: Fault) -> None:
        """A member is faulty; the first one is told with the package."""
        member.error = fault.word
        if self.fault is None:
            cause = fault.cause or says(fault.word).partition(". ")[0]
            self.fault = Fault(fault.word, f"Its member {member.name} is faulty: {cause[:1].lower()}{cause[1:]}")

    def _count(self, member: Member, name: bytes) -> None:
        bounds = self._watch.bounds
        self._length += len(name)
        if len(self.members) >= bounds.members or self._length > bounds.names:
            self.members.clear()
            raise Stop(f"It holds more than {bounds.members:,} members, which are not listed.")
        self.members.append(member)
        key = hashlib.blake2b(name.removeprefix(b"./"), digest_size=16).digest()
        if key in self._names:
            self.blame(member, Fault("repeated_file_in_archive", "The name stood in the package before."))
        self._names.add(key)

    def _compare(self, member: Member) -> None:
        if not member.size:
            member.error = member.error or "empty_file"
            return
        key = (member.md5 or "", member.size)
        if key in self._seen:
            member.error = member.error or "Duplicate"
        self._seen.add(key)


def printable(name: bytes) -> str:
    """A name as it may be shown: what is no letter of UTF-8 or would steer the line becomes a question mark."""
    return _UNPRINTABLE.sub("?", name.decode("utf-8", "replace").replace("\ufffd", "?"))[:LONGEST_NAME]
