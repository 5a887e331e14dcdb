"""What readers see and get, before and after release."""

import base64
import hashlib
import random
import re

import pytest

from portal import clock, db, errors, inspection, states, storage
from portal.config import ROOT
from portal.domain.datasets import datasets
from portal.domain.files import accessions
from portal.models import Dataset, DownloadDay, File
from portal.queries.catalogue import released_datasets
from portal.web.help import pages as help_
from tests.state_guard import states_unguarded

DATA = random.Random(7).randbytes(100_000)
EVIL = "<script>alert(1)</script>"


def archive(dataset, name, data, n):
    """A file as the archive job leaves it."""
    path = f"data/{accessions.of_file(dataset.accession, n)}/{name}"
    target = storage.archived_path(dataset.realm, dataset.accession, path)
    target.parent.mkdir(parents=True)
    target.write_bytes(data)
    return {
        "state": states.ARCHIVED,
        "size": len(data),
        "md5": hashlib.md5(data).hexdigest(),
        "archive_path": path,
        "sha256": hashlib.sha256(data).hexdigest(),
        "archived_at": clock.now(),
        "fixity": "ok",
        "fixity_at": clock.now(),
    }


@pytest.fixture
def dataset(database, ines):
    """A maker of datasets in any state, with one archived file."""

    def make(state="released", access="open", title="Kidney organoids"):
        with states_unguarded():
            made = datasets.create(
                actor=ines.account,
                title=title,
                description=EVIL,
                species="Mus musculus",
                access=access,
                files=[{"name": "run1/reads.bin", "title": EVIL}],
            )
            made.accession = accessions.form("OMIX", accessions.take("OMIX"))
            made.search_text = f"{made.accession} {title}".lower()
            made.state, made.realm = state, "protected" if access == "controlled" else "open"
            made.released_at = clock.now() if state in ("released", "suppressed", "withdrawn") else None
            for name, value in archive(made, "run1/reads.bin", DATA, 1).items():
                setattr(db.session.query(File).filter_by(dataset_id=made.id).one(), name, value)
        accession = made.accession
        db.end()
        return accession

    return make


def test_released_dataset_is_found_opened_and_downloaded(client, dataset):
    accession = dataset()

    assert accession in client.get("/?term=organoids").text
    assert client.get(f"/?term={accession.lower()}").headers["Location"] == f"/{accession}"
    assert client.get(f"/{accession}").headers["Location"] == f"/datasets/{accession}"
    assert client.get(f"/{accession.lower()}").headers["Location"] == f"/datasets/{accession}"
    assert client.get(f"/{accession}-01").headers["Location"] == f"/datasets/{accession}#file-1"
    page = client.get(f"/datasets/{accession}").text
    assert "Files &amp; Download" in page
    assert EVIL not in page
    answer = client.get(f"/datasets/{accession}/files/run1/reads.bin", buffered=True)
    assert answer.data == DATA
    assert answer.headers["ETag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    digest = base64.b64encode(hashlib.md5(DATA).digest()).decode()
    assert f"md5=:{digest}:" in answer.headers["Repr-Digest"]
    assert answer.headers["Content-Security-Policy"] == "sandbox; default-src 'none'"


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ("bytes=0-9", 206, DATA[:10]),
        ("bytes=99990-", 206, DATA[99990:]),
        ("bytes=-7", 206, DATA[-7:]),
        ("bytes=5-5", 206, DATA[5:6]),
        ("bytes=50-999999", 206, DATA[50:]),
        ("bytes=100000-", 416, b""),
        ("bytes=0-1,5-6", 200, DATA),
        ("lines=1-2", 200, DATA),
    ],
)
def test_range_gives_the_asked_part(client, dataset, asked, status, part):
    answer = client.get(f"/datasets/{dataset()}/files/run1/reads.bin", buffered=True, headers={"Range": asked})

    assert (answer.status_code, answer.data) == (status, part)
    if status == 206:
        start = DATA.index(part) if len(part) > 1 else 5
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + len(part) - 1}/{len(DATA)}"


def test_if_range_with_other_bytes_gives_the_whole(client, dataset):
    address = f"/datasets/{dataset()}/files/run1/reads.bin"

    other = client.get(address, buffered=True, headers={"Range": "bytes=0-9", "If-Range": '"other"'})
    unchanged = client.get(address, buffered=True, headers={"If-None-Match": other.headers["ETag"]})
    matched = [
        client.get(address, buffered=True, headers={"If-Match": tag}).status_code
        for tag in ('"x"', other.headers["ETag"], "*")
    ]
    assert matched == [412, 200, 200]

    assert (other.status_code, len(other.data)) == (200, len(DATA))
    assert (unchanged.status_code, unchanged.data) == (304, b"")


