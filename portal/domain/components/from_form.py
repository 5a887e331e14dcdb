"""Components of what was typed into forms: one STUDY, one SAMPLE, one ANALYSIS a file; their XML follows each edit.

A text typed over one that came as XML is patched into it, and what else stands there is kept.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from xml.sax.saxutils import escape

from lxml import etree
from sqlalchemy import Select, exists, or_, select, update
from sqlalchemy.orm import aliased

from portal import clock, db, states
from portal.config import settings
from portal.domain.components import components, metadata_objects, xml_documents
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
# Where a title and an abstract are said, the first place first.
TITLES = (("SUBMISSION", "TITLE"), ("STUDY", metadata_objects.TITLES["STUDY"]))
ABSTRACTS = tuple(("STUDY", path) for path in metadata_objects.ABSTRACTS["STUDY"])


@dataclass
class Wanted:
    """A component that should be; `row` is the one that is, `file` what an ANALYSIS names."""

    type: str
    alias: str
    title: str
    inside: str
    row: Any = None
    file: Any = None
    accession: str = ""
    xml: bytes = b""
    md5: str = ""


@dataclass
class Plan:
    """What a dataset's components should be, beside those that came as XML."""

    dataset: Dataset
    center: str
    wanted: list[Wanted] = field(default_factory=list)
    gone: list[int] = field(default_factory=list)
    patched: list[dict[str, Any]] = field(default_factory=list)
    began: int = 0


def plan(dataset: Dataset) -> Plan:
    """Look at what is there and what should be. Of the files only those that changed since the last time, unless the
    STUDY or SAMPLE that they refer to is another one now."""
    found = Plan(dataset, dataset.center.name, began=clock.now())
    few = ("SUBMISSION", "STUDY", "SAMPLE")
    sent = set(
        db.session.scalars(select(Component.type).where(*_living(dataset, "xml"), Component.type.in_(few)).distinct())
    )
    rows = db.session.execute(select(*FACTS).where(*_living(dataset, "form"), Component.type.in_(few)))
    mine = {row.type: row for row in rows}
    alias = dataset.accession or ""
    if "SUBMISSION" not in sent:
        found.wanted.append(Wanted("SUBMISSION", alias, dataset.title, _title(dataset.title)))
    if db.session.scalar(_files(dataset).with_only_columns(File.id).limit(1)):
        found.wanted += [
            Wanted(kind, alias, title, inside)
            for kind, title, inside in (
                ("STUDY", dataset.title, _study(dataset)),
                ("SAMPLE", dataset.species, _sample(dataset)),
            )
            if kind not in sent
        ]
    for one in found.wanted:
        one.row = mine.get(one.type)
        one.accession = alias if one.type == "SUBMISSION" else one.row.accession if one.row else ""
    kept = {one.type for one in found.wanted}
    found.gone = [row.id for kind, row in mine.items() if kind not in kept]
    anew = bool(found.gone) or any(one.row is None for one in found.wanted)
    found.wanted += _analyses(dataset, since=0 if anew else _last(dataset))
    found.gone += list(db.session.scalars(_idle(dataset)))
    found.patched = _patches(dataset)
    return found


def _living(dataset: Dataset, origin: str) -> tuple:
    return Component.dataset_id == dataset.id, Component.origin == origin, Component.status != "withdrawn"


def _named(origin: str) -> Any:
    """Whether a RUN or ANALYSIS of this origin names a file."""
    return exists().where(
        ComponentFile.file_id == File.id,
        Component.id == ComponentFile.component_id,
        Component.origin == origin,
        Component.status != "withdrawn",
    )


def _files(dataset: Dataset) -> Select:
    """The living files that no RUN or ANALYSIS from outside names."""
    return select(*FIELDS).where(File.dataset_id == dataset.id, File.state.not_in(states.DEAD_FILES), ~_named("xml"))


def _analyses(dataset: Dataset, *, since: int) -> list[Wanted]:
    """One for each file that changed, or that has none yet."""
    query = _files(dataset).where(or_(File.updated_at >= since, ~_named("form"))).order_by(File.n)
    files = db.session.execute(query).all()
    aliases = {accessions.of_file(dataset.accession, one.n): one for one in files}
    rows = components.by_alias(dataset.center_id, "ANALYSIS", aliases)
    return [
        Wanted(
            "ANALYSIS",
            alias,
            one.title or one.name,
            "",
            rows.get(alias),
            one,
            rows[alias].accession if alias in rows else "",
        )
        for alias, one in aliases.items()
    ]


