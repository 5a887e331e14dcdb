"""What is asked of the tracking table: a filter, its conditions, and the short ways to what they leave."""

from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, text, union
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.files import file_state
from portal.domain.permissions import access
from portal.models import Account, Dataset, File, FileTally, Upload
from portal.queries.paging import capped_count, name_search

NOT_LOADED = (states.RECEIVING, *states.LISTED)
BAD = (states.INCOMPLETE, states.FAILED)
BAD_FILES = (states.FAILED, states.ERROR)
VIEWS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Not yet loaded", NOT_LOADED),
    "arriving": ("Arriving", (states.RECEIVING, states.INCOMPLETE)),
    "received": ("Received", (states.RECEIVED,)),
    "checking": ("Checking", (states.CHECKING,)),
    "failed": ("Error or failed", (states.FAILED,)),
    "loaded": ("Loaded", (states.ARCHIVED,)),
    "obsolete": ("Replaced or obsolete", (states.OBSOLETE, states.EXPIRED)),
    "all": ("All", states.UPLOAD.states),
}
# States of a file that claims an upload of a state; the others are claimed by none.
CLAIMED = {
    states.RECEIVED: (states.RECEIVED, states.FAILED, states.ERROR, states.CHECKING),
    states.CHECKING: (states.CHECKING,),
    states.FAILED: (states.FAILED, states.ERROR),
    states.ARCHIVED: (states.ARCHIVED,),
    states.OBSOLETE: states.DEAD_FILES,
    states.EXPIRED: states.DEAD_FILES,
}
REALMS = ("open", "protected")
SORTS = {"arrived": Upload.created_at, "name": Upload.name, "size": Upload.size}
# Word by word the condition of the index ix_upload_faulty.
FOUND_FAULTY = (text("upload.state = 'received'"), Upload.error > "", Upload.error.not_like("duplicate%"))
PROBLEM_FILE = text("file.state IN ('failed', 'error')")  # word by word that of the index ix_file_problem
_CLAIMER = aliased(File)


@dataclass(frozen=True)
class Filter:
    """What is asked for. `sort` is a key of SORTS, with - in front where the largest comes first; `only` leaves some of
    the states of the view."""

    first: date
    last: date
    state: str = ""
    realm: str = ""
    file_type: str = ""
    dataset: int | None = None
    text: str = ""
    problems: bool = False
    sort: str = "-arrived"
    only: tuple[str, ...] = ()

    @property
    def states(self) -> tuple[str, ...]:
        return tuple(state for state in VIEWS[self.state][1] if not self.only or state in self.only)

    @property
    def realms(self) -> tuple[str, ...]:
        return (self.realm,) if self.realm else REALMS

    @property
    def key(self) -> str:
        return self.sort.removeprefix("-")

    @property
    def falling(self) -> bool:
        return self.sort.startswith("-")

    @property
    def span(self) -> tuple[int, int]:
        zone = settings().timezone
        return clock.midnight(self.first, zone), clock.midnight(self.last + timedelta(days=1), zone)

    @property
    def file_states(self) -> list[str]:
        """Those of the files whose uploads are asked for."""
        file_states = {file_state for state in self.states for file_state in CLAIMED.get(state, ())}
        return sorted(file_states & set(BAD_FILES) if self.problems else file_states)


def matching(
    account: Account, criteria: Filter, *, alone: bool = True, span: tuple[int, int] | None = None
) -> list[ColumnElement[bool]]:
    """The conditions of a filter; of its period only `span`, where it is given. Where another condition drives the
    search (`alone` false), columns are wrapped, so that no index but the key is taken for them."""
    given: list[tuple[Any, Any]] = [
        (Upload.account_id, 0),
        (Upload.state, ""),
        (Upload.realm, ""),
        (Upload.created_at, 0),
        (Upload.file_type, ""),
    ]
    owner, state, realm, created, kind = (column if alone else func.coalesce(column, empty) for column, empty in given)
    begin, end = span or criteria.span
    conditions = [
        owner == account.id,
        state.in_(criteria.states),
        realm.in_(criteria.realms),
        created >= begin,
        created < end,
    ]
    if criteria.file_type:
        conditions.append(kind == criteria.file_type)
    if criteria.text:
        conditions.append(_named(criteria.text))
    if criteria.problems:
        faulty = select(_CLAIMER.id).where(_CLAIMER.upload_id == Upload.id, _CLAIMER.state.in_(BAD_FILES))
        conditions.append(or_(state.in_(BAD), faulty.exists(), and_(*FOUND_FAULTY)))
    if criteria.dataset:
        conditions.append(
            select(_CLAIMER.id).where(_CLAIMER.upload_id == Upload.id, _CLAIMER.dataset_id == criteria.dataset).exists()
        )
    return conditions


