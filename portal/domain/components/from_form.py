"""Components of what was typed into forms: one STUDY, one SAMPLE, one ANALYSIS a file; their XML follows each edit.

form_xml.py has the texts; form_patches.py what is typed over a text that came as XML.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import ColumnElement, Row, Select, exists, or_, select, update
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.components import components, form_patches, form_xml, metadata_objects, xml_documents
from portal.domain.files import accessions
from portal.models import Component, ComponentFile, Counter, Dataset, File

FIELDS = (
    File.id,
    File.n,
    File.name,
    File.title,
    File.description,
    File.data_type,
    File.samples,
    File.unit,
    File.md5,
    File.declared_md5,
    File.updated_at,
)
FACTS = (
    Component.id,
    Component.type,
    Component.alias,
    Component.accession,
    Component.md5,
    Component.origin,
    Component.state,
    Component.updated_at,
)


PORTION = 5000
_OTHER, _OTHER_FILE = aliased(Component), aliased(ComponentFile)


@dataclass
class FormObject:
    """A component that should be; `row` is the one that is, `file` what an ANALYSIS names."""

    type: str
    alias: str
    title: str
    inside: str
    row: Row[*tuple[Any, ...]] | None = None
    file: Row[*tuple[Any, ...]] | None = None
    accession: str = ""
    xml: bytes = b""
    md5: str = ""


@dataclass
class Plan:
    """What a dataset's components should be, beside those that came as XML."""

    dataset: Dataset
    center: str
    objects: list[FormObject] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    patched: list[dict[str, object]] = field(default_factory=list)
    began: int = 0


def make_plan(dataset: Dataset) -> Plan:
    """Look at what is there and what should be. Of the files only those that changed since the last time, unless the
    STUDY or SAMPLE that they refer to is another one now."""
    plan = Plan(dataset, dataset.center.name, began=clock.now())
    few = ("SUBMISSION", "STUDY", "SAMPLE")
    sent = set(
        db.session.scalars(select(Component.type).where(*_living(dataset, "xml"), Component.type.in_(few)).distinct())
    )
    rows = db.session.execute(select(*FACTS).where(*_living(dataset, "form"), Component.type.in_(few)))
    mine = {row.type: row for row in rows}
    alias = dataset.accession or ""
    if "SUBMISSION" not in sent:
        plan.objects.append(FormObject("SUBMISSION", alias, dataset.title, form_xml.title(dataset.title)))
    if db.session.scalar(_files(dataset).with_only_columns(File.id).limit(1)):
        plan.objects += [
            FormObject(kind, alias, title, inside)
            for kind, title, inside in (
                ("STUDY", dataset.title, form_xml.study(dataset)),
                ("SAMPLE", dataset.species, form_xml.sample(dataset)),
            )
            if kind not in sent
        ]
    for form_object in plan.objects:
        form_object.row = mine.get(form_object.type)
        form_object.accession = (
            alias if form_object.type == "SUBMISSION" else form_object.row.accession if form_object.row else ""
        )
    kept = {form_object.type for form_object in plan.objects}
    plan.gone = [row.id for kind, row in mine.items() if kind not in kept]
    anew = bool(plan.gone) or any(form_object.row is None for form_object in plan.objects)
    plan.objects += _analyses(dataset, since=0 if anew else _last(dataset))
    plan.gone += list(db.session.scalars(_idle(dataset)))
    plan.patched = form_patches.of_dataset(dataset)
    return plan


def _living(dataset: Dataset, origin: str) -> tuple[ColumnElement[bool], ...]:
    return Component.dataset_id == dataset.id, Component.origin == origin, Component.status != "withdrawn"


def _named(origin: str) -> ColumnElement[bool]:
    """Whether a RUN or ANALYSIS of this origin names a file."""
    return exists().where(
        ComponentFile.file_id == File.id,
        Component.id == ComponentFile.component_id,
        Component.origin == origin,
        Component.status != "withdrawn",
    )


def _files(dataset: Dataset) -> Select[*tuple[Any, ...]]:
    """The living files that no RUN or ANALYSIS from outside names."""
    return select(*FIELDS).where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), ~_named("xml"))


def _analyses(dataset: Dataset, *, since: int) -> list[FormObject]:
    """One for each file that changed, or that has none yet."""
    query = _files(dataset).where(or_(File.updated_at >= since, ~_named("form"))).order_by(File.n)
    files = db.session.execute(query).all()
    aliases = {accessions.of_file(dataset.accession, file.n): file for file in files}
    rows = components.by_alias(dataset.center_id, "ANALYSIS", aliases)
    return [
        FormObject(
            "ANALYSIS",
            alias,
            file.title or file.name,
            "",
            rows.get(alias),
            file,
            rows[alias].accession if alias in rows else "",
        )
        for alias, file in aliases.items()
    ]