def test_head_tells_the_length_without_a_byte(client, dataset):
    answer = client.head(f"/datasets/{dataset()}/files/run1/reads.bin")

    assert (answer.status_code, answer.headers["Content-Length"], answer.data) == (200, "100000", b"")


def test_md5_list_is_what_md5sum_reads(client, dataset):
    text = client.get(f"/datasets/{dataset()}/md5sum.txt").text

    assert text == f"{hashlib.md5(DATA).hexdigest()}  run1/reads.bin\n"


def plain(page, accession):
    """A page without what it repeats of the address and without its token, which holds the time."""
    return re.sub(r'"X-CSRFToken": "[^"]*"|name="csrf_token" value="[^"]*"', "", page.replace(accession, ""))


@pytest.mark.parametrize("state", ["draft", "submitted", "returned", "approved"])
def test_unreleased_looks_like_nothing(client, sign_in, stranger, dataset, state):
    accession = dataset(state)
    visitor = sign_in(stranger)

    for who in (client, visitor):
        for path in ("", "/files", "/files/run1/reads.bin", "/md5sum.txt"):
            hidden = who.get(f"/datasets/{accession}{path}")
            missing = who.get(f"/datasets/OMIX999999{path}")
            assert hidden.status_code == missing.status_code == 404
            assert plain(hidden.text, accession) == plain(missing.text, "OMIX999999")
        assert who.get(f"/{accession}").status_code == 404
        assert "Kidney organoids" not in who.get("/?term=organoids").text


def test_submitter_sees_it_before_release(sign_in, ines, dataset):
    page = sign_in(ines).get(f"/datasets/{dataset('approved')}")

    assert page.status_code == 200
    assert "This is not public" in page.text


def test_controlled_bytes_go_to_nobody_without_a_right(client, sign_in, ines, stranger, ruth, dataset):
    accession = dataset(access="controlled")
    address = f"/datasets/{accession}/files/run1/reads.bin"

    assert client.get(f"/datasets/{accession}").status_code == 200
    assert client.get(address).status_code == 303
    assert client.get(address, buffered=True, headers={"Accept": "*/*"}).status_code in (303, 401)
    assert sign_in(stranger).get(address).status_code == 403
    assert sign_in(stranger).head(address).status_code == 403
    assert sign_in(ines).get(address, buffered=True).data == DATA
    assert sign_in(ruth).get(address, buffered=True).headers["Cache-Control"] == "no-store"


def test_suppressed_opens_by_accession_and_is_not_listed(client, dataset):
    accession = dataset("suppressed")

    assert "Kidney organoids" not in client.get("/?term=organoids").text
    assert client.get(f"/datasets/{accession}/files/run1/reads.bin", buffered=True).data == DATA


def test_withdrawn_leaves_a_tombstone(client, dataset):
    accession = dataset("withdrawn")

    assert client.get(f"/datasets/{accession}").status_code == 410
    assert client.get(f"/datasets/{accession}/files/run1/reads.bin", buffered=True).status_code == 410


def test_damaged_file_is_not_served(client, dataset):
    accession = dataset()
    with db.transaction():
        db.session.query(File).one().fixity = "bad"

    assert client.get(f"/datasets/{accession}/files/run1/reads.bin", buffered=True).status_code == 503
    assert "damaged" in client.get(f"/datasets/{accession}").text


def test_downloads_are_counted(client, dataset):
    accession = dataset()
    client.get(f"/datasets/{accession}/files/run1/reads.bin", buffered=True)

    row = db.session.query(DownloadDay).one()
    assert (row.files, row.bytes) == (1, len(DATA))


def test_download_in_parts_counts_as_one_file(client, dataset):
    address = f"/datasets/{dataset()}/files/run1/reads.bin"
    for part in ("bytes=0-4", "bytes=5-"):
        client.get(address, buffered=True, headers={"Range": part})

    row = db.session.query(DownloadDay).one()
    assert (row.files, row.bytes) == (1, len(DATA))


def test_submitters_look_before_release_is_no_download(sign_in, ines, dataset):
    accession = dataset(state="approved")

    assert sign_in(ines).get(f"/datasets/{accession}/files/run1/reads.bin", buffered=True).data == DATA
    assert db.session.query(DownloadDay).all() == []


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_reader_who_has_the_bytes_gets_none(client, dataset, header):
    address = f"/datasets/{dataset()}/files/run1/reads.bin"
    known = client.head(address).headers[header]
    asked = {"ETag": "If-None-Match", "Last-Modified": "If-Modified-Since"}[header]

    answer = client.get(address, buffered=True, headers={asked: known})
    assert (answer.status_code, answer.data) == (304, b"")
    assert client.get(address, buffered=True, headers={"If-None-Match": '"other"'}).data == DATA


