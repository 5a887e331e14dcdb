"""How a released dataset is cited and found by machines: a line, BibTeX, schema.org JSON-LD, FAIR Signposting."""

import re
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, Response, jsonify

from portal import clock, errors
from portal.config import settings
from portal.domain.datasets import publications
from portal.domain.permissions import active_grants
from portal.messages import say
from portal.models import Dataset
from portal.queries.catalogue import released_datasets as released
from portal.web import addresses
from portal.web.permissions import dataset_or_404

bp = Blueprint("citation", __name__)
# A description names so many files one by one; its distribution leads to all.
MOST_PARTS = 100
SPECIAL = re.compile(r"([\\{}$&#%_^~])")


def published(dataset: Dataset) -> str:
    """The day on which it opened, in the zone of the site; it may have been planned for another."""
    return clock.day_of(dataset.released_at or clock.now(), settings().timezone).isoformat()


def public_dataset(ref: str) -> Dataset:
    dataset = dataset_or_404(ref)
    if dataset.state not in active_grants.PUBLIC:
        raise errors.NotFound(say("cite_not_released", "It can be cited once it is released."))
    return dataset


def address(dataset: Dataset) -> str:
    return addresses.outside("catalogue.short", accession=dataset.accession)


def who(dataset: Dataset) -> str:
    return dataset.investigator or dataset.submitter


def year(dataset: Dataset) -> str:
    return published(dataset)[:4]


def line(dataset: Dataset) -> str:
    when = f" ({year(dataset)})" if year(dataset) else ""
    where = f" {address(dataset)}" if dataset.accession else ""
    return f"{who(dataset)}{when}. {dataset.title}. {settings().site_name}, {dataset.accession}.{where}"


@bp.get("/datasets/<ref>/cite.bib")
def bibtex(ref: str) -> Response:
    """One @misc entry; BibLaTeX reads it as well."""
    dataset = public_dataset(ref)
    fields = {
        "author": who(dataset),
        "title": dataset.title,
        "year": year(dataset),
        "publisher": settings().site_name,
        "note": f"Accession {dataset.accession}",
        "howpublished": f"\\url{{{address(dataset)}}}",
    }
    lines = [
        f"  {name} = {{{{{text(value)}}}}}" if name in ("author", "title") else f"  {name} = {{{value}}}"
        for name, value in fields.items()
        if value
    ]
    entry = f"@misc{{{dataset.accession},\n" + ",\n".join(lines) + "\n}\n"
    answer = Response(entry, mimetype="application/x-bibtex")
    answer.headers["Content-Disposition"] = f'attachment; filename="{dataset.accession}.bib"'
    return answer


def text(value: str) -> str:
    """Characters that mean something to TeX."""
    named = {"\\": r"\textbackslash{}", "^": r"\^{}", "~": r"\~{}"}
    return SPECIAL.sub(lambda match: named.get(match[1], "\\" + match[1]), value)


@bp.get("/datasets/<ref>/metadata.jsonld")
def metadata(ref: str) -> Response:
    answer = jsonify(document(public_dataset(ref)))
    answer.mimetype = "application/ld+json"
    return answer


def document(dataset: Dataset) -> dict[str, Any]:
    """schema.org Dataset, as dataset search engines read it."""
    url, total = address(dataset), released.sums([dataset]).get(dataset.id, released.Sum())
    is_open = dataset.access == "open"
    metadata: dict[str, Any] = {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "@id": url,
        "url": url,
        "identifier": dataset.accession,
        "name": dataset.title,
        "description": dataset.description,
        "creator": {"@type": "Person", "name": who(dataset), "affiliation": organisation(dataset.center.name)},
        "publisher": organisation(settings().site_name),
        "includedInDataCatalog": {
            "@type": "DataCatalog",
            "name": settings().site_name,
            "url": addresses.outside("catalogue.home"),
        },
        "datePublished": published(dataset),
        "dateModified": datetime.fromtimestamp(dataset.updated_at / 1000, UTC).date().isoformat(),
        "keywords": [word for word in (dataset.species, dataset.data_type) if word],
        "isAccessibleForFree": is_open,
        "size": f"{total.size} bytes",
    }
    papers = [publications.address(paper) for paper in publications.of(dataset)]
    if papers:
        metadata["citation"] = papers
    if is_open and total.files:
        metadata["distribution"] = distribution(dataset)
    elif not is_open:
        metadata["conditionsOfAccess"] = "Controlled access: ask on the page of the dataset."
    return metadata


def organisation(name: str) -> dict[str, str]:
    return {"@type": "Organization", "name": name}


def distribution(dataset: Dataset) -> list[dict[str, Any]]:
    """The whole as a zip, and the first files one by one."""
    files = released.packed(dataset, 0)[:MOST_PARTS]
    whole = {
        "@type": "DataDownload",
        "name": f"{dataset.accession}.zip",
        "encodingFormat": "application/zip",
        "contentUrl": addresses.outside("catalogue.zip_download.whole", ref=dataset.accession),
    }
    return [whole] + [
        {
            "@type": "DataDownload",
            "name": file.name,
            "contentSize": f"{file.size} B",
            "sha256": file.sha256,
            "encodingFormat": "application/octet-stream",
            "contentUrl": addresses.outside("catalogue.download.file", ref=dataset.accession, name=file.name),
        }
        for file in files
    ]


def signposts(dataset: Dataset) -> str:
    """The Link header of the landing page (FAIR Signposting, level 1)."""

    def at(endpoint: str) -> str:
        return addresses.outside(endpoint, ref=dataset.accession)

    links = [
        f'<{address(dataset)}>; rel="cite-as"',
        '<https://schema.org/Dataset>; rel="type"',
        f'<{at("catalogue.citation.metadata")}>; rel="describedby"; type="application/ld+json"',
        f'<{at("catalogue.citation.bibtex")}>; rel="describedby"; type="application/x-bibtex"',
        *(
            f'<{at(f"catalogue.datacite.as_{form}")}>; rel="describedby"; '
            f'type="application/vnd.datacite.datacite+{form}"'
            for form in ("xml", "json")
        ),
        f'<{at("catalogue.ro_crate.metadata")}>; rel="describedby"; type="application/ld+json"; '
        'profile="https://w3id.org/ro/crate"',
    ]
    if dataset.access == "open":
        links.append(f'<{at("catalogue.zip_download.whole")}>; rel="item"; type="application/zip"')
    return ", ".join(links)
