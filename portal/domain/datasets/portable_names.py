"""Names of files that another system cannot keep apart or cannot write: told before approval, never changed."""

from typing import Any

from sqlalchemy import ColumnElement, Select, func, or_, select
from sqlalchemy.orm import InstrumentedAttribute

from portal import db, states
from portal.messages import Message, say
from portal.models import Dataset, File

# Device names, with any ending: https://learn.microsoft.com/windows/win32/fileio/naming-a-file
DEVICES = ("con", "prn", "aux", "nul", *(f"com{n}" for n in range(1, 10)), *(f"lpt{n}" for n in range(1, 10)))


def faults(dataset: Dataset) -> list[tuple[Message, int]]:
    """(message, number of its first file) of each kind of name that is not portable."""
    return [*_twins(dataset), *_ends_in_dot(dataset), *_devices(dataset)]


def _names(dataset: Dataset, *columns: ColumnElement[Any] | InstrumentedAttribute[Any]) -> Select[*tuple[Any, ...]]:
    return select(*columns).where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES))


def _twins(dataset: Dataset) -> list[tuple[Message, int]]:
    alike = (
        _names(dataset, func.count().label("files"), func.min(File.n).label("n"))
        .group_by(func.lower(File.name))
        .having(func.count(func.distinct(File.name)) > 1)
        .subquery()
    )
    count, first = db.session.execute(select(func.sum(alike.c.files), func.min(alike.c.n))).one()
    if not count:
        return []
    text = "{count:,} files have names that differ only in capital letters. Windows and macOS keep one of them."
    return [(say("names_differ_in_case", text, count=count), first)]


def _ends_in_dot(dataset: Dataset) -> list[tuple[Message, int]]:
    text = "end in a dot, which Windows takes away: {name}."
    return _counted(dataset, "names_end_in_dot", text, or_(File.name.like("%."), File.name.like("%./%")))


def _devices(dataset: Dataset) -> list[tuple[Message, int]]:
    """By base name; and by the first folder, which costs no pattern for each device and row."""
    lower, base = func.lower(File.name), func.lower(File.base)
    begins = [
        func.substr(text, 1, length + 1).in_([name + end for name in DEVICES if len(name) == length for end in "./"])
        for text in (lower, base)
        for length in (3, 4)
    ]
    reserved = or_(*begins, base.in_(DEVICES))
    text = "bear a name that Windows keeps for a device: {name}."
    return _counted(dataset, "names_of_devices", text, reserved)


def _counted(dataset: Dataset, code: str, text: str, condition: ColumnElement[bool]) -> list[tuple[Message, int]]:
    count, first = db.session.execute(_names(dataset, func.count(), func.min(File.n)).where(condition)).one()
    if not count:
        return []
    name = db.session.scalar(_names(dataset, File.name).where(File.n == first))
    one = text.replace("end in", "ends in").replace("bear a", "bears a")
    message = say(code, "{count:,} file name " + one, plural="{count:,} file names " + text, count=count, name=name)
    return [(message, first)]
