"""What a bag says: its manifests and tag files, from the catalogue. The job of this name puts them on disk.

A bag is archive/<realm>/<accession>/ (RFC 8493); its payload lies at data/<file accession>/<name>.
"""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from lxml import etree
from sqlalchemy import func, or_, select
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.components import metadata_objects
from portal.domain.datasets import releases
from portal.domain.files import accessions
from portal.domain.shared import history, job_queue
from portal.domain.shared.job_queue import Lease
from portal.models import Component, Dataset, File, Publication

DECLARATION = b"BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n"
DATASET_FIELDS = (
    "accession",
    "title",
    "description",
    "species",
    "taxon_id",
    "investigator",
    "data_type",
    "bioproject",
    "filing_number",
    "human",
    "access",
    "realm",
    "release_date",
    "state",
    "version",
    "approved_version",
    "first_submitted_at",
    "submitted_at",
    "released_at",
    "release_wanted_at",
    "pending",
    "created_at",
    "updated_at",
    "recorded_submitter",
)
FILE_FIELDS = (
    "n",
    "name",
    "title",
    "description",
    "data_type",
    "samples",
    "unit",
    "declared_md5",
    "size",
    "md5",
    "sha256",
    "archive_path",
    "archived_at",
    "upload_id",
    "created_at",
    "updated_at",
)
OTHER_FIELDS = (*FILE_FIELDS, "state")
# Only to make the catalogue again from; not in the XML.
UNTOLD = (
    "accession",
    "pending",
    "release_wanted_at",
    "replaces",
    "generation",
    "written_at",
    "owner_id",
    "owner_state",
    "owner_center",
    "owner_center_id",
    "center_id",
)
PAPER_FIELDS = ("kind", "value", "title", "source", "at")
_HEIR, _FORMER = aliased(File), aliased(File)


@dataclass(frozen=True)
class Bag:
    """All tag files of a bag by name, in the order in which they are written, and the payload they name."""

    realm: str
    accession: str
    generation: int
    tags: dict[str, bytes]
    payload: frozenset[str]


def describe(dataset: Dataset) -> Bag:
    """The bag as the catalogue wants it now. Reads only."""
    files = archived(dataset)
    generation = dataset.bag_generation + 1
    catalogue = _catalogue(dataset, files, generation)
    tags = {
        "manifest-md5.txt": _lines(files, "md5"),
        "manifest-sha256.txt": _lines(files, "sha256"),
        "bagit.txt": DECLARATION,
        "metadata.json": text(catalogue | {"seal": seal(catalogue)}),
        "metadata.xml": _xml(catalogue),
        "bag-info.txt": _info(dataset, files, generation),
    }
    for name in ("md5", "sha256"):
        tags[f"tagmanifest-{name}.txt"] = _tag_lines(tags, name)
    assert dataset.accession
    paths = frozenset(file["archive_path"] for file in files)
    return Bag(dataset.realm, dataset.accession, generation, tags, paths)


def archived(dataset: Dataset) -> list[dict[str, Any]]:
    """The archived files that belong to a dataset, plain rows in order."""
    query = select(*(getattr(File, field) for field in FILE_FIELDS)).where(
        File.dataset_id == dataset.id, File.state == states.ARCHIVED, File.archive_path.is_not(None)
    )
    return [dict(row) for row in db.session.execute(query.order_by(File.n)).mappings()]


def text(catalogue: dict[str, object]) -> bytes:
    """What metadata.json holds."""
    return json.dumps(catalogue, indent=1, ensure_ascii=False, sort_keys=True).encode()


def seal(catalogue: dict[str, object]) -> str:
    """The digest by which metadata.json vouches for itself, whatever became of the files beside it."""
    return hashlib.sha256(text({key: value for key, value in catalogue.items() if key != "seal"})).hexdigest()


def _others(dataset: Dataset) -> list[dict[str, object]]:
    """The files of which the bag holds no bytes: they wait for them, or were removed or replaced."""
    query = (
        select(
            *(getattr(File, field) for field in OTHER_FIELDS), _HEIR.n.label("replaced_by"), _FORMER.n.label("replaces")
        )
        .outerjoin(_HEIR, _HEIR.id == File.replaced_by)
        .outerjoin(_FORMER, _FORMER.id == File.replaces_id)
        .where(File.dataset_id == dataset.id, or_(File.state != states.ARCHIVED, File.archive_path.is_(None)))
    )
    return [dict(row) for row in db.session.execute(query.order_by(File.n)).mappings()]


