"""Bytes of a controlled file reach nobody who must not have them, whatever state the request is in; and nothing at all
is told of a dataset that is not released. Canary words are searched in every answer of every door."""

import ftplib
import hashlib
import io
import re

import pytest

from portal import clock, db
from portal.domain.datasets import share_links
from portal.domain.permissions import access
from portal.models import Dataset, File
from tests.access_requests.support import COLLEAGUE, INES, RUTH, STRANGER, act, ask, get, release
from tests.conftest import Person

FIRST, SECOND = b"first-canary-9a7f of a donor\n" * 50, b"second-canary-77c1 of a donor\n" * 50
CONTENTS = {"genotypes/chr1.vcf.gz": FIRST, "covariates.tsv": SECOND}
WORDS = (b"first-canary-9a7f", b"second-canary-77c1")
ANYBODY: Person | None = None


def state_none(accession: str) -> None:
    """Nobody asked."""


def state_asked(accession: str) -> None:
    ask(accession)


def state_asked_back(accession: str) -> None:
    act(ask(accession), "ask", note="?")


def state_denied(accession: str) -> None:
    act(ask(accession), "deny", note="No.")


def state_withdrawn(accession: str) -> None:
    act(ask(accession), "withdraw", person=STRANGER)


def state_revoked(accession: str) -> None:
    made = ask(accession)
    act(made, "approve")
    act(made, "revoke", note="Enough.")


def state_over(accession: str) -> None:
    made = ask(accession)
    act(made, "approve")
    with db.transaction():
        get(made).from_at, get(made).until_at = clock.now() - clock.DAY, clock.now() - 1


def state_future(accession: str) -> None:
    act(ask(accession), "approve", from_=str(clock.day_of(clock.now() + 3 * clock.DAY, "UTC")))


def state_granted(accession: str) -> None:
    act(ask(accession), "approve")


def state_one_file(accession: str) -> None:
    act(ask(accession), "approve", numbers=[2])


# Which canaries the requester may meet.
STATES = {
    state_none: (),
    state_asked: (),
    state_asked_back: (),
    state_denied: (),
    state_withdrawn: (),
    state_revoked: (),
    state_over: (),
    state_future: (),
    state_granted: WORDS,
    state_one_file: WORDS[1:],
}


# In these states every page is asked; in the others the doors of bytes.
THOROUGH = (state_none, state_revoked, state_granted)


def byte_doors(accession: str) -> list[str]:
    base = f"/datasets/{accession}"
    return [f"{base}/files/{name}" for name in CONTENTS] + [f"{base}/all.zip", f"{base}/all.zip?from=2"]


def http_doors(accession: str) -> list[str]:
    base, doors = f"/datasets/{accession}", byte_doors(accession)
    doors += [base, f"{base}/files", f"{base}/md5sum.txt", f"{base}/cite.bib", f"{base}/metadata.jsonld"]
    doors += [f"{base}/request", f"{base}/terms", f"{base}/agreement", f"{base}/downloads.csv", f"/{accession}"]
    doors += ["/", f"/?term={accession}", "/?term=livers", "/?access=controlled", "/requests", "/requests?tab=granted"]
    doors += ["/requests/1", "/requests/1/downloads.csv", "/requests/1/statement", "/requests/1/letter", "/review"]
    doors += [f"/deposit/{accession}", f"/review/{accession}", "/deposit", "/area", "/tracking"]
    doors += [f"/api/v1/datasets/{accession}", f"/api/v1/datasets/{accession}/files", "/api/v1/datasets"]
    doors += ["/api/v1/events", "/api/v1/uploads", "/api/v1/requests", f"/api/v1/datasets/{accession}/terms"]
    return doors


def http_answers(browser, doors: list[str]) -> bytes:
    """All that one person gets: whole and in parts."""
    said = []
    for door in doors:
        for headers in ({}, {"Range": "bytes=0-99"}) if "/files/" in door or ".zip" in door else ({},):
            answer = browser.get(door, headers=headers, buffered=True)
            said.append(str(answer.headers).encode() + answer.data)
    return b"".join(said)