def _named(sought: str) -> ColumnElement[bool]:
    path = Upload.name.contains(sought, autoescape=True)
    return or_(path, Upload.id == int(sought)) if _is_number(sought) else path


def _is_number(sought: str) -> bool:
    return sought.isdecimal() and len(sought) < 18


def plainly(criteria: Filter) -> Filter:
    """What the index of the order of arrival alone can tell of a filter."""
    return replace(criteria, text="", problems=False, dataset=None)


def short_ways(account: Account, criteria: Filter, most: int) -> list[Select[*tuple[Any, ...]]]:
    """Queries of ids, each through an index of its own: what is asked for is in all of them. A dataset of more files
    than `most` is none."""
    mine = Upload.account_id == account.id
    queries = []
    if criteria.dataset and _files_of(criteria) <= most:
        queries.append(
            _either(
                [
                    select(File.upload_id.label("id")).where(
                        File.dataset_id == criteria.dataset, File.state == state, File.upload_id.is_not(None)
                    )
                    for state in criteria.file_states
                ]
            )
        )
    if criteria.problems and not criteria.dataset:
        faulty = (
            select(File.upload_id.label("id"))
            .join(Dataset, Dataset.id == File.dataset_id)
            .where(access.editable_by(account.id), PROBLEM_FILE, File.upload_id.is_not(None))
        )
        looked_into = select(Upload.id).where(mine, *FOUND_FAULTY)
        bad = [select(Upload.id).where(mine, Upload.state == state) for state in BAD]
        queries.append(_either([*bad, faulty, looked_into]))
    if criteria.text:
        queries.append(by_name(account, criteria.text))
    return [capped_count.first(query, most) for query in queries]


def _files_of(criteria: Filter) -> int:
    query = select(func.sum(FileTally.number)).where(FileTally.dataset_id == criteria.dataset)
    return int(db.session.scalar(query.where(FileTally.state.in_(criteria.file_states))) or 0)


def by_name(account: Account, sought: str) -> Select[*tuple[Any, ...]]:
    """The ids of the account's uploads with these letters in their path, or with this number. One or two letters are
    in no index: then every name is looked at."""
    ids = name_search.ids("upload_text", Upload.id, Upload.account_id, account.id, [sought], [_named(sought)])
    if ids is None:
        return select(Upload.id).where(Upload.account_id == account.id, _named(sought))
    if not _is_number(sought):
        return ids
    numbered = select(Upload.id).where(Upload.id == int(sought))
    return select(union(ids, numbered).subquery().c.id)


def whole_but_faulty(account: Account, most: int) -> Select[*tuple[Any, ...]]:
    """Ids of the uploads that arrived well and have a fault all the same: their file has, such as another digest, or it
    was found in their bytes."""
    query = select(Upload.id).join(File, File.upload_id == Upload.id).join(Dataset, Dataset.id == File.dataset_id)
    wrong = (
        access.editable_by(account.id),
        PROBLEM_FILE,
        File.error.in_(file_state.OWN_FAULTS),
        File.upload_id.is_not(None),
    )
    by_file = query.where(*wrong, func.coalesce(Upload.state, "").not_in(BAD))
    by_bytes = select(Upload.id).where(Upload.account_id == account.id, *FOUND_FAULTY)
    ids: Select[*tuple[Any, ...]] = capped_count.first(_either([by_file, by_bytes], most), most)
    return ids


def _either(queries: list[Select[*tuple[Any, ...]]], most: int = capped_count.MOST) -> Select[*tuple[Any, ...]]:
    """The ids of several queries, each bounded by itself."""
    parts = [
        capped_count.first(query, most).subquery() for query in queries or [select(Upload.id).where(Upload.id < 0)]
    ]
    return select(union(*(select(part.c.id) for part in parts)).subquery().c.id)