def test_facets_count_what_is_released(client, dataset):
    dataset(title="One")
    dataset(title="Two", access="controlled")
    dataset(title="Three", state="approved")

    assert released_datasets.facets() == ({"open": 1, "controlled": 1}, {"": 2})


def test_search_takes_wildcards_as_they_are(client, dataset):
    accession = dataset(title="100% pure")
    dataset(title="100 parts")

    text = client.get("/?term=100%25").text
    assert accession in text
    assert "OMIX000002" not in text


GUIDE = (
    "User Registration",
    "Online Upload Service",
    "FTP Submission Method",
    "MD5 Checked Failed",
    "Remains “Checking”",
    "Edit Dataset Basic Information",
    "Release a Dataset Early",
    "Add or Replace Data Files",
    "Generate a Dataset Sharing Link",
    "“AUTH SSL”",
    "“MLSD”",
    "Download Data via HTTP",
    "Download Data via FTP",
    "Common Issues and Solutions",
)


def test_help_has_every_chapter_of_the_guide_and_each_link_leads_somewhere(client):
    contents = client.get("/help").text
    assert [chapter for chapter in GUIDE if chapter not in contents] == []
    for address, _hash, anchor in {link.partition("#") for link in re.findall(r'href="(/help[^"]*)"', contents)}:
        page = client.get(address)
        assert page.status_code == 200
        assert not anchor or f'id="{anchor}"' in page.text, (address, anchor)


def test_every_refusal_names_a_topic_that_is_there():
    named = {
        topic
        for folder in ("portal", "ftp")
        for path in (ROOT / folder).rglob("*.py")
        for topic in re.findall(r'topic="([a-z]+)"', path.read_text())
    }
    assert named and named <= set(help_.TOPICS)


def kinds_of(error: type[errors.DomainError]) -> set[type[errors.DomainError]]:
    return {error}.union(*(kinds_of(kind) for kind in error.__subclasses__()))


def test_every_kind_of_refusal_links_its_help_on_pages_and_in_problems(new_app):
    """Every class that the running portal knows, raised behind a page and behind the API."""
    kinds = {f"{kind.__module__}.{kind.__name__}": kind for kind in kinds_of(errors.DomainError)}
    assert len(kinds) > 30 and "portal.web.api.uploads.tus_body.Malformed" in kinds

    def refuse(name: str):
        raise kinds[name]()

    new_app.add_url_rule("/refuse/<name>", "refuse", refuse)
    new_app.add_url_rule("/api/refuse/<name>", "refuse_call", refuse)
    client, broken = new_app.test_client(), []
    listed = client.get("/help/errors").text
    for name, kind in kinds.items():
        assert kind.topic in help_.TOPICS, name
        page = client.get(f"/refuse/{name}", headers={"Accept": "*/*"}).text
        problem = client.get(f"/api/refuse/{name}").json
        told = f"http://localhost/help/errors#{kind.code}", f"http://localhost/help/{kind.topic}"
        if (problem["type"], problem["help"]) != told or f'href="/help/{kind.topic}' not in page:
            broken.append(name)
        if not kind.__module__.startswith(help_.INSIDE):
            assert f'id="{kind.code}"' in listed, name
    assert broken == []
    assert 'href="/help/names"' in client.get("/refuse/portal.errors.BadName").text
    assert 'href="/help/errors"' in client.post("/refuse/portal.errors.BadName", data={"csrf_token": client.token}).text


def test_every_word_of_a_fault_leads_to_its_remedy(client):
    draw = client.application.jinja_env.get_template("macros/messages.html").module.fault
    with client.application.test_request_context():
        for word in inspection.ERRORS:
            shown = str(draw("It is so.", word.replace("<n>", "17").replace("<id>", "8")))
            address, _hash, anchor = re.search(r'href="([^"]+)"', shown)[1].partition("#")
            assert f'id="{anchor}"' in client.get(address).text


def test_browse_of_many_is_paged(client, database, ines):
    now = clock.now()
    with states_unguarded():
        center = ines.account.center_id
        db.session.add_all(
            [
                Dataset(
                    account_id=ines.id,
                    center_id=center,
                    accession=f"OMIX{n:06d}",
                    title=f"T{n}",
                    state="released",
                    released_at=now + n,
                    created_at=now,
                    updated_at=now,
                    search_text=f"t{n}",
                )
                for n in range(1, 121)
            ]
        )

    page = client.get("/")
    assert "OMIX000120" in page.text
    assert "OMIX000070" not in page.text
