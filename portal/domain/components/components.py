"""Components in the catalogue: found, written in bulk; recompute_states() alone says which state each is in."""

from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, insert, not_, or_, select, update
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.components import metadata_objects
from portal.domain.components.metadata_objects import Facts
from portal.domain.files import accessions
from portal.domain.shared import history, transitions
from portal.models import Center, Component, ComponentFile, ComponentRef, Dataset, File

PORTION = 5000
FACTS = (
    Component.id,
    Component.type,
    Component.alias,
    Component.accession,
    Component.dataset_id,
    Component.center_id,
    Component.state,
    Component.status,
    Component.md5,
    Dataset.account_id,
    Dataset.state.label("dataset_state"),
    Dataset.accession.label("dataset_accession"),
)
_REFERRER = aliased(Component)
Value = TypeVar("Value")
Columns = dict[str, Any]  # of a row that is written, as the database takes them


def portions(values: Iterable[Value]) -> Iterator[list[Value]]:
    listed = list(values)
    for start in range(0, len(listed), PORTION):
        yield listed[start : start + PORTION]


def by_alias(center_id: int, kind: str, aliases: Iterable[str]) -> dict[str, Facts]:
    """Facts of a center's living components by alias."""
    rows_by_alias: dict[str, Facts] = {}
    for part in portions(aliases):
        query = (
            select(*FACTS)
            .join(Dataset, Dataset.id == Component.dataset_id)
            .where(
                Component.center_id == center_id,
                Component.type == kind,
                Component.status != "withdrawn",
                Component.alias.in_(part),
            )
        )
        rows_by_alias |= {row.alias: row for row in db.session.execute(query)}
    return rows_by_alias


def by_accession(accessions: Iterable[str]) -> dict[str, Facts]:
    """Facts of components by accession, whosesoever they are."""
    rows_by_accession: dict[str, Facts] = {}
    for part in portions(accessions):
        query = select(*FACTS).join(Dataset, Dataset.id == Component.dataset_id).where(Component.accession.in_(part))
        rows_by_accession |= {row.accession: row for row in db.session.execute(query)}
    return rows_by_accession


def center_named(name: str) -> int | None:
    return db.session.scalar(select(Center.id).where(Center.name == name))


def reserve(counts: dict[str, int]) -> dict[str, Iterator[str]]:
    """Fresh accessions of each type, so many. Needs a transaction."""
    prefix = settings().prefix
    return {
        kind: iter(accessions.block(prefix + metadata_objects.LETTERS[kind], count)) for kind, count in counts.items()
    }


def add(rows: list[Columns]) -> dict[tuple[str, str], int]:
    """Make components of one center; their ids by type and alias."""
    if not rows:
        return {}
    now = clock.now()
    shared = {"received_at": now, "updated_at": now, "status": "", "published_at": None}
    db.session.connection().execute(insert(Component), [shared | row for row in rows])
    aliases: dict[str, list[str]] = {}
    for row in rows:
        aliases.setdefault(row["type"], []).append(row["alias"])
    ids: dict[tuple[str, str], int] = {}
    for kind, listed in aliases.items():
        for part in portions(listed):
            query = select(Component.id, Component.alias).where(
                Component.center_id == rows[0]["center_id"],
                Component.type == kind,
                Component.status != "withdrawn",
                Component.alias.in_(part),
            )
            ids |= {(kind, row.alias): row.id for row in db.session.connection().execute(query)}
    return ids


_CHANGED = ("comment", "title", "sent", "xml", "md5", "accession")
_NEW: dict[str, object] = {name: bindparam(f"new_{name}") for name in _CHANGED}


def _new_values(row: Columns) -> Columns:
    return {f"new_{name}": row[name] for name in _CHANGED}


def change(rows: list[Columns]) -> None:
    """Write what components say anew, by `row`: their id. Their states stand."""
    if rows:
        statement = update(Component).where(Component.id == bindparam("row")).values(updated_at=clock.now(), **_NEW)
        db.session.connection().execute(statement, [{"row": row["row"]} | _new_values(row) for row in rows])


def receive(rows: list[Columns]) -> None:
    """A new version of components came, by `row`: their id."""
    parameters = [{"id": row["row"]} | _new_values(row) for row in rows]
    transitions.transition_each(Component, "receive", parameters, updated_at=clock.now(), **_NEW)


