"""Publications that name a dataset. A dataset opens when its paper is recorded or found (OMIX guide: "released when the
related publication is detected"), if it is approved; else as soon as it is."""

import re

from sqlalchemy import ColumnElement, exists, select

from portal import clock, db, errors, states
from portal.domain.files import files
from portal.domain.permissions import access
from portal.domain.shared import history, job_queue, text_rules
from portal.messages import say
from portal.models import Account, Dataset, Publication

DOI = re.compile(r"10\.\d{4,9}/[!-~]{1,200}")
PMID = re.compile(r"[1-9]\d{0,8}")
# Addresses people paste, and the words before a number.
BEFORE = re.compile(r"^(https?://(dx\.)?doi\.org/|https?://pubmed\.ncbi\.nlm\.nih\.gov/|doi:|pmid:?)\s*", re.IGNORECASE)


def parse(text: object) -> tuple[str, str]:
    """('doi' or 'pmid', its value) of what a person pastes. Raises Invalid."""
    value = BEFORE.sub("", str(text or "").strip()).rstrip("/").rstrip(".")
    if PMID.fullmatch(value):
        return "pmid", value
    if DOI.fullmatch(value):
        return "doi", value.lower()
    fault = "Give a DOI such as 10.1234/abc.2026.5, or the number of a PubMed entry."
    raise errors.Invalid(fields={"publication": say("publication_form", fault)})


def record(
    dataset: Dataset, text: object, *, actor: Account | None, title: str = "", source: str = "person"
) -> Publication:
    """Note that a paper names this dataset, and let it open. Harmless when it is known. `actor` None: watcher or list.

    Raises Invalid for what is neither DOI nor PMID, Conflict for a draft, Forbidden."""
    if actor is not None and not (access.is_owner(dataset, actor) or access.may_review(dataset, actor)):
        by = "Only the submitter of a dataset and curators may record its publication."
        raise errors.Forbidden(say("publication_by", by))
    if dataset.accession is None or dataset.state == states.WITHDRAWN:
        when = "A publication can be recorded once the dataset has its accession, from the first submit on."
        raise errors.Conflict(say("publication_too_early", when))
    kind, value = parse(text)
    recorded = db.session.scalar(
        select(Publication).where(
            Publication.dataset_id == dataset.id, Publication.kind == kind, Publication.value == value
        )
    )
    if recorded is not None:
        return recorded
    publication = Publication(
        dataset_id=dataset.id,
        kind=kind,
        value=value,
        title=text_rules.line(title, longest=300),
        source=source,
        added_by=actor.id if actor else None,
        at=clock.now(),
    )
    db.session.add(publication)
    db.session.flush()
    history.record("publication", actor=actor, dataset=dataset, after={"kind": kind, "value": value, "source": source})
    files.note_bag(dataset)
    if dataset.state == states.APPROVED:
        job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
    return publication


def would_open(dataset: Dataset, text: object) -> bool:
    """Whether recording it would open the dataset, now or once it is approved: it never opened, and no paper names it
    yet. Raises Invalid for what is neither DOI nor PMID."""
    parse(text)
    waiting = dataset.accession is not None and dataset.state != states.WITHDRAWN
    return waiting and dataset.released_at is None and not of(dataset)


def remove(dataset: Dataset, publication_id: int, *, actor: Account) -> None:
    """Take back what was recorded by mistake; a dataset that opened by it stays open."""
    if not (access.is_owner(dataset, actor) or access.may_review(dataset, actor)):
        text = "Only the submitter of a dataset and curators may change its publications."
        raise errors.Forbidden(say("publication_change_by", text))
    publication = db.session.get(Publication, publication_id)
    if publication is None or publication.dataset_id != dataset.id:
        raise errors.NotFound(say("publication_unknown", "There is no such publication."))
    history.record(
        "publication.remove",
        actor=actor,
        dataset=dataset,
        before={"kind": publication.kind, "value": publication.value},
    )
    db.session.delete(publication)
    db.session.flush()
    files.note_bag(dataset)


def of(dataset: Dataset) -> list[Publication]:
    """The publications of a dataset, in the order they were recorded."""
    return list(
        db.session.scalars(select(Publication).where(Publication.dataset_id == dataset.id).order_by(Publication.id))
    )


def address(publication: Publication) -> str:
    """Where the paper is read."""
    base = "https://doi.org/" if publication.kind == "doi" else "https://pubmed.ncbi.nlm.nih.gov/"
    return base + publication.value


def dataset_of(accession: str) -> Dataset:
    """The dataset a list names. Raises NotFound."""
    dataset = db.session.scalar(select(Dataset).where(Dataset.accession == accession.upper()))
    if dataset is None:
        raise errors.NotFound(say("dataset_unknown", "There is no dataset {accession!r}.", accession=accession))
    return dataset


def published() -> ColumnElement[bool]:
    """Condition: a publication names the dataset, and it never opened before. A dataset that a curator closed again is
    not opened by the paper that opened it first."""
    return Dataset.released_at.is_(None) & exists().where(Publication.dataset_id == Dataset.id)


def is_published(dataset: Dataset) -> bool:
    """Whether published() holds for a dataset."""
    query = select(Publication.id).where(Publication.dataset_id == dataset.id).limit(1)
    return dataset.released_at is None and db.session.scalar(query) is not None


def awaited(*, after: int, limit: int) -> list[Dataset]:
    """Datasets whose papers the publication watcher looks for: accessioned, never released, with no paper recorded."""
    waiting = (states.SUBMITTED, states.RETURNED, states.APPROVED)
    query = select(Dataset).where(
        Dataset.state.in_(waiting),
        Dataset.accession.is_not(None),
        Dataset.released_at.is_(None),
        Dataset.id > after,
        ~exists().where(Publication.dataset_id == Dataset.id),
    )
    return list(db.session.scalars(query.order_by(Dataset.id).limit(limit)))