def _idle(dataset: Dataset) -> Select:
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
    """When all was looked at last."""
    return db.session.scalar(select(Counter.next).where(Counter.name == f"mirrored:{dataset.id}")) or 0


def reserve(found: Plan) -> None:
    """Accessions for what is new. Needs a transaction."""
    for kind in metadata_objects.LETTERS:
        fresh = [one for one in found.wanted if one.type == kind and not one.accession]
        if fresh:
            taken = accessions.block(settings().prefix + metadata_objects.LETTERS[kind], len(fresh))
            for one, accession in zip(fresh, taken, strict=True):
                one.accession = accession


def compose(found: Plan) -> None:
    """The texts and digests, canonical as they are written."""
    refs = "".join(_reference(found, kind) for kind in ("STUDY", "SAMPLE"))
    for one in found.wanted:
        if one.file is not None:
            one.inside = _analysis(one.file, refs)
        head = "".join(
            f' {name}="{_quoted(value)}"'
            for name, value in (("alias", one.alias), ("accession", one.accession), ("center_name", found.center))
        )
        one.xml = (f"<{one.type}{head}>{one.inside}</{one.type}>" if one.inside else f"<{one.type}{head}/>").encode()
        one.md5 = xml_documents.md5(one.xml)


def _reference(found: Plan, kind: str) -> str:
    """To the STUDY or SAMPLE of the dataset: typed, or the only one that was sent."""
    mine = next((one.accession for one in found.wanted if one.type == kind), None)
    if mine is None:
        query = select(Component.accession).where(
            Component.dataset_id == found.dataset.id,
            Component.type == kind,
            Component.accession.is_not(None),
            Component.status == "",
        )
        sent = list(db.session.scalars(query.order_by(Component.id).limit(2)))
        mine = sent[0] if len(sent) == 1 else None
    return f'<{kind}_REF accession="{mine}"/>' if mine else ""


def _title(text: str) -> str:
    return f"<TITLE>{_text(text)}</TITLE>" if text else ""


def _text(text: str) -> str:
    return escape(xml_documents.CONTROLS.sub("", text))


def _quoted(text: str) -> str:
    return escape(xml_documents.CONTROLS.sub("", text), {'"': "&quot;"})


def _study(dataset: Dataset) -> str:
    told = f"<STUDY_TITLE>{_text(dataset.title)}</STUDY_TITLE>" if dataset.title else ""
    told += '<STUDY_TYPE existing_study_type="Other"/>'
    told += f"<STUDY_ABSTRACT>{_text(dataset.description)}</STUDY_ABSTRACT>" if dataset.description else ""
    link = (
        f"<STUDY_LINKS><STUDY_LINK><XREF_LINK><DB>BioProject</DB><ID>{_text(dataset.bioproject)}</ID></XREF_LINK>"
        "</STUDY_LINK></STUDY_LINKS>"
        if dataset.bioproject
        else ""
    )
    return f"<DESCRIPTOR>{told}</DESCRIPTOR>{link}"


def _sample(dataset: Dataset) -> str:
    number = f"<TAXON_ID>{dataset.taxon_id}</TAXON_ID>" if dataset.taxon_id else ""
    name = f"<SCIENTIFIC_NAME>{_text(dataset.species)}</SCIENTIFIC_NAME>" if dataset.species else ""
    return _title(dataset.species) + (f"<SAMPLE_NAME>{number}{name}</SAMPLE_NAME>" if number or name else "")


def _analysis(file: Any, refs: str) -> str:
    digest = file.md5 or file.declared_md5
    told = f' checksum_method="MD5" checksum="{digest}"' if digest else ""
    facts = (("data type", file.data_type), (f"number of {file.unit}", "" if file.samples is None else file.samples))
    more = "".join(
        f"<ANALYSIS_ATTRIBUTE><TAG>{tag}</TAG><VALUE>{_text(str(value))}</VALUE></ANALYSIS_ATTRIBUTE>"
        for tag, value in facts
        if value != ""
    )
    described = f"<DESCRIPTION>{_text(file.description)}</DESCRIPTION>" if file.description else ""
    listed = f'<FILES><FILE filename="{_quoted(file.name)}"{told}/></FILES>'
    return (
        _title(file.title or file.name)
        + refs
        + described
        + listed
        + (f"<ANALYSIS_ATTRIBUTES>{more}</ANALYSIS_ATTRIBUTES>" if more else "")
    )


