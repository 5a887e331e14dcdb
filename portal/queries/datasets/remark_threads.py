"""Threads of remarks on a dataset as an account may read them, with the open ones of each section and file."""

from dataclasses import dataclass, field

from sqlalchemy import case, func
from sqlalchemy.orm import joinedload

from portal import db
from portal.domain.datasets import remarks
from portal.models import Account, Dataset, Remark

PAGE = 100
WITH_NAMES = (joinedload(Remark.account), joinedload(Remark.file))


@dataclass(frozen=True)
class Entry:
    """A remark, what was answered to it, and where it lies."""

    remark: Remark
    answers: list[Remark] = field(default_factory=list)

    @property
    def about(self) -> str:
        return remarks.about(self.remark)

    @property
    def anchor(self) -> str:
        if self.remark.file is not None:
            return f"#file-{self.remark.file.n}"
        return {"whole": "", "files": "#files"}.get(self.remark.section, f"#s-{self.remark.section}")

    @property
    def open(self) -> bool:
        """Whether it waits for an answer. The remark of a decision is closed by the next decision, not by hand."""
        return self.remark.done_at is None and not self.remark.turn


@dataclass(frozen=True)
class Thread:
    """A page of what somebody may read, the open ones first; `last` is the number of the newest remark, `open` counts
    those of every page. `start` is how many stand on the pages before."""

    entries: list[Entry]
    last: int
    may_keep_private: bool
    open: int = 0
    total: int = 0
    start: int = 0

    @property
    def earlier(self) -> int:
        """Where the next page begins; 0 where there is none."""
        end = self.start + len(self.entries)
        return end if end < self.total else 0

    def on(self, section: str) -> list[Entry]:
        """Open remarks on a section that are no file's."""
        return [
            entry
            for entry in self.entries
            if entry.open and entry.remark.section == section and not entry.remark.file_id
        ]

    def of_file(self, file_id: int) -> list[Entry]:
        return [entry for entry in self.entries if entry.open and entry.remark.file_id == file_id]


def of(dataset: Dataset, actor: Account | None, *, start: int = 0) -> Thread:
    """The newest remarks, those that are open before all others, with their answers."""
    seen = remarks.visible(dataset, actor).order_by(None)
    heads = seen.where(Remark.answers_id.is_(None))
    is_open = Remark.done_at.is_(None) & (Remark.turn == "")
    query = heads.order_by(is_open.desc(), Remark.id.desc()).offset(start).limit(PAGE)
    newest = list(db.session.scalars(query.options(*WITH_NAMES)))
    newest.sort(key=lambda remark: (remark.done_at is not None or bool(remark.turn), remark.id))
    entries = {remark.id: Entry(remark) for remark in newest}
    answers = seen.where(Remark.answers_id.in_(entries)).order_by(Remark.id).options(*WITH_NAMES)
    for remark in db.session.scalars(answers) if entries else ():
        entries[remark.answers_id or 0].answers.append(remark)
    counted = heads.with_only_columns(func.count(Remark.id), func.sum(case((is_open, 1), else_=0)))
    total, still_open = db.session.execute(counted).one()
    last = db.session.scalar(seen.with_only_columns(func.max(Remark.id))) or 0
    private = remarks.may_read_private(dataset, actor)
    return Thread(list(entries.values()), last, private, still_open or 0, total, start)


def newer(dataset: Dataset, actor: Account | None, after: int) -> int:
    """Number of remarks of others that are newer than a number."""
    query = remarks.visible(dataset, actor).where(Remark.id > after, Remark.account_id != (actor.id if actor else 0))
    return db.session.scalar(query.order_by(None).with_only_columns(func.count(Remark.id))) or 0
