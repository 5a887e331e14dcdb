"""A released dataset in the metadata of DataCite, schema 4, as JSON and as XML: for whoever registers a DOI for it, and
for harvesters. The accession stays its own name; its address is the identifier."""

import json
from typing import Any

from flask import Blueprint, Response
from lxml import etree

from portal import clock
from portal.config import settings
from portal.domain.datasets import publications
from portal.models import Dataset
from portal.queries.catalogue import released_datasets as released
from portal.web import formats
from portal.web.catalogue import citation

bp = Blueprint("datacite", __name__)
KERNEL = "http://datacite.org/schema/kernel-4"
SCHEMA = f"{KERNEL} https://schema.datacite.org/meta/kernel-4.6/metadata.xsd"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
JSON_TYPE, XML_TYPE = (f"application/vnd.datacite.datacite+{form}" for form in ("json", "xml"))
NO_XML = {0xFFFE: None, 0xFFFF: None}  # what a line of text may hold and XML may not
TAXONOMY = "https://www.ncbi.nlm.nih.gov/taxonomy"
RIGHTS = {
    "open": ("open access", "http://purl.org/coar/access_right/c_abf2"),
    "controlled": ("restricted access", "http://purl.org/coar/access_right/c_16ec"),
}


@bp.get("/datasets/<ref>/datacite.json")
def as_json(ref: str) -> Response:
    dataset = citation.public_dataset(ref)
    return sent(json.dumps(document(dataset), ensure_ascii=False, indent=2).encode(), JSON_TYPE, f"{ref}.datacite.json")


@bp.get("/datasets/<ref>/datacite.xml")
def as_xml(ref: str) -> Response:
    root = element(document(citation.public_dataset(ref)))
    text = etree.tostring(root, encoding="UTF-8", xml_declaration=True, pretty_print=True)
    return sent(text, XML_TYPE, f"{ref}.datacite.xml")


def sent(body: bytes, mimetype: str, name: str) -> Response:
    answer = Response(body, mimetype=mimetype)
    answer.headers.set("Content-Disposition", "attachment", filename=name)
    return answer


def document(dataset: Dataset) -> dict[str, Any]:
    """The properties of the schema, under the names of its JSON form."""
    total = released.sums([dataset]).get(dataset.id, released.Sum())
    rights, rights_uri = RIGHTS[dataset.access]
    return {
        "schemaVersion": KERNEL,
        "identifiers": [{"identifier": citation.address(dataset), "identifierType": "URL"}],
        "creators": [person(citation.who(dataset), dataset)],
        "titles": [{"title": dataset.title}],
        "publisher": {"name": settings().site_name},
        "publicationYear": citation.year(dataset),
        "types": {"resourceTypeGeneral": "Dataset", "resourceType": dataset.data_type or "Omics data"},
        "subjects": subjects(dataset),
        "contributors": contributors(dataset),
        "dates": dates(dataset),
        "alternateIdentifiers": [
            {"alternateIdentifier": dataset.accession, "alternateIdentifierType": f"{settings().site_name} accession"}
        ],
        "relatedIdentifiers": [
            {"relatedIdentifier": paper.value, "relatedIdentifierType": paper.kind.upper(), "relationType": "IsCitedBy"}
            for paper in publications.of(dataset)
        ],
        "sizes": [formats.plural(total.files, "file"), f"{total.size} bytes"],
        "version": str(dataset.approved_version or dataset.version),
        "rightsList": [{"rights": rights, "rightsUri": rights_uri}],
        "descriptions": [{"description": dataset.description, "descriptionType": "Abstract"}],
    }


def person(name: str, dataset: Dataset) -> dict[str, Any]:
    return {"name": name, "nameType": "Personal", "affiliation": [{"name": dataset.center.name}]}


def contributors(dataset: Dataset) -> list[dict[str, Any]]:
    """Who sent it, where that is somebody else than who made it."""
    submitter = dataset.submitter
    if submitter == citation.who(dataset):
        return []
    return [person(submitter, dataset) | {"contributorType": "DataManager"}]


def subjects(dataset: Dataset) -> list[dict[str, str]]:
    species = {"subject": dataset.species}
    if dataset.taxon_id:
        species |= {
            "subjectScheme": "NCBI Taxonomy",
            "schemeUri": TAXONOMY,
            "valueUri": f"{TAXONOMY}/{dataset.taxon_id}",
        }
    return [subject for subject in (species, {"subject": dataset.data_type}) if subject["subject"]]


def dates(dataset: Dataset) -> list[dict[str, str]]:
    zone, values = settings().timezone, [{"date": citation.published(dataset), "dateType": "Issued"}]
    for moment, kind in ((dataset.first_submitted_at, "Submitted"), (dataset.updated_at, "Updated")):
        if moment:
            values.append({"date": clock.day_of(moment, zone).isoformat(), "dateType": kind})
    return values


def element(metadata: dict[str, Any]) -> etree._Element:
    """The same as XML."""
    root = etree.Element(f"{{{KERNEL}}}resource", nsmap={None: KERNEL, "xsi": XSI})
    root.set(f"{{{XSI}}}schemaLocation", SCHEMA)
    (identifier,), types = metadata["identifiers"], metadata["types"]
    add(root, "identifier", identifier["identifier"], identifierType=identifier["identifierType"])
    people(add(root, "creators"), "creator", metadata["creators"])
    rows(root, "titles", "title", metadata["titles"])
    add(root, "publisher", metadata["publisher"]["name"])
    add(root, "publicationYear", metadata["publicationYear"])
    add(root, "resourceType", types["resourceType"], resourceTypeGeneral=types["resourceTypeGeneral"])
    rows(root, "subjects", "subject", metadata["subjects"])
    people(add(root, "contributors"), "contributor", metadata["contributors"])
    rows(root, "dates", "date", metadata["dates"])
    rows(root, "alternateIdentifiers", "alternateIdentifier", metadata["alternateIdentifiers"])
    rows(root, "relatedIdentifiers", "relatedIdentifier", metadata["relatedIdentifiers"])
    rows(root, "sizes", "size", [{"size": size} for size in metadata["sizes"]])
    add(root, "version", metadata["version"])
    rows(root, "rightsList", "rights", metadata["rightsList"])
    rows(root, "descriptions", "description", metadata["descriptions"])
    return root


def rows(root: etree._Element, group: str, name: str, values: list[dict[str, str]]) -> None:
    """A group of elements: their text under their own name, the rest as attributes (which spell URI)."""
    parent = add(root, group)
    for row in values:
        words = {key.replace("Uri", "URI"): value for key, value in row.items() if key != name}
        add(parent, name, row[name], **words)


def people(parent: etree._Element, name: str, persons: list[dict[str, Any]]) -> None:
    for row in persons:
        more = {"contributorType": row["contributorType"]} if "contributorType" in row else {}
        person = add(parent, name, **more)
        add(person, f"{name}Name", row["name"], nameType=row["nameType"])
        for affiliation in row["affiliation"]:
            add(person, "affiliation", affiliation["name"])


def add(parent: etree._Element, name: str, text: str | None = None, **words: str) -> etree._Element:
    child = etree.SubElement(parent, f"{{{KERNEL}}}{name}", words)
    child.text = text.translate(NO_XML) if text else text
    return child