def _papers(dataset: Dataset) -> list[dict[str, object]]:
    query = select(*(getattr(Publication, field) for field in PAPER_FIELDS)).where(Publication.dataset_id == dataset.id)
    return [dict(row) for row in db.session.execute(query.order_by(Publication.id)).mappings()]


def _highest(dataset: Dataset) -> dict[str, str]:
    """The highest accession of each type of component, so that none is given twice even when keys/ is lost too."""
    numbers = {}
    for kind in metadata_objects.LETTERS:
        query = select(Component.accession).where(
            Component.dataset_id == dataset.id, Component.type == kind, Component.accession.is_not(None)
        )
        ordered = query.order_by(func.length(Component.accession).desc(), Component.accession.desc())
        highest = db.session.scalar(ordered.limit(1))
        if highest:
            numbers[kind] = highest
    return numbers


def _lines(files: list[dict[str, Any]], algorithm: str) -> bytes:
    return "".join(f"{file[algorithm]}  {file['archive_path']}\n" for file in files).encode()


def _tag_lines(tags: dict[str, bytes], algorithm: str) -> bytes:
    named = {name: body for name, body in tags.items() if not name.startswith("tagmanifest")}
    return "".join(f"{hashlib.new(algorithm, body).hexdigest()}  {name}\n" for name, body in named.items()).encode()


def _catalogue(dataset: Dataset, files: list[dict[str, Any]], generation: int) -> dict[str, Any]:
    content = {field: getattr(dataset, field) for field in DATASET_FIELDS}
    owner, center = dataset.account, dataset.center
    content |= {
        "owner": owner.email,
        "owner_name": owner.name,
        "owner_id": owner.id,
        "owner_state": owner.state,
        "owner_center": owner.center.name,
        "owner_center_id": owner.center_id,
        "center": center.name,
        "center_id": center.id,
    }
    earlier = db.session.get(Dataset, dataset.replaces_id) if dataset.replaces_id else None
    content |= {"replaces": earlier.accession if earlier else None, "generation": generation, "written_at": clock.now()}
    rows = [{"accession": accessions.of_file(dataset.accession, file["n"])} | file for file in files]
    return content | {
        "next_n": dataset.next_n,
        "files": rows,
        "others": _others(dataset),
        "papers": _papers(dataset),
        "components": _highest(dataset),
    }


def _xml(catalogue: dict[str, Any]) -> bytes:
    root = etree.Element("DATASET", accession=catalogue["accession"] or "")
    for field, value in catalogue.items():
        if field not in UNTOLD and value not in (None, "") and not isinstance(value, list | dict):
            etree.SubElement(root, field.upper()).text = str(value)
    listed = etree.SubElement(root, "FILES")
    for file in catalogue["files"]:
        row = etree.SubElement(listed, "FILE", accession=file["accession"])
        for field, value in file.items():
            if field != "accession" and value not in (None, ""):
                etree.SubElement(row, field.upper()).text = str(value)
    document: bytes = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return document


def _info(dataset: Dataset, files: list[dict[str, Any]], generation: int) -> bytes:
    fields = {
        "Source-Organization": dataset.center.name,
        "Contact-Name": dataset.account.name,
        "Contact-Email": dataset.account.email,
        "External-Identifier": dataset.accession or "",
        "External-Description": dataset.title,
        "Bagging-Date": clock.today(settings().timezone).isoformat(),
        "Payload-Oxum": f"{sum(file['size'] for file in files)}.{len(files)}",
        "Bag-Software-Agent": "omix-portal",
        "State": dataset.state,
        "Generation": str(generation),
    }
    return "".join(f"{label}: {' '.join(value.split())}\n" for label, value in fields.items() if value).encode()


def being_archived(dataset: Dataset) -> set[str]:
    """File accessions whose bytes may be on their way into the bag just now."""
    query = select(File.n).where(File.dataset_id == dataset.id, File.state == states.CHECKING)
    return {accessions.of_file(dataset.accession, n) for n in db.session.scalars(query)}


def written(dataset: Dataset, bag: Bag, lease: Lease) -> None:
    """The bag is on disk: clean, unless it was asked for again meanwhile. A release that waits looks again."""
    row = job_queue.check_lease(lease)
    dataset.bag_generation = bag.generation
    if not row.again:
        dataset.bag_dirty = False
    history.record("bag", actor=None, dataset=dataset, after={"generation": bag.generation, "files": len(bag.payload)})
    if releases.is_wanted(dataset):
        job_queue.enqueue("release", dataset_id=dataset.id, priority=3)
