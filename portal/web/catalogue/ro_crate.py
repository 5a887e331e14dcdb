"""A released dataset as RO-Crate 1.1: what it is, who made it, and where each of its files is had."""

import json
from typing import Any

from flask import Blueprint, Response

from portal.config import settings
from portal.models import Dataset
from portal.queries.catalogue import released_datasets as released
from portal.web import addresses
from portal.web.catalogue import citation

bp = Blueprint("ro_crate", __name__)
CRATE = "https://w3id.org/ro/crate/1.1"
MOST_FILES = 10_000
COPIED = (
    "identifier",
    "name",
    "description",
    "url",
    "datePublished",
    "dateModified",
    "keywords",
    "isAccessibleForFree",
    "conditionsOfAccess",
    "citation",
)


@bp.get("/datasets/<ref>/ro-crate-metadata.json")
def metadata(ref: str) -> Response:
    body = json.dumps(document(citation.public_dataset(ref)), ensure_ascii=False, indent=1)
    return Response(body, mimetype="application/ld+json")


def document(dataset: Dataset) -> dict[str, Any]:
    metadata = citation.document(dataset)
    maker, center, site = "#creator", "#center", "#publisher"
    files = parts(dataset) if dataset.access == "open" else []
    root: dict[str, Any] = {name: metadata[name] for name in COPIED if name in metadata}
    root |= {
        "@id": "./",
        "@type": "Dataset",
        "creator": {"@id": maker},
        "publisher": {"@id": site},
        "hasPart": [{"@id": file["@id"]} for file in files],
    }
    if files:
        root["distribution"] = {"@id": addresses.outside("catalogue.zip_download.whole", ref=dataset.accession)}
    return {
        "@context": f"{CRATE}/context",
        "@graph": [
            {
                "@id": "ro-crate-metadata.json",
                "@type": "CreativeWork",
                "conformsTo": {"@id": CRATE},
                "about": {"@id": "./"},
            },
            root,
            {"@id": maker, "@type": "Person", "name": citation.who(dataset), "affiliation": {"@id": center}},
            {"@id": center, "@type": "Organization", "name": dataset.center.name},
            {
                "@id": site,
                "@type": "Organization",
                "name": settings().site_name,
                "url": addresses.outside("catalogue.home"),
            },
            *([whole(dataset)] if files else []),
            *files,
        ],
    }


def whole(dataset: Dataset) -> dict[str, Any]:
    """Everything in one; a dataset of very many files names the first of them, and this has all."""
    url = addresses.outside("catalogue.zip_download.whole", ref=dataset.accession)
    return {
        "@id": url,
        "@type": "DataDownload",
        "contentUrl": url,
        "encodingFormat": "application/zip",
        "name": f"{dataset.accession}.zip",
    }


def parts(dataset: Dataset) -> list[dict[str, Any]]:
    return [
        {
            "@id": addresses.outside("catalogue.download.file", ref=dataset.accession, name=file.name),
            "@type": "File",
            "name": file.name,
            "contentSize": str(file.size),
            "sha256": file.sha256,
            "encodingFormat": "application/octet-stream",
        }
        for file in released.packed(dataset, 0)[:MOST_FILES]
    ]
