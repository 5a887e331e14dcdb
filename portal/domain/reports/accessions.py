"""The Accessions report: every metadata object of a center from the first submit on, or what of all is public."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, Select, exists, select

from portal import states
from portal.domain.permissions import access
from portal.domain.reports import tsv
from portal.models import Center, Component, Dataset

HEAD = (
    "accession",
    "submission",
    "status",
    "updated",
    "published",
    "received",
    "type",
    "center",
    "visibility",
    "alias",
    "md5sum",
)
VISIBILITY = {"open": "public", "controlled": "controlled"}
# A dataset without metadata of its own is listed behind all components.
DATASETS = 1 << 62


@dataclass(frozen=True, slots=True)
class Line:
    """One object. `key` rises; `shows` says whether its XML may be given out."""

    key: int
    component: int
    dataset: int
    accession: str
    submission: str
    status: str
    updated: str
    published: str
    received: str
    type: str
    center: str
    visibility: str
    alias: str
    md5: str
    shows: bool

    @property
    def facts(self) -> str:
        """What makes a difference besides the XML; the day of the last update does not."""
        return "\t".join(
            (
                self.accession,
                self.submission,
                self.status,
                self.published,
                self.received,
                self.type,
                self.center,
                self.visibility,
                self.alias,
            )
        )

    @property
    def text(self) -> str:
        return (
            "\t".join(
                (
                    self.accession,
                    self.submission,
                    self.status,
                    self.updated,
                    self.published,
                    self.received,
                    self.type,
                    self.center,
                    self.visibility,
                    self.alias,
                    self.md5,
                )
            )
            + "\n"
        )


def head() -> str:
    return "\t".join(HEAD) + "\n"


def status_of(own: str, dataset_state: str) -> str:
    """live, suppressed, unpublished, withdrawn: an object's own status where it has one, else its dataset's."""
    whole = states.STATUS[dataset_state]
    if own == "withdrawn":
        return own
    return whole if whole in ("unpublished", "withdrawn") else own or whole


def lines(center_id: int | None, *, since: int = 0) -> Iterator[Line]:
    """In the order in which they came. Without a center what is, or was, public of all; with `since` what changed."""
    days = tsv.Days()
    for query, column, made in (
        (_components(center_id, since), Component.id, _of_component),
        (_datasets(center_id, since), Dataset.id, _of_dataset),
    ):
        for rows in tsv.portions(query, column):
            for row in rows:
                yield made(row, days, public=center_id is None)


def _components(center_id: int | None, since: int) -> Select[*tuple[Any, ...]]:
    query = (
        select(
            Component.id,
            Component.dataset_id,
            Component.accession,
            Component.type,
            Component.alias,
            Component.md5,
            Component.status,
            Component.received_at,
            Component.updated_at,
            Component.published_at,
            Dataset.accession.label("submission"),
            Dataset.state,
            Dataset.access,
            Center.name,
        )
        .join(Dataset, Dataset.id == Component.dataset_id)
        .join(Center, Center.id == Component.center_id)
        .where(access.SUBMITTED, Dataset.accession.is_not(None), Component.accession.is_not(None))
    )
    if since:
        query = query.where((Component.updated_at >= since) | (Dataset.updated_at >= since))
    if center_id is not None:
        return query.where(Component.center_id == center_id)
    # What was cancelled on its own was so before anything of it was public.
    return query.where(
        Component.published_at.is_not(None), Dataset.released_at.is_not(None), Component.status != "withdrawn"
    )


def _datasets(center_id: int | None, since: int) -> Select[*tuple[Any, ...]]:
    """Datasets that have no XML: they are objects too."""
    described = exists().where(Component.dataset_id == Dataset.id, Component.type == "SUBMISSION")
    query = (
        select(
            Dataset.id,
            Dataset.accession,
            Dataset.state,
            Dataset.access,
            Dataset.first_submitted_at,
            Dataset.updated_at,
            Dataset.released_at,
            Dataset.created_at,
            Center.name,
        )
        .join(Center, Center.id == Dataset.center_id)
        .where(access.SUBMITTED, Dataset.accession.is_not(None), ~described)
    )
    if since:
        query = query.where(Dataset.updated_at >= since)
    if center_id is not None:
        return query.where(Dataset.center_id == center_id)
    return query.where(Dataset.released_at.is_not(None))


def _of_component(row: Row[*tuple[Any, ...]], days: tsv.Days, *, public: bool) -> Line:
    status = status_of(row.status, row.state)
    shows = status == "live" if public else status != "withdrawn"
    return Line(
        row.id,
        row.id,
        row.dataset_id,
        row.accession,
        row.submission,
        status,
        days(row.updated_at),
        "" if status == "unpublished" else days(row.published_at),
        days(row.received_at),
        row.type,
        tsv.cell(row.name),
        VISIBILITY[row.access],
        _alias(row.alias, status, public),
        row.md5 or "",
        shows and row.md5 is not None,
    )


def _of_dataset(row: Row[*tuple[Any, ...]], days: tsv.Days, *, public: bool) -> Line:
    status = states.STATUS[row.state]
    return Line(
        DATASETS + row.id,
        0,
        row.id,
        row.accession,
        row.accession,
        status,
        days(row.updated_at),
        "" if status == "unpublished" else days(row.released_at),
        days(row.first_submitted_at or row.created_at),
        "SUBMISSION",
        tsv.cell(row.name),
        VISIBILITY[row.access],
        "",
        "",
        False,
    )


def _alias(alias: str, status: str, public: bool) -> str:
    return "" if public and status == "withdrawn" else tsv.cell(alias)