def ftp_answers(client: ftplib.FTP, accession: str) -> bytes:
    """Every reply and every byte of listings and files below the places where they might lie."""
    said: list[bytes] = []
    folders = [f"/granted/{accession}", f"/OMIX/{accession}", f"/OMIX/OMIX/{accession[4:]}", "/granted", "/OMIX", "/"]
    paths = [f"{folder}/{name}" for folder in folders[:3] for name in CONTENTS]
    for command in ("SIZE", "MDTM", "HASH", "XMD5", "XSHA256", "MLST", "STAT", "CWD"):
        for path in [*paths, *folders[:3]]:
            try:
                said.append(client.sendcmd(f"{command} {path}").encode())
            except ftplib.Error as error:
                said.append(str(error).encode())
    for command in ("MLSD", "LIST", "NLST", "RETR"):
        for path in [*folders, *(paths if command == "RETR" else [])]:
            held = io.BytesIO()
            try:
                client.retrbinary(f"{command} {path}", held.write)
            except ftplib.Error as error:
                said.append(str(error).encode())
            said.append(held.getvalue())
    return b"".join(said)


def met(said: bytes) -> tuple[bytes, ...]:
    return tuple(word for word in WORDS if word in said)


@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_bytes_reach_the_granted_alone(database, app, sign_in, door, state):
    accession = release(INES, contents=CONTENTS)
    state(accession)
    allowed = {STRANGER: STATES[state], INES: WORDS}
    for person in (ANYBODY, STRANGER, COLLEAGUE, RUTH, INES):
        browser = sign_in(person) if person else app.test_client()
        doors = http_doors(accession) if state in THOROUGH else byte_doors(accession)
        assert met(http_answers(browser, doors)) == tuple(allowed.get(person, ())), (person, "http")
    for person in (ANYBODY, STRANGER, COLLEAGUE, RUTH) if state in THOROUGH else (STRANGER,):
        client = door.plain(person)
        if person is None:
            client.login()
        said = met(ftp_answers(client, accession))
        assert said == tuple(allowed.get(person, ())), (person, "ftp")


SECRETS = ("wrapped-title-5521", "wrapped-name-8812.bin", "4477", "Wrapped Investigator")


@pytest.fixture
def hidden(database) -> str:
    """An approved controlled dataset, not released, with a living sharing link to show that it exists at all."""
    accession = release(INES, state="approved", contents={SECRETS[1]: FIRST[:1] * 4477})
    with db.transaction():
        found = db.session.query(Dataset).filter_by(accession=accession).one()
        found.title, found.search_text, found.investigator = SECRETS[0], SECRETS[0].lower(), SECRETS[3]
    return accession


def test_nothing_is_told_of_what_is_not_released(hidden, app, sign_in, door):
    secrets = [word.encode() for word in SECRETS]
    secrets += [digest(FIRST[:1] * 4477).encode() for digest in (md5, sha256)]
    for person in (ANYBODY, STRANGER, COLLEAGUE):
        browser = sign_in(person) if person else app.test_client()
        text = b"".join(browser.get(one, buffered=True).data for one in http_doors(hidden))
        assert [word for word in secrets if word in text] == [], person
        assert "Nothing released matches" in browser.get(f"/?term={SECRETS[0]}").text
        client = door.plain(person)
        if person is None:
            client.login()
        assert [word for word in secrets if word in ftp_answers(client, hidden)] == []


def md5(data: bytes) -> str:
    return hashlib.md5(data, usedforsecurity=False).hexdigest()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_sharing_link_of_a_controlled_dataset_serves_no_byte(database, client):
    accession = release(INES, state="approved", contents=CONTENTS)
    with db.transaction():
        secret = share_links.make(access.load(accession, actor=INES.account), actor=INES.account)[1]
    page = client.get(f"/share/{secret}")
    assert page.status_code == 200 and not met(page.data)
    addresses = set(re.findall(r'(?:href|action)="(/[^"#]*)"', page.text)) | {
        f"/share/{secret}/files/{one}" for one in CONTENTS
    }
    for address in (*addresses, *http_doors(accession)):
        for headers in ({}, {"Range": "bytes=0-9"}, {"Authorization": f"Bearer {secret}"}):
            answer = client.get(address.replace("&amp;", "&"), headers=headers, buffered=True)
            assert not met(answer.data), address
    assert db.session.query(File).filter(File.state == "archived").count() == 2
