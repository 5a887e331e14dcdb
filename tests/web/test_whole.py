"""A whole dataset: one zip of known length that goes on where it broke, and how the dataset is cited."""

import io
import json
import re
import zipfile

import pytest
from pyld import jsonld

from portal import clock, db, ingest
from portal.models import File
from tests import depositing

CONTENTS = {
    "run1/a.txt": b"a" * 70_000,
    "run1/b.bin": bytes(range(256)) * 900,
    "read me.txt".replace(" ", "_"): b"hello",
}


@pytest.fixture
def ref(database, run_jobs):
    ingest.start("test")
    made = depositing.submit(CONTENTS, title="Livers {under} 50% stress & more", release_date="2026-01-31")
    run_jobs()
    depositing.approve(made)
    run_jobs()
    ingest.stop()
    return depositing.get(made).accession


def test_zip_holds_every_file_and_tells_its_length(client, ref):
    answer = client.get(f"/datasets/{ref}/all.zip")
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    packed = zipfile.ZipFile(io.BytesIO(answer.data))
    assert packed.testzip() is None
    assert {name: packed.read(name) for name in packed.namelist()} == {f"{ref}/{k}": v for k, v in CONTENTS.items()}


@pytest.mark.parametrize("start", [1, 70_100, 300_000])
def test_broken_download_goes_on(client, ref, start):
    address = f"/datasets/{ref}/all.zip"
    whole = client.get(address)
    rest = client.get(address, headers={"Range": f"bytes={start}-", "If-Range": whole.headers["ETag"]})
    assert rest.status_code == 206
    assert rest.headers["Content-Range"] == f"bytes {start}-{len(whole.data) - 1}/{len(whole.data)}"
    assert whole.data[:start] + rest.data == whole.data
    assert client.get(address, headers={"Range": "bytes=9-", "If-Range": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("part", "begin", "end"), [("bytes=0-9", 0, 10), ("bytes=10-19", 10, 20), ("bytes=-22", -22, None)]
)
def test_zip_in_parts_says_which_part_it_is(client, ref, part, begin, end):
    address = f"/datasets/{ref}/all.zip"
    whole = client.get(address).data
    answer = client.get(address, headers={"Range": part})
    start = begin % len(whole)
    assert answer.status_code == 206 and answer.data == whole[begin:end]
    assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(answer.data) - 1}/{len(whole)}"
    behind = client.get(address, headers={"Range": f"bytes={len(whole)}-"})
    assert behind.status_code == 416 and behind.headers["Content-Range"] == f"bytes */{len(whole)}"


def test_zip_starts_at_a_file(client, ref):
    packed = zipfile.ZipFile(io.BytesIO(client.get(f"/datasets/{ref}/all.zip?from=3").data))
    assert packed.namelist() == [f"{ref}/read_me.txt"]
    assert client.get(f"/datasets/{ref}/all.zip?from=4").status_code == 404
    assert client.get(f"/datasets/{ref}/all.zip?from=x").status_code == 422


def test_zip_is_refused_whole_when_a_file_is_damaged(client, ref):
    with db.transaction():
        db.session.query(File).filter_by(n=2).one().fixity = "bad"
    answer = client.get(f"/datasets/{ref}/all.zip")
    assert answer.status_code == 503 and "run1/b.bin is damaged" in answer.text


def test_landing_page_carries_its_description_for_machines(client, ref):
    answer = client.get(f"/datasets/{ref}")
    embedded = json.loads(re.search(r'<script type="application/ld\+json">(.*?)</script>', answer.text, re.S)[1])
    assert embedded == client.get(f"/datasets/{ref}/metadata.jsonld").json
    assert (embedded["@type"], embedded["name"]) == ("Dataset", "Livers {under} 50% stress & more")
    assert embedded["datePublished"] == clock.today("UTC").isoformat(), (
        "the day it opened, not the day it was planned for"
    )
    assert [part["name"] for part in embedded["distribution"]] == [f"{ref}.zip", *CONTENTS]
    assert client.get(embedded["distribution"][2]["contentUrl"], buffered=True).data == CONTENTS["run1/b.bin"]
    links = dict(re.findall(r'<([^>]+)>; rel="([a-z-]+)"', answer.headers["Link"]))
    assert links[f"http://localhost/{ref}"] == "cite-as"
    for address in links:
        if address.startswith("http://localhost"):
            assert client.get(address, follow_redirects=True, buffered=True).status_code == 200


# What Google Dataset Search needs or recommends, and the types schema.org gives them.
EXPECTED = {
    "name": str,
    "description": str,
    "url": str,
    "creator": dict,
    "datePublished": str,
    "distribution": list,
    "includedInDataCatalog": dict,
    "isAccessibleForFree": bool,
    "identifier": str,
}
SCHEMA = "https://schema.org/"


def vocabulary(address, _options):
    """The context of schema.org, as far as it matters: every plain word is one of its terms."""
    assert address == SCHEMA
    return {"contextUrl": None, "documentUrl": address, "document": {"@context": {"@vocab": SCHEMA}}}


def test_description_for_machines_is_valid_json_ld(client, ref):
    document = client.get(f"/datasets/{ref}/metadata.jsonld").json
    assert {name: kind for name, kind in EXPECTED.items() if not isinstance(document.get(name), kind)} == {}
    assert None not in document.values()
    triples = jsonld.to_rdf(document, {"documentLoader": vocabulary})["@default"]
    typed = {
        one["subject"]["value"]: one["object"]["value"]
        for one in triples
        if one["predicate"]["value"].endswith("#type")
    }
    assert typed[document["@id"]] == f"{SCHEMA}Dataset"
    kinds = ("DataCatalog", "DataDownload", "Dataset", "Organization", "Person")
    assert sorted(set(typed.values())) == [f"{SCHEMA}{kind}" for kind in kinds]
    assert list(typed.values()).count(f"{SCHEMA}DataDownload") == 1 + len(CONTENTS)
    assert len(jsonld.expand(document, {"documentLoader": vocabulary})) == 1


def test_bibtex_keeps_what_means_something_to_tex(client, ref):
    entry = client.get(f"/datasets/{ref}/cite.bib").text
    assert entry.startswith(f"@misc{{{ref},\n  author = {{{{Ines Okafor}}}},\n")
    assert r"title = {{Livers \{under\} 50\% stress \& more}}" in entry
    year = clock.today("UTC").year
    assert f"year = {{{year}}}" in entry and entry.count("{") == entry.count("}")
