"""What lies in an account's area: a page of it by arrival or by name in a folder, and the folders in a folder."""

from typing import Any

from sqlalchemy import ColumnElement, Select, TextClause, func, select, text, tuple_
from sqlalchemy.orm import InstrumentedAttribute

from portal import db, states
from portal.domain.shared import companions
from portal.domain.uploads.uploads import SHOWS_IN_BOX, Place
from portal.models import Account, File, Folder, Upload
from portal.queries.paging import index_scan, keyset
from portal.queries.uploads import uploads

HERE = (states.RECEIVING, *states.LISTED)
REALMS = ("open", "protected")
VIEWS = {"": "All", "arriving": "Arriving", "unlinked": "Nobody claims", "linked": "In a dataset"}
COMPANIONS = "companions"  # a view of its own, linked to from one line where there are any
MOST_COUNTED = 1000
# Word by word the conditions of the two indexes of names, so that what is archived is not walked over.
NAMED = text(f"upload.state IN ({', '.join(repr(state) for state in states.NAMED)})")
CUT = text(f"upload.state = '{states.INCOMPLETE}'")
MOST_STEPS = 200


def page(
    account: Account, *, folder: Place | None = None, view: str = "", after: str = "", before: str = ""
) -> keyset.Page:
    """The newest first; in a folder by name, with all that lies below."""
    mark, backwards = index_scan.cursor(after, before)
    limit, falling = keyset.PAGE, (folder is None) != backwards
    mine: list[ColumnElement[bool]] = [Upload.account_id == account.id, *_of_view(view)]
    if folder is None:
        upload_states = (states.RECEIVING, states.INCOMPLETE) if view == "arriving" else HERE
        parts: list[list[ColumnElement[bool] | TextClause]] = [
            [Upload.state == state, Upload.realm == realm] for state in upload_states for realm in REALMS
        ]
        column: InstrumentedAttribute[Any] = Upload.created_at
    else:
        place = [Upload.area == folder.area, Upload.realm == folder.realm, SHOWS_IN_BOX, *_inside(folder.name)]
        conditions: list[ColumnElement[bool] | TextClause] = [Upload.state == states.RECEIVING, CUT, NAMED]
        parts, column = [[*place, state] for state in conditions[: 2 if view == "arriving" else 3]], Upload.name
    every = [index_scan.scan(column, mine + part, mark, falling, limit + 1) for part in parts]
    merged = index_scan.merged(every, falling, limit + 1)
    ids = index_scan.paged(merged, mark, backwards, limit)
    rows = {row.upload.id: row for row in uploads.rows_of(ids.rows)}
    return keyset.Page([rows[state] for state in ids.rows if state in rows], ids.newer, ids.older)


def _of_view(view: str) -> list[ColumnElement[bool]]:
    companion = companions.among(Upload.base)
    if view == COMPANIONS:
        return [companion]
    if view not in ("unlinked", "linked"):
        return [~companion]
    claimed = select(File.id).where(File.upload_id == Upload.id, File.state.not_in(states.DEAD_FILES)).exists()
    return [~companion, claimed if view == "linked" else ~claimed]


def count_companions(account: Account) -> int:
    """Number of companion files in the areas of an account, up to a thousand."""
    mine = select(Upload.id).where(
        Upload.account_id == account.id, Upload.state.in_(HERE), companions.among(Upload.base)
    )
    return int(db.session.scalar(select(func.count()).select_from(mine.limit(MOST_COUNTED).subquery())) or 0)


def _inside(name: str) -> list[ColumnElement[bool]]:
    """What lies below a folder: "0" is what follows "/" in order."""
    return [Upload.name > f"{name}/", Upload.name < f"{name}0"] if name else []


def folders(account: Account, place: Place) -> list[str]:
    """The folders directly in a folder, found by leaping from one to the next: those made, and those with something
    in them. Beyond two hundred steps they are not looked for."""
    prefix = f"{place.name}/" if place.name else ""
    made = (
        select(Folder.path)
        .where(
            Folder.account_id == account.id,
            Folder.area == place.area,
            Folder.realm == place.realm,
            Folder.path > prefix,
            Folder.path < f"{prefix}\U0010ffff",
        )
        .order_by(Folder.path)
    )
    segments = {path[len(prefix) :].split("/")[0] for path in db.session.scalars(made.limit(MOST_STEPS))}
    first = select(func.min(Upload.name)).where(
        Upload.account_id == account.id, Upload.area == place.area, Upload.realm == place.realm, SHOWS_IN_BOX
    )
    for condition in (NAMED, CUT):
        segments |= _leap(first.where(condition), prefix)
    return sorted(segments)


def _leap(first: Select[*tuple[Any, ...]], prefix: str) -> set[str]:
    segments, here = set(), prefix
    end = f"{prefix[:-1]}0" if prefix else "\U0010ffff"
    for _ in range(MOST_STEPS):
        name = db.session.scalar(first.where(Upload.name > here, Upload.name < end))
        if name is None:
            break
        segment, slash, _rest = name[len(prefix) :].partition("/")
        if slash:
            segments.add(segment)
        here = f"{prefix}{segment}0" if slash else name
    return segments


def moving(account: Account) -> bool:
    """Whether anything arrives or is checked, so that the page is looked at every two seconds."""
    query = select(Upload.id).where(
        Upload.account_id == account.id, Upload.state.in_((states.RECEIVING, states.CHECKING))
    )
    return db.session.scalar(query.limit(1)) is not None


def listing(account: Account, place: Place, *, after: int = 0, limit: int) -> list[uploads.Row]:
    """The uploads directly in a folder, by name, behind one of them."""
    prefix = f"{place.name}/" if place.name else ""
    mark = db.session.get(Upload, after) if after else None
    query = select(Upload.id).where(
        Upload.account_id == account.id,
        Upload.area == place.area,
        Upload.realm == place.realm,
        Upload.state.in_(HERE),
        SHOWS_IN_BOX,
        Upload.name == prefix + Upload.base,
        *_inside(place.name),
    )
    if mark is not None:
        query = query.where(tuple_(Upload.name, Upload.id) > (mark.name, mark.id))
    rows = uploads.rows_of(list(db.session.scalars(query.order_by(Upload.name, Upload.id).limit(limit))))
    return sorted(rows, key=lambda row: (row.upload.name, row.upload.id))