def portions(found: Plan) -> Iterator[list[Wanted]]:
    """What is to be written, in portions that hold the write lock for a moment only. What stays is not among it."""
    changed = [one for one in found.wanted if one.row is None or one.row.md5 != one.md5]
    for start in range(0, len(changed), PORTION):
        yield changed[start : start + PORTION]


def write(found: Plan, part: list[Wanted]) -> None:
    """Make and change components in set-based statements."""
    dataset = found.dataset
    shared = {"state": states.RECEIVED, "comment": "", "sent": None}
    place = {"dataset_id": dataset.id, "center_id": dataset.center_id, "origin": "form"}
    fresh = [one for one in part if one.row is None]
    ids = components.add([shared | place | {"type": one.type, "alias": one.alias} | _values(one) for one in fresh])
    components.change(
        [shared | {"row": one.row.id, "state": one.row.state} | _values(one) for one in part if one.row is not None]
    )
    _lead(found, {one.file.id: ids[one.type, one.alias] for one in fresh if one.file is not None})


def close(found: Plan) -> None:
    """Patch what came as XML, withdraw what names nothing any more, and say how all stand."""
    components.change(found.patched)
    for part in components.portions(found.gone):
        db.change(update(Component).where(Component.id.in_(part)).values(status="withdrawn", updated_at=clock.now()))
    components.recompute_states(found.dataset)
    db.session.merge(Counter(name=f"mirrored:{found.dataset.id}", next=found.began))
    db.session.flush()


def _values(one: Wanted) -> dict[str, Any]:
    return {"title": one.title[:300], "xml": one.xml, "md5": one.md5, "accession": one.accession}


def _lead(found: Plan, fresh: dict[int, int]) -> None:
    """Each new ANALYSIS names its file and refers to the STUDY and SAMPLE of the dataset."""
    components.name_files({component_id: {file_id} for file_id, component_id in fresh.items()}, fresh=True)
    query = select(Component.id, Component.type).where(
        Component.dataset_id == found.dataset.id,
        Component.type.in_(("STUDY", "SAMPLE")),
        Component.status == "",
        Component.accession.is_not(None),
    )
    rows = list(db.session.execute(query))
    whole = {row.id for row in rows if len([one for one in rows if one.type == row.type]) == 1}
    components.refer({component_id: whole for component_id in fresh.values()}, fresh=True)


def _patches(dataset: Dataset) -> list[dict[str, Any]]:
    """Where the title or abstract that came as XML is no longer what the dataset says."""
    query = select(*FACTS).where(
        *_living(dataset, "xml"),
        Component.type.in_(("SUBMISSION", "STUDY")),
        Component.md5.is_not(None),
        Component.state != states.ERROR,
    )
    told = db.session.execute(query.limit(3)).all()
    if [row.type for row in told].count("STUDY") != 1:
        return []
    trees = {row.type: _tree(row.id) for row in told}
    touched = _patch(trees, TITLES, dataset.title) | _patch(trees, ABSTRACTS, dataset.description)
    return [_patched(row, trees[row.type]) for row in told if row.type in touched]


def _patch(trees: dict[str, Any], places: tuple[tuple[str, str], ...], value: str) -> set[str]:
    """Put a value where it was said first; the type of the component that changed by it."""
    for kind, path in places:
        found = trees[kind].find(path) if kind in trees else None
        if found is not None:
            said = xml_documents.text_of(trees[kind], path, longest=5000)
            if not value or said == " ".join(value.split()):
                return set()
            for child in list(found):
                found.remove(child)
            found.text = value
            return {kind}
    return set()


def _patched(row: Any, tree: etree._Element) -> dict[str, Any]:
    xml = xml_documents.canonical(tree)
    title = xml_documents.text_of(tree, metadata_objects.TITLES.get(row.type, "TITLE"), longest=300)
    return {
        "row": row.id,
        "state": row.state,
        "comment": "",
        "title": title,
        "sent": xml,
        "xml": xml,
        "md5": xml_documents.md5(xml),
        "accession": row.accession,
    }


def _tree(component_id: int) -> etree._Element:
    return xml_documents.parse(db.session.scalar(select(Component.xml).where(Component.id == component_id)) or b"")