def _idle(dataset: Dataset) -> Select[*tuple[Any, ...]]:
    """Each ANALYSIS of a form whose file is gone, or is named by XML now."""
    useful = exists().where(
        ComponentFile.component_id == Component.id,
        File.id == ComponentFile.file_id,
        File.state.not_in(states.DEAD_FILES),
        ~exists().where(
            _OTHER_FILE.file_id == File.id,
            _OTHER.id == _OTHER_FILE.component_id,
            _OTHER.origin == "xml",
            _OTHER.status != "withdrawn",
        ),
    )
    return select(Component.id).where(*_living(dataset, "form"), Component.type == "ANALYSIS", ~useful)


def _last(dataset: Dataset) -> int:
    """When the components of a dataset were last written, in ms; 0 for never."""
    return db.session.scalar(select(Counter.next).where(Counter.name == f"mirrored:{dataset.id}")) or 0


def reserve(plan: Plan) -> None:
    """Accessions for what is new. Needs a transaction."""
    for kind in metadata_objects.LETTERS:
        fresh = [form_object for form_object in plan.objects if form_object.type == kind and not form_object.accession]
        if fresh:
            taken = accessions.block(settings().prefix + metadata_objects.LETTERS[kind], len(fresh))
            for form_object, accession in zip(fresh, taken, strict=True):
                form_object.accession = accession


def compose(plan: Plan) -> None:
    """Write the XML of each component, and its digest."""
    refs = "".join(_reference(plan, kind) for kind in ("STUDY", "SAMPLE"))
    for form_object in plan.objects:
        if form_object.file is not None:
            form_object.inside = form_xml.analysis(form_object.file, refs)
        attributes = {"alias": form_object.alias, "accession": form_object.accession, "center_name": plan.center}
        form_object.xml = form_xml.element(form_object.type, attributes, form_object.inside)
        form_object.md5 = xml_documents.md5(form_object.xml)


def _reference(plan: Plan, kind: str) -> str:
    """To the STUDY or SAMPLE of the dataset: typed, or the only one that was sent."""
    mine = next((form_object.accession for form_object in plan.objects if form_object.type == kind), None)
    if mine is None:
        query = select(Component.accession).where(
            Component.dataset_id == plan.dataset.id,
            Component.type == kind,
            Component.accession.is_not(None),
            Component.status == "",
        )
        sent = list(db.session.scalars(query.order_by(Component.id).limit(2)))
        mine = sent[0] if len(sent) == 1 else None
    return form_xml.reference(kind, mine)


def portions(plan: Plan) -> Iterator[list[FormObject]]:
    """What is to be written, in portions that hold the write lock for a moment only. What stays is not among it."""
    changed = [
        form_object for form_object in plan.objects if form_object.row is None or form_object.row.md5 != form_object.md5
    ]
    for start in range(0, len(changed), PORTION):
        yield changed[start : start + PORTION]


def write(plan: Plan, part: list[FormObject]) -> None:
    """Make and change components in set-based statements."""
    dataset = plan.dataset
    shared = {"state": states.RECEIVED, "comment": "", "sent": None}
    place = {"dataset_id": dataset.id, "center_id": dataset.center_id, "origin": "form"}
    fresh = [form_object for form_object in part if form_object.row is None]
    ids = components.add([shared | place | {"type": new.type, "alias": new.alias} | _values(new) for new in fresh])
    earlier = [form_object for form_object in part if form_object.row is not None]
    components.change([shared | {"row": old.row.id} | _values(old) for old in earlier if old.row is not None])
    _lead(plan, {new.file.id: ids[new.type, new.alias] for new in fresh if new.file is not None})


def close(plan: Plan) -> None:
    """Patch what came as XML, withdraw what names nothing any more, and say how all stand."""
    components.change(plan.patched)
    for part in components.portions(plan.gone):
        db.change(update(Component).where(Component.id.in_(part)).values(status="withdrawn", updated_at=clock.now()))
    components.recompute_states(plan.dataset)
    db.session.merge(Counter(name=f"mirrored:{plan.dataset.id}", next=plan.began))
    db.session.flush()


def _values(form_object: FormObject) -> dict[str, object]:
    return {
        "title": form_object.title[:300],
        "xml": form_object.xml,
        "md5": form_object.md5,
        "accession": form_object.accession,
    }


def _lead(plan: Plan, fresh: dict[int, int]) -> None:
    """Each new ANALYSIS names its file and refers to the STUDY and SAMPLE of the dataset."""
    components.name_files({component_id: {file_id} for file_id, component_id in fresh.items()}, fresh=True)
    query = select(Component.id, Component.type).where(
        Component.dataset_id == plan.dataset.id,
        Component.type.in_(("STUDY", "SAMPLE")),
        Component.status == "",
        Component.accession.is_not(None),
    )
    rows = list(db.session.execute(query))
    whole = {row.id for row in rows if len([other for other in rows if other.type == row.type]) == 1}
    components.refer({component_id: whole for component_id in fresh.values()}, fresh=True)
