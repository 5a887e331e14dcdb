"""Who gets what from the public pages, downloads and help, by the state of a dataset."""

import hashlib

from portal import clock, db, states, storage
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets
from portal.domain.files import accessions
from portal.models import File
from tests.state_guard import states_unguarded
from tests.web.matrix.rows import Row, everyone, owner

DATA = b"bytes of a file"


def stage(state: str) -> dict[str, object]:
    """A dataset of Ines with one archived file: "released", "released controlled", "approved" ..."""
    name, _, access = (state or "released").partition(" ")
    ines = accounts.by_email("ines.okafor@example.org")
    with states_unguarded():
        made = datasets.create(actor=ines, title="T", access=access or "open", files=[{"name": "a.txt"}])
        if name != states.DRAFT:
            made.accession = accessions.form("OMIX", accessions.take("OMIX"))
        made.state, made.realm = name, "protected" if access else "open"
        made.released_at = clock.now() if name in ("released", "suppressed", "withdrawn") else None
        file = db.session.query(File).filter_by(dataset_id=made.id).one()
        file.state, file.size, file.md5 = states.ARCHIVED, len(DATA), hashlib.md5(DATA).hexdigest()
        file.sha256, file.archive_path = hashlib.sha256(DATA).hexdigest(), "data/OMIX000001-01/a.txt"
        found = {"ref": made.accession or made.id, "id": made.id}
    path = storage.archived_path(made.realm, str(found["ref"]), "data/OMIX000001-01/a.txt")
    path.parent.mkdir(parents=True)
    path.write_bytes(DATA)
    return found


HIDDEN = owner(200, anonymous=404, ruth=200)
PAGES = (("catalogue.landing", "/datasets/{ref}"), ("catalogue.file_list", "/datasets/{ref}/files"))
BYTES = (
    ("catalogue.download.file", "/datasets/{ref}/files/a.txt"),
    ("catalogue.download.md5sum", "/datasets/{ref}/md5sum.txt"),
    ("catalogue.zip_download.whole", "/datasets/{ref}/all.zip"),
)

ROWS = [
    Row("catalogue.home", "GET", "/", everyone(200)),
    Row("catalogue.short", "GET", "/{ref}", everyone(302)),
    Row("catalogue.short", "GET", "/{ref}", owner(302, anonymous=404, ruth=302), state="approved"),
    Row("catalogue.sitemap.robots", "GET", "/robots.txt", everyone(200)),
    Row("catalogue.sitemap.first", "GET", "/sitemap.xml", everyone(200)),
    Row("catalogue.sitemap.part", "GET", "/sitemap-0.xml", everyone(200)),
    Row("catalogue.sitemap.part", "GET", "/sitemap-0.xml", everyone(404), state="approved"),
    Row("catalogue.sitemap.part", "GET", "/sitemap-0.xml", everyone(404), state="suppressed"),
    Row("help.contents", "GET", "/help", everyone(200)),
    Row("help.topic", "GET", "/help/ftp", everyone(200)),
    Row("help.topic", "GET", "/help/nothing", everyone(404)),
    Row("catalogue.landing", "GET", "/datasets/{ref}", everyone(410), state="withdrawn"),
    Row("catalogue.file_list", "GET", "/datasets/{ref}/files", everyone(410), state="withdrawn"),
    Row("catalogue.landing", "GET", "/datasets/{id}", owner(200, anonymous=404, ruth=404), state="draft"),
]
for endpoint, path in (
    ("catalogue.citation.bibtex", "/datasets/{ref}/cite.bib"),
    ("catalogue.citation.metadata", "/datasets/{ref}/metadata.jsonld"),
    ("catalogue.datacite.as_json", "/datasets/{ref}/datacite.json"),
    ("catalogue.datacite.as_xml", "/datasets/{ref}/datacite.xml"),
    ("catalogue.ro_crate.metadata", "/datasets/{ref}/ro-crate-metadata.json"),
):
    ROWS += [
        Row(endpoint, "GET", path, everyone(200), state=state)
        for state in ("released", "suppressed", "released controlled")
    ]
    ROWS += [Row(endpoint, "GET", path, everyone(404), state=state) for state in ("approved", "withdrawn")]
for endpoint, path in PAGES:
    ROWS += [
        Row(endpoint, "GET", path, everyone(200), state=state)
        for state in ("released", "suppressed", "released controlled")
    ]
    ROWS += [Row(endpoint, "GET", path, HIDDEN, state=state) for state in ("submitted", "returned", "approved")]
for endpoint, path in BYTES:
    ROWS += [Row(endpoint, "GET", path, everyone(200), state=state) for state in ("released", "suppressed")]
    ROWS += [Row(endpoint, "GET", path, HIDDEN, state=state) for state in ("submitted", "returned", "approved")]
    ROWS.append(
        Row(endpoint, "GET", path, owner(200, anonymous=303, others=403, ruth=403), state="released controlled")
    )
    ROWS.append(Row(endpoint, "GET", path, everyone(410), state="withdrawn"))
