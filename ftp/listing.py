"""Lines of listings: LIST, NLST and MLSD/MLST (RFC 3659), from entries."""

from collections.abc import Iterable
from datetime import UTC, datetime

from ftp.tree.entries import Entry

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
HALF_A_YEAR_MS = 180 * 86_400_000
FACTS = ("type", "size", "modify", "perm", "unique")


def stamp(ms: int) -> str:
    """A moment as MDTM and MLSD write it, in UTC."""
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y%m%d%H%M%S")


def long_lines(entries: Iterable[Entry], *, now: int) -> bytes:
    """Like `ls -l`, for clients that know no better."""
    return "".join(_long(entry, now) for entry in entries).encode()


def _long(entry: Entry, now: int) -> str:
    at = datetime.fromtimestamp(entry.modified / 1000, UTC)
    clock = f"{at.year:5d}" if now - entry.modified > HALF_A_YEAR_MS else f"{at:%H:%M}"
    write = "w" if "w" in entry.perm or "m" in entry.perm else "-"
    mode = f"dr{write}xr-xr-x" if entry.folder else f"-r{write}-r--r--"
    return f"{mode}   1 omix     omix     {entry.size:8d} {MONTHS[at.month - 1]} {at.day:02d} {clock} {entry.name}\r\n"


def name_lines(entries: Iterable[Entry]) -> bytes:
    return "".join(f"{entry.name}\r\n" for entry in entries).encode()


def fact_lines(entries: Iterable[Entry], facts: Iterable[str]) -> bytes:
    selected = [fact for fact in FACTS if fact in set(facts)]
    return "".join(f"{fact_line(entry, selected)} {entry.name}\r\n" for entry in entries).encode()


def fact_line(entry: Entry, facts: Iterable[str]) -> str:
    """The facts of one entry, without its name."""
    values = {
        "type": "dir" if entry.folder else "file",
        "size": "" if entry.folder else str(entry.size),
        "modify": stamp(entry.modified) if entry.modified else "",
        "perm": entry.perm,
        "unique": entry.unique,
    }
    return "".join(f"{fact}={values[fact]};" for fact in facts if values.get(fact))
