"""A title or abstract typed over one that came as XML is patched into that XML; what else stands there is kept."""

from typing import Any

from lxml import etree
from sqlalchemy import Row, select

from portal import db, states
from portal.domain.components import metadata_objects, xml_documents
from portal.models import Component, Dataset

# Where a title and an abstract are said, the first place first.
TITLES = (("SUBMISSION", "TITLE"), ("STUDY", metadata_objects.TITLES["STUDY"]))
ABSTRACTS = tuple(("STUDY", path) for path in metadata_objects.ABSTRACTS["STUDY"])


def of_dataset(dataset: Dataset) -> list[dict[str, object]]:
    """Changes, as components.change() takes them, of the XML whose title or abstract is no longer the dataset's."""
    query = select(Component.id, Component.type, Component.state, Component.accession).where(
        Component.dataset_id == dataset.id,
        Component.origin == "xml",
        Component.status != "withdrawn",
        Component.type.in_(("SUBMISSION", "STUDY")),
        Component.md5.is_not(None),
        Component.state != states.ERROR,
    )
    rows = db.session.execute(query.limit(3)).all()
    if [row.type for row in rows].count("STUDY") != 1:
        return []
    trees = {row.type: _tree(row.id) for row in rows}
    touched = _patch(trees, TITLES, dataset.title) | _patch(trees, ABSTRACTS, dataset.description)
    return [_patched(row, trees[row.type]) for row in rows if row.type in touched]


def _patch(trees: dict[str, etree._Element], places: tuple[tuple[str, str], ...], value: str) -> set[str]:
    """Put a value into the first of the places that is there. Returns the types of the components that it changed."""
    for kind, path in places:
        element = trees[kind].find(path) if kind in trees else None
        if element is not None:
            current = xml_documents.text_of(trees[kind], path, longest=5000)
            if not value or current == " ".join(value.split()):
                return set()
            for child in list(element):
                element.remove(child)
            element.text = value
            return {kind}
    return set()


def _patched(row: Row[*tuple[Any, ...]], tree: etree._Element) -> dict[str, Any]:
    xml = xml_documents.canonical(tree)
    title = xml_documents.text_of(tree, metadata_objects.TITLES.get(row.type, "TITLE"), longest=300)
    return {
        "row": row.id,
        "comment": "",
        "title": title,
        "sent": xml,
        "xml": xml,
        "md5": xml_documents.md5(xml),
        "accession": row.accession,
    }


def _tree(component_id: int) -> etree._Element:
    return xml_documents.parse(db.session.scalar(select(Component.xml).where(Component.id == component_id)) or b"")
