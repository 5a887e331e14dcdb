"""My datasets as a list: searched, filtered, sorted, page by page; and those that need the person who looks."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, and_, case, func, or_, select
from sqlalchemy.orm import aliased

from portal import db, states
from portal.domain.permissions import access
from portal.models import Account, Dataset, File, FileTally, Remark
from portal.queries.paging import keyset

PUBLISHED = (states.RELEASED, states.SUPPRESSED, states.WITHDRAWN)
ATTENTION = tuple(state for state in states.DATASET.states if state not in PUBLISHED)
TABS = {"attention": ATTENTION, "published": PUBLISHED}
MOST_WORDS = 10
_DAY = func.coalesce(Dataset.release_date, "9999")
_TITLE = func.lower(Dataset.title)
_STAGE = case({state: at for at, state in enumerate(states.DATASET.states)}, value=Dataset.state)
# The columns of an order, and whether it falls.
SORTS: dict[str, tuple[tuple[SQLColumnExpression[Any], ...], bool]] = {
    "": ((Dataset.updated_at, Dataset.id), True),
    "title": ((_TITLE, Dataset.id), False),
    "state": ((_STAGE, Dataset.id), False),
    "release": ((_DAY, Dataset.id), False),
}
_ANSWER = aliased(Remark)


@dataclass(frozen=True)
class Filter:
    """What is asked of the list; `needs` leaves what needs the owner to do something."""

    tab: str = "attention"
    text: str = ""
    state: str = ""
    needs: bool = False
    sort: str = ""

    @property
    def is_narrow(self) -> bool:
        return bool(self.text.strip() or self.state or self.needs)


def _has_files(*in_states: str) -> ColumnElement[bool]:
    query = select(FileTally.dataset_id).where(
        FileTally.dataset_id == Dataset.id, FileTally.state.in_(in_states), FileTally.number > 0
    )
    return query.exists()


def needs_owner() -> ColumnElement[bool]:
    """Condition of the datasets that go no further before their owner does something: returned ones, those with red
    files, submitted ones whose files have not come, and those with an open remark that nobody who edits
    them answered."""
    answered = select(_ANSWER.id).where(_ANSWER.answers_id == Remark.id, access.editable_by(_ANSWER.account_id))
    asked = select(Remark.id).where(
        Remark.dataset_id == Dataset.id,
        Remark.public,
        Remark.answers_id.is_(None),
        Remark.done_at.is_(None),
        ~access.editable_by(Remark.account_id),
        ~answered.exists(),
    )
    return and_(
        Dataset.state.in_(ATTENTION),
        or_(
            Dataset.state == states.RETURNED,
            _has_files(states.FAILED, states.ERROR),
            and_(Dataset.state.in_((states.SUBMITTED, states.APPROVED)), _has_files(states.WAITING)),
            asked.exists(),
        ),
    )


def named(text: str) -> list[ColumnElement[bool]]:
    """Conditions of the datasets that bear all words in accession, title, species or the name of a file."""
    said = func.lower(Dataset.title + " " + func.coalesce(Dataset.accession, "") + " " + Dataset.species)
    conditions: list[ColumnElement[bool]] = []
    for word in text.replace("\0", " ").split()[:MOST_WORDS]:
        forms = {word, word.lower()}  # the database knows the case of ASCII letters only
        bears = [said.contains(form, autoescape=True) for form in forms]
        names = [func.lower(File.name).contains(form, autoescape=True) for form in forms]
        living = and_(File.dataset_id == Dataset.id, File.state.not_in(states.DEAD_FILES))
        file = select(File.id).where(living, or_(*names))
        conditions.append(or_(*bears, file.exists()))
    return conditions


def tab_counts(account: Account) -> dict[str, int]:
    """How many datasets of the account need it, and how many are published."""
    mine = Dataset.account_id == account.id
    needing = db.session.scalar(select(func.count()).select_from(Dataset).where(mine, needs_owner()))
    published = db.session.scalar(select(func.count()).select_from(Dataset).where(mine, Dataset.state.in_(PUBLISHED)))
    return {"attention": int(needing or 0), "published": int(published or 0)}


def _query(account: Account, chosen: Filter) -> Select[Dataset]:
    in_states = tuple(state for state in TABS[chosen.tab] if chosen.state in ("", state))
    query = select(Dataset).where(Dataset.account_id == account.id, Dataset.state.in_(in_states))
    query = query.where(*named(chosen.text))
    return query.where(needs_owner()) if chosen.needs else query


def page(account: Account, chosen: Filter, *, after: str = "", before: str = "") -> keyset.Page:
    """A page of the account's datasets. A cursor is the number of one of them, whatever the order: where a dataset
    of somebody else would stand is told to nobody, since its title could be guessed from it."""
    columns, falling = SORTS[chosen.sort]

    def place(text: str) -> tuple[Any, ...] | None:
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return None
        own = (Dataset.id == int(text), Dataset.account_id == account.id)
        row = db.session.execute(select(*columns).where(*own)).first()
        return tuple(row) if row is not None else None

    fetched = keyset.fetch(
        _query(account, chosen),
        columns,
        lambda row: (row[0].id,),
        after=after,
        before=before,
        descending=falling,
        place=place,
    )
    return keyset.Page([row[0] for row in fetched.rows], fetched.newer, fetched.older)
