"""XML by API: ENA's documented curl command line over a real server, and every refusal a client may meet."""

import base64
import io
import resource
import subprocess
from functools import partial

import pytest
from lxml import etree

from portal import clock
from portal.domain.components import metamd5
from tests.conftest import INES, PASSWORD
from tests.counting import calls
from tests.depositing import md5
from tests.live import Live
from tests.plugins.clients import needs
from tests.reports import metadata as xml
from tests.waiting import until

PART = ("SUBMISSION", "STUDY", "SAMPLE", "EXPERIMENT", "RUN")


def basic(email: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}


def post(client, parts: dict[str, bytes], **more):
    fields = {name: (io.BytesIO(data), f"{name.lower()}.xml") for name, data in parts.items()}
    headers = more.pop("headers", basic(INES.email, PASSWORD))
    return client.post("/api/v1/submit", data=fields | more, headers=headers)


def send_body(client, data: bytes):
    """As the body itself; the test client would lay a large form on disk and leave it open."""
    headers = basic(INES.email, PASSWORD) | {"Content-Type": "application/xml"}
    return client.post("/api/v1/submit", data=data, headers=headers)


def receipt(answer) -> etree._Element:
    assert answer.status_code == 200 and answer.mimetype == "application/xml", answer.text
    return etree.fromstring(answer.data)


@needs("curl")
@pytest.mark.full
def test_documented_command_line_loads_and_files_link_before_during_and_after(tmp_path):
    """curl -u name:password -F "SUBMISSION=@submission.xml" -F "RUN=@run.xml" ADDRESS, as ENA documents it."""
    contents = {f"run{n}/r{n}.fastq.gz": f"reads {n}".encode() for n in range(3)}
    runs = (xml.run(f"r{n}", files={name: data}) for n, (name, data) in enumerate(contents.items()))
    for name, data in xml.parts(RUN=xml.runs(*runs)).items():
        (tmp_path / f"{name.lower()}.xml").write_bytes(data)
    with Live(tmp_path / "instance") as live:
        token = live.add("ines@example.org", password="correct horse")

        def send(name: str):
            put = [
                "curl",
                "-sf",
                "-T",
                "-",
                "-H",
                f"Authorization: Bearer {token}",
                f"{live.web}/api/v1/uploads/open/{name}",
            ]
            return subprocess.Popen(put, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)

        names = list(contents)
        before, during = send(names[0]), send(names[1])
        before.communicate(contents[names[0]])
        during.stdin.write(contents[names[1]][:3])
        during.stdin.flush()
        words = [word for part in PART for word in ("-F", f"{part}=@{part.lower()}.xml")]
        curl = ["curl", "-s", "-u", "ines@example.org:correct horse", *words, f"{live.web}/api/v1/submit"]
        done = subprocess.run(curl, cwd=tmp_path, capture_output=True, check=True)
        told = etree.fromstring(done.stdout)
        assert told.get("success") == "true" and told.get("submissionFile") == "submission.xml", done.stdout
        assert [one.get("accession") for one in told.iter("RUN")] == [f"OMIXR00000{n}" for n in (1, 2, 3)]
        assert told.find("STUDY").get("holdUntilDate") == "2027-03-01"
        during.communicate(contents[names[1]][3:])
        send(names[2]).communicate(contents[names[2]])
        ref = told.find("SUBMISSION").get("accession")
        live.wait(token, ref, lambda dataset: [file["color"] for file in dataset["files"]] == ["green"] * 3)
        components = partial(live.api, token, "GET", "/components")
        until(lambda: [row["color"] for row in components()[1]["items"]] == ["green"] * 7, explain=components)


def test_stored_xml_comes_back_with_the_digest_of_its_bytes(client):
    receipt(post(client, xml.parts()))
    shown = client.get("/api/v1/components/OMIXS000001", headers=basic(INES.email, PASSWORD))
    assert shown.status_code == 401  # only /submit takes a password
    token = {"Authorization": f"Bearer {_token()}"}
    found = client.get("/api/v1/components/OMIXS000001", headers=token).get_json()
    assert (found["type"], found["alias"], found["status"], found["visibility"]) == (
        "SAMPLE",
        "s1",
        "unpublished",
        "public",
    )
    text = client.get("/api/v1/components/OMIXS000001.xml", headers=token).data
    known = client.get("/api/v1/components/OMIXS000001.xml", headers=token | {"If-None-Match": f'"{found["md5"]}"'})
    assert known.status_code == 304
    assert md5(text) == found["md5"] and metamd5.digests(text) == [("OMIXS000001", found["md5"])]
    run = client.get("/api/v1/components/OMIXR000001", headers=token).get_json()
    assert run["references"] == ["OMIXX000001"] and run["files"][0]["state"] == "waiting"
    listed = client.get("/api/v1/components?type=run&dataset=OMIX000001", headers=token).get_json()["items"]
    assert [one["accession"] for one in listed] == ["OMIXR000001"]


def _token() -> str:
    from portal import db
    from portal.domain.accounts import tokens

    with db.transaction():
        return tokens.issue(INES.account, "api")


def test_token_stands_for_the_password(client):
    assert receipt(post(client, {"STUDY": xml.study()}, headers=basic(INES.email, _token()))).get("success") == "true"
    assert post(client, {"STUDY": xml.study()}, headers=basic("mei.tanaka@example.org", _token())).status_code == 401


