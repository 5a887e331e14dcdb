"""The remarks on a dataset as somebody may read them: heads with their answers, and those of each section and file."""

from dataclasses import dataclass, field

from sqlalchemy import func

from portal import db
from portal.domain import remarks
from portal.models import Account, Dataset, Remark


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
        """A turn's own remark is closed by the next turn, not by hand."""
        return self.remark.done_at is None and not self.remark.turn


@dataclass(frozen=True)
class Thread:
    """Everything somebody may read, the open ones first; `last` is the number of the newest remark."""

    entries: list[Entry]
    last: int
    may_keep_private: bool

    @property
    def open(self) -> int:
        return sum(entry.open for entry in self.entries)

    def on(self, section: str) -> list[Entry]:
        """Open remarks on a section that are no file's."""
        return [one for one in self.entries if one.open and one.remark.section == section and not one.remark.file_id]

    def of_file(self, file_id: int) -> list[Entry]:
        return [one for one in self.entries if one.open and one.remark.file_id == file_id]


def of(dataset: Dataset, actor: Account | None) -> Thread:
    found = list(db.session.scalars(remarks.visible(dataset, actor)).unique())
    heads = {remark.id: Entry(remark) for remark in found if remark.answers_id is None}
    for remark in found:
        if remark.answers_id in heads:
            heads[remark.answers_id].answers.append(remark)
    entries = sorted(heads.values(), key=lambda one: (not one.open, one.remark.id))
    return Thread(entries, found[-1].id if found else 0, remarks.may_read_private(dataset, actor))


def newer(dataset: Dataset, actor: Account | None, after: int) -> int:
    """How many remarks of others came behind a number."""
    query = remarks.visible(dataset, actor).where(Remark.id > after, Remark.account_id != (actor.id if actor else 0))
    return db.session.scalar(query.order_by(None).with_only_columns(func.count(Remark.id))) or 0