def refuse(rows: list[Columns]) -> None:
    """A new version cannot be loaded, by `id`: what came is kept, the last good one stands."""
    transitions.transition_each(Component, "refuse", rows, comment=bindparam("why"), sent=bindparam("what"))


def refer(pairs: dict[int, set[int]], *, fresh: bool = False) -> None:
    """What each component refers to, and nothing else. `fresh` ones referred to nothing before."""
    _pair(ComponentRef, "ref_id", pairs, fresh)


def name_files(pairs: dict[int, set[int]], *, fresh: bool = False) -> None:
    """Which files each component names, and no others."""
    _pair(ComponentFile, "file_id", pairs, fresh)


def _pair(
    model: type[ComponentRef] | type[ComponentFile], column: str, pairs: dict[int, set[int]], fresh: bool
) -> None:
    for part in portions(() if fresh else pairs):
        db.change(delete(model).where(model.component_id.in_(part)))
    rows = [{"component_id": component_id, column: other} for component_id, others in pairs.items() for other in others]
    if rows:
        db.session.connection().execute(insert(model), rows)


def recompute_states(dataset: Dataset) -> None:
    """The one place that says how components stand: loaded once all data they lead to are archived, until they are
    withdrawn. Also of those in other datasets that this one refers to. Red ones stay red until they are sent anew."""
    db.session.flush()
    mine = select(Component.id).where(Component.dataset_id == dataset.id)
    theirs = select(ComponentRef.ref_id).where(ComponentRef.component_id.in_(mine))
    further = select(ComponentRef.ref_id).where(ComponentRef.component_id.in_(theirs))
    not_withdrawn = exists().where(Dataset.id == Component.dataset_id, Dataset.state != states.WITHDRAWN)
    changed = 0
    for kinds, loaded in (
        (("RUN", "ANALYSIS"), _by_files()),
        (("EXPERIMENT",), _by_referrers()),
        (("SAMPLE",), _by_referrers()),
        (("STUDY",), _by_referrers()),
        (("SUBMISSION",), _by_dataset()),
    ):
        whole = and_(loaded, Component.status != "withdrawn", not_withdrawn)
        concerned = or_(Component.dataset_id == dataset.id, Component.id.in_(theirs), Component.id.in_(further))
        moves = {"load": whole, "unload": not_(whole)}
        changed += transitions.transition_all(Component, moves, Component.type.in_(kinds), concerned)
    if changed:  # pages that look on see that something moved
        history.record("component_states", actor=None, dataset=dataset, after={"changed": changed})
    if dataset.released_at and dataset.state == states.RELEASED:
        unpublished = or_(Component.published_at.is_(None), Component.published_at < dataset.released_at)
        db.change(
            update(Component)
            .where(Component.dataset_id == dataset.id, unpublished)
            .values(published_at=dataset.released_at)
        )
    db.session.expire_all()


def _by_files() -> ColumnElement[bool]:
    named = (
        select(ComponentFile.file_id)
        .join(File, File.id == ComponentFile.file_id)
        .where(ComponentFile.component_id == Component.id, File.state.not_in(states.DEAD_FILES))
        .correlate(Component)
    )
    return and_(exists(named), ~exists(named.where(File.state != states.ARCHIVED)))


def _by_referrers() -> ColumnElement[bool]:
    referring = (
        select(_REFERRER.id)
        .join(ComponentRef, ComponentRef.component_id == _REFERRER.id)
        .where(
            ComponentRef.ref_id == Component.id,
            _REFERRER.status != "withdrawn",
            _REFERRER.state != states.ERROR,
            _REFERRER.type.in_(("EXPERIMENT", "RUN", "ANALYSIS")),
        )
        .correlate(Component)
    )
    return and_(exists(referring), ~exists(referring.where(_REFERRER.state != states.LOADED)))


def _by_dataset() -> ColumnElement[bool]:
    living = (
        select(File.id)
        .where(File.dataset_id == Component.dataset_id, File.state.not_in(states.DEAD_FILES))
        .correlate(Component)
    )
    return and_(exists(living), ~exists(living.where(File.state != states.ARCHIVED)))