def test_wrong_passwords_are_throttled_as_everywhere(client):
    answers = [post(client, {"STUDY": xml.study()}, headers=basic(INES.email, "wrong")).status_code for _ in range(11)]
    assert answers == [401] * 10 + [429]
    assert client.post("/api/v1/submit").headers["WWW-Authenticate"].startswith("Basic")
    assert post(client, {"STUDY": xml.study()}).status_code == 429
    clock.shift(clock.HOUR)
    assert receipt(post(client, {"STUDY": xml.study()})).get("success") == "true"


def test_action_and_date_without_a_submission(client):
    told = receipt(post(client, {"STUDY": xml.study()}, ACTION="VALIDATE"))
    assert told.get("success") == "true" and told.findtext("ACTIONS") == "VALIDATE"
    told = receipt(post(client, {"STUDY": xml.study()}, ACTION="ADD", HOLD_DATE="2028-01-02"))
    assert told.find("STUDY").get("holdUntilDate") == "2028-01-02"
    told = receipt(post(client, {"STUDY": xml.study()}, ACTION="FROBNICATE"))
    assert "There is no action FROBNICATE" in told.findtext("MESSAGES/ERROR")


BILLION = b"""<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;">
<!ENTITY d "&c;&c;&c;&c;&c;&c;&c;&c;"><!ENTITY e "&d;&d;&d;&d;&d;&d;&d;&d;">]><STUDY alias="&e;&e;&e;"/>"""
LINE = b"x" * (10 << 20)
HOSTILE = {
    "billion laughs": (BILLION, "has a DTD"),
    "file": (b'<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]><STUDY alias="a">&x;</STUDY>', "has a DTD"),
    "network": (b'<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><STUDY alias="a"/>', "has a DTD"),
    "hidden by UTF-16": ('<!DOCTYPE a [<!ENTITY x "y">]><STUDY alias="a">&x;</STUDY>'.encode("utf-16"), "has a DTD"),
    "ten megabytes of text": (
        b"<STUDY alias='a'><DESCRIPTOR>" + LINE + b"</DESCRIPTOR></STUDY>",
        "larger than 1.05 MB",
    ),
    "ten megabytes of attribute": (b"<STUDY alias='" + LINE + b"'/>", "At most 500 characters"),
    "ten megabytes of name": (b"<" + LINE + b"/>", "begins with x"),
    "deep": (b"<STUDY alias='a'>" + b"<a>" * 5000 + b"</a>" * 5000 + b"</STUDY>", "That is too deep"),
    "wide": (b"<STUDY alias='a'>" + b"<a/>" * 400_000 + b"</STUDY>", "larger than 1.05 MB"),
    "namespaces": (
        b"<STUDY_SET "
        + b" ".join(b"xmlns:a%d='u'" % n for n in range(20_000))
        + b">"
        + b"<STUDY alias='a'/>" * 100
        + b"</STUDY_SET>",
        "more namespaces than 100",
    ),
    "a large namespace": (b"<STUDY_SET xmlns:a='" + LINE + b"'><STUDY alias='a'/></STUDY_SET>", "or 10,000 bytes"),
    "namespaces in each": (
        b"<STUDY_SET xmlns:a='" + b"x" * 9000 + b"'>" + b"<STUDY alias='a'/>" * 20_000 + b"</STUDY_SET>",
        "with its namespaces",
    ),
    "cut": (b"<STUDY_SET><STUDY alias='a'>", "no well-formed XML"),
    "not XML": (b"alias,title\na,b\n", "no well-formed XML"),
    "another root": (b"<html/>", "begins with html"),
    "another child": (b"<STUDY_SET><SAMPLE alias='a'/></STUDY_SET>", "has a SAMPLE in its STUDY_SET"),
    "no bytes": (b"", "no XML"),
    "no such encoding": (b"<?xml version='1.0' encoding='klingon'?><STUDY alias='a'/>", "cannot be read|encoding"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_document_is_answered_with_little_work(client, name):
    data, words = HOSTILE[name]
    with calls() as called:
        answer = send_body(client, data)
    assert called[0] < 2_000_000
    told = receipt(answer)
    assert told.get("success") == "false"
    assert any(word in told.findtext("MESSAGES/ERROR") for word in words.split("|")), answer.text[:500]
    assert len(answer.data) < 5000


def test_memory_is_bounded_by_the_largest_object(client):
    """Twenty megabytes of the smallest elements: no tree of them is built."""
    one = b"<STUDY alias='a%d'>" + b"<a/>" * 200_000 + b"</STUDY>"
    text = b"<STUDY_SET>" + b"".join(one % n for n in range(30)) + b"</STUDY_SET>"
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    told = receipt(send_body(client, text))
    assert "has more than 5,000,000 elements" in told.findtext("MESSAGES/ERROR")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 300 << 10  # kB; a tree takes 700 MB


def test_broken_document_does_not_stop_the_others(client):
    told = receipt(post(client, {"STUDY": xml.study(), "SAMPLE": b"<SAMPLE_SET>"}))
    assert told.get("success") == "false" and told.find("STUDY").get("accession") == "OMIXP000001"
    told = receipt(post(client, {"SUBMISSION": b"<SUBMISSION", "STUDY": xml.study("b")}))
    assert told.find("STUDY") is None  # without its orders nothing is loaded: they may have said VALIDATE
