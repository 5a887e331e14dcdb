"""The pages of access: typed and kept, sent, decided, shown to both sides, exported, signed; and the same by API."""

import base64
import csv
import io
import json
import re
import shlex
import subprocess
from hashlib import sha256

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from portal import clock, db
from portal.domain.access_requests import requests, terms
from portal.domain.accounts import rate_limit, tokens
from portal.models import Request
from tests.access_requests.support import (
    COLLEAGUE,
    INES,
    RUTH,
    SAID,
    STRANGER,
    act,
    ask,
    dataset,
    get,
    grant,
    release,
)

LETTER = b"%PDF-1.7 To whom it may concern"


def typed(livers: str, **fields) -> dict:
    return {**SAID, "terms": terms.of(dataset(livers)).id, "typed-name": "Mei Tanaka", **fields}


def bearer(person) -> dict[str, str]:
    with db.transaction():
        return {"Authorization": f"Bearer {tokens.issue(person.account, 'api')}"}


def number(answer) -> int:
    return int(re.search(r"/requests/(\d+)", answer.headers["Location"])[1])


def test_landing_page_shows_the_terms_and_the_way_to_ask(livers, client, sign_in):
    with db.transaction():
        terms.write(dataset(livers), {"uses": ["DUO:0000046"], "longest_days": 90}, actor=INES.account)
    text = client.get(f"/datasets/{livers}").text
    assert "Sign in and ask" in text and "Non-commercial use only" in text and "90 days" in text
    assert client.get(f"/datasets/{livers}/agreement").status_code == 200
    assert "Ask for access" in sign_in(STRANGER).get(f"/datasets/{livers}").text
    assert "These are your own files" in sign_in(INES).get(f"/datasets/{livers}").text


def test_form_keeps_what_is_typed_field_by_field(livers, sign_in):
    mei = sign_in(STRANGER)
    address = f"/datasets/{livers}/request"
    mei.get(address)
    said = mei.send(f"{address}/field", field="purpose", value="Half a sen").get_json()
    assert said["fault"] == "" and said["address"] == address
    said = mei.send(f"{address}/field", field="institution", value="x" * 400).get_json()
    assert "300" in said["fault"]
    assert "Half a sen" in mei.get(address).text
    assert "Half a sen" not in sign_in(INES).get("/requests").text
    mei.send(f"{address}/discard")
    assert "Half a sen" not in mei.get(address).text


def test_refused_form_keeps_every_word_and_the_letter(livers, sign_in):
    mei = sign_in(STRANGER)
    address = f"/datasets/{livers}/request"
    fields = typed(livers, institution="", **{"typed-name": "M. T."})
    mei.get(address)
    answer = mei.send(address, **fields, **{"letter-file": (io.BytesIO(LETTER), "letter.pdf")})
    assert answer.status_code == 422
    assert SAID["purpose"] in answer.text and "Name your institution." in answer.text and "Mei Tanaka" in answer.text
    assert "letter.pdf" in answer.text
    answer = mei.send(address, **typed(livers))
    made = number(answer)
    assert get(made).state == "asked"
    for person in (STRANGER, INES):
        found = sign_in(person).get(f"/requests/{made}/letter")
        assert found.data == LETTER and "attachment" in found.headers["Content-Disposition"]
        assert found.mimetype == "application/octet-stream"
    again = mei.send(address, **typed(livers))
    assert number(again) == made, "sent twice it is one request"


@pytest.mark.parametrize(("content", "status"), [(b"#!/bin/sh", 422), (b"%PDF" + bytes(1000), 422), (LETTER, 303)])
def test_letter_is_a_letter(livers, sign_in, monkeypatch, content, status):
    monkeypatch.setattr("portal.domain.access_requests.attachments.LARGEST", 1000)
    mei = sign_in(STRANGER)
    mei.get(f"/datasets/{livers}/request")
    answer = mei.send(f"/datasets/{livers}/request", **typed(livers), **{"letter-file": (io.BytesIO(content), "l.pdf")})
    assert answer.status_code == status


def test_decider_sees_all_and_decides(livers, sign_in):
    other = release(INES)
    earlier = ask(other)
    act(earlier, "deny", note="Not that one.")
    made = ask(livers)
    ines = sign_in(INES)
    text = ines.get(f"/requests/{made}").text
    for words in ("Mei Tanaka", "mei.tanaka@example.org", *SAID.values(), other, "denied"):
        assert words in text
    seen = get(made).version
    refused = ines.send(f"/requests/{made}/actions", action="deny", note="", seen=seen)
    assert refused.status_code == 422
    refused = ines.send(f"/requests/{made}/actions", action="approve", note="Kept.", until="2020-01-01", seen=seen)
    assert refused.status_code == 422 and "Kept." in refused.text
    until = str(clock.day_of(clock.now() + 20 * clock.DAY, "UTC"))
    done = ines.send(f"/requests/{made}/actions", action="approve", until=until, files="2", seen=seen)
    assert done.status_code == 303 and get(made).state == "granted" and not get(made).whole
    text = sign_in(STRANGER).get(f"/requests/{made}").text
    assert until in text and f"/granted/{livers}/" in text
    late = ines.send(f"/requests/{made}/actions", action="deny", note="No.", seen=seen)
    assert late.status_code == 409 and "Ines Okafor decided it" in late.text


def test_lists_of_both_sides(livers, sign_in):
    made = ask(livers)
    assert "Mei Tanaka" in sign_in(INES).get("/requests").text
    assert "Nothing waits" not in sign_in(INES).get("/requests").text
    assert livers in sign_in(STRANGER).get("/requests").text
    assert f"request-{made}" not in sign_in(COLLEAGUE).get("/requests").text
    assert f"request-{made}" not in sign_in(RUTH).get("/requests").text
    act(made, "approve")
    assert f"request-{made}" in sign_in(INES).get("/requests?tab=granted").text
    act(made, "revoke", note="x")
    assert f"request-{made}" in sign_in(INES).get("/requests?tab=past").text


def test_submitter_reads_along_where_a_committee_decides(livers, sign_in):
    with db.transaction():
        terms.add_decider(dataset(livers), COLLEAGUE.email, actor=INES.account)
        terms.set_committee(dataset(livers), "Access Committee", actor=INES.account)
    made = ask(livers)
    with db.transaction():
        requests.remark(get(made), "I doubt it.", actor=COLLEAGUE.account)
    text = sign_in(INES).get(f"/requests/{made}").text
    assert "Access Committee" in text and "Your decision" not in text and "I doubt it." not in text
    assert "Your decision" in sign_in(COLLEAGUE).get(f"/requests/{made}").text
    assert "I doubt it." in sign_in(COLLEAGUE).get(f"/requests/{made}").text


def test_terms_page_makes_versions(livers, sign_in):
    ines = sign_in(INES)
    ines.get(f"/datasets/{livers}/terms")
    fields = {"agreement": "Be kind.", "questions": "Why?\nWho pays? (optional)", "longest_days": "30"}
    assert ines.send(f"/datasets/{livers}/terms", **fields, uses=["DUO:0000042"]).status_code == 303
    text = ines.get(f"/datasets/{livers}/terms").text
    assert "Who pays? (optional)" in text and "Version 1" in text
    refused = ines.send(f"/datasets/{livers}/terms", agreement="", questions="", longest_days="0")
    assert refused.status_code == 422 and "from 1 to 3650" in refused.text
    refused = ines.send(f"/datasets/{livers}/deciders", email="nobody@example.org")
    assert refused.status_code == 422 and "Nobody here has this address" in refused.text
    ruth = sign_in(RUTH)
    ruth.get("/requests/terms")
    assert ruth.send("/requests/terms", agreement="New default.", questions="", longest_days="10").status_code == 303
    assert terms.of(dataset(release(INES))).agreement == "New default."
    assert terms.of(dataset(livers)).agreement == "Be kind."


def test_downloads_leave_as_tables_that_run_no_formula(database, sign_in):
    accession = release(INES, contents={"a.txt": b"a", "b.txt": b"b"})
    made = grant(accession)
    with db.transaction():
        STRANGER.account.name = "=cmd()"
    sign_in(STRANGER).get(f"/datasets/{accession}/files/a.txt", buffered=True)
    ines = sign_in(INES)
    for address in (f"/requests/{made}/downloads.csv", f"/datasets/{accession}/downloads.csv"):
        answer = ines.get(address)
        assert answer.mimetype == "text/csv" and "attachment" in answer.headers["Content-Disposition"]
        (row,) = csv.DictReader(io.StringIO(answer.text))
        assert (row["name"], row["file"], row["bytes"], row["whole"]) == ("'=cmd()", "a.txt", "1", "yes")
        assert row["address"] == "127.0.0.1" and row["via"] == "http" and row["email"] == STRANGER.email
    assert "\t" in ines.get(f"/requests/{made}/downloads.tsv").text
    assert "a.txt" in ines.get(f"/requests/{made}").text


def part(said: dict, name: str) -> bytes:
    return base64.urlsafe_b64decode(said[name] + "==")


def test_statement_is_signed_and_checked_without_the_portal(livers, sign_in, tmp_path):
    made = grant(livers)
    browser = sign_in(STRANGER)
    browser.get(f"/datasets/{livers}/files/covariates.tsv", buffered=True)
    said = browser.get(f"/requests/{made}/statement").get_json()
    words = browser.get("/requests/key.pem").data
    key = load_pem_public_key(words)
    signed = f"{said['protected']}.{said['payload']}".encode()
    key.verify(part(said, "signature"), signed)
    header = {"alg": "EdDSA", "kid": sha256(words).hexdigest()[:16], "typ": "JOSE+JSON"}
    assert json.loads(part(said, "protected")) == header
    assert set(said) == {"statement", "protected", "payload", "signature"}
    told = json.loads(part(said, "payload"))
    assert told == said["statement"]
    assert (told["dataset"], told["granted_to"]["email"], told["decided_by"]) == (livers, STRANGER.email, "Ines Okafor")
    assert told["terms"]["agreed_as"] == "Mei Tanaka" and told["downloads"][0]["name"] == "covariates.tsv"
    with pytest.raises(InvalidSignature):
        key.verify(part(said, "signature"), signed.replace(b"a", b"b"))
    for name, content in (("key.pem", words), ("signed.txt", signed), ("signature.bin", part(said, "signature"))):
        (tmp_path / name).write_bytes(content)
    words = shlex.split("openssl pkeyutl -verify -pubin -inkey key.pem -rawin -in signed.txt -sigfile signature.bin")
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Verified Successfully" in done.stdout, done.stderr


def test_whole_way_by_api(livers, client):
    mei, ines = bearer(STRANGER), bearer(INES)
    body = {**SAID, "dataset": livers, "agreement": "mei tanaka"}
    draft = client.post("/api/v1/requests", json={"dataset": livers, "purpose": "P", "draft": True}, headers=mei).json
    assert draft["state"] == "draft"
    refused = client.post("/api/v1/requests", json=body | {"agreement": ""}, headers=mei)
    assert refused.status_code == 422 and refused.json["errors"][0]["field"] == "agreement"
    made = client.post("/api/v1/requests", json=body, headers=mei)
    assert made.status_code == 201 and made.json["id"] == draft["id"] and made.json["actions"] == ["withdraw"]
    base = f"/api/v1/requests/{made.json['id']}"
    assert [one["id"] for one in client.get("/api/v1/requests?side=asked", headers=ines).json["items"]] == [draft["id"]]
    asked = client.post(f"{base}/actions/ask", json={"note": "Which arrays?"}, headers=ines).json
    assert asked["state"] == "asked_back" and asked["messages"][-1]["text"] == "Which arrays?"
    client.post(f"{base}/actions/answer", json={"note": "The old ones."}, headers=mei)
    client.post(f"{base}/messages", json={"text": "Hm.", "private": True}, headers=ines)
    assert "Hm." not in client.get(base, headers=mei).text
    day = str(clock.day_of(clock.now() + 9 * clock.DAY, "UTC"))
    done = client.post(f"{base}/actions/approve", json={"until": day, "files": [1]}, headers=ines).json
    assert done["grant"] == {"from": done["grant"]["from"], "until": done["grant"]["until"], "open": True, "files": [1]}
    late = client.post(f"{base}/actions/deny", json={"note": "No."}, headers=ines)
    assert late.status_code == 409 and "Ines Okafor decided it" in late.json["detail"]
    path = f"/datasets/{livers}/files/genotypes/chr1.vcf.gz"
    assert client.get(path, headers=mei, buffered=True).status_code == 200
    log = client.get(f"{base}/downloads", headers=ines).json["items"]
    assert [(one["name"], one["whole"]) for one in log] == [("genotypes/chr1.vcf.gz", True)]
    assert client.get(f"{base}/downloads", headers=mei).status_code == 403
    assert client.get(f"{base}/statement", headers=mei).json["statement"]["files"] == [f"{livers}-01"]
    assert client.post(f"{base}/actions/renew", json={}, headers=mei).json["renewal_asked"]
    client.post(f"{base}/actions/revoke", json={"note": "Enough."}, headers=ines)
    assert client.get(path, headers=mei).status_code == 403


def test_terms_by_api(livers, client):
    ines = bearer(INES)
    body = {"uses": ["DUO:0000018"], "questions": [{"text": "Why?", "needed": False}]}
    made = client.put(f"/api/v1/datasets/{livers}/terms", headers=ines, json=body).json
    assert made["uses"] == ["DUO:0000018"] and made["questions"] == [{"text": "Why?", "needed": False}]
    assert client.put(f"/api/v1/datasets/{livers}/terms", json={"uses": ["DUO:1"]}, headers=ines).status_code == 422
    named = client.post(f"/api/v1/datasets/{livers}/deciders", json={"email": COLLEAGUE.email}, headers=ines).json
    assert named["deciders"][0]["email"] == COLLEAGUE.email
    assert "deciders" not in client.get(f"/api/v1/datasets/{livers}/terms").json
    gone = client.delete(f"/api/v1/datasets/{livers}/deciders/{COLLEAGUE.id}", headers=ines)
    assert gone.status_code == 204


def test_letter_by_api(livers, client):
    mei = bearer(STRANGER)
    made = ask(livers)
    answer = client.put(f"/api/v1/requests/{made}/letter?name=letter.pdf", data=LETTER, headers=mei)
    assert answer.status_code == 200 and answer.json["letter"] == "letter.pdf"
    assert client.get(f"/requests/{made}/letter", headers=mei).data == LETTER
    assert client.put(f"/api/v1/requests/{made}/letter", data=b"x", headers=mei).status_code == 422


def test_two_people_ask_at_once_and_one_twice(livers, sign_in):
    for person in (STRANGER, COLLEAGUE):
        browser = sign_in(person)
        browser.get(f"/datasets/{livers}/request")
        for _ in range(2):
            answer = browser.send(f"/datasets/{livers}/request", **typed(livers) | {"typed-name": person.name})
            assert answer.status_code == 303
    assert db.session.query(Request).count() == 2


def test_draft_that_cannot_be_kept_whole_says_so(livers, sign_in):
    mei = sign_in(STRANGER)
    mei.get(f"/datasets/{livers}/request")
    answer = mei.send(f"/datasets/{livers}/request", **typed(livers, institution="x" * 400), then="save")
    assert answer.status_code == 422 and "x" * 400 in answer.text


def test_draft_is_discarded_after_one_question(livers, sign_in):
    mei, address = sign_in(STRANGER), f"/datasets/{livers}/request"
    assert mei.get(f"{address}/discard").location == address, "there is nothing to discard yet"
    mei.get(address)
    mei.send(address, **typed(livers, purpose="Fibrosis & age."), then="save")
    page = mei.get(address).text
    assert f'href="{address}/discard"' in page and f'action="{address}/discard"' not in page
    asked = mei.get(f"{address}/discard").text
    assert "Fibrosis &amp; age." in asked and f'action="{address}/discard"' in asked
    assert db.session.query(Request).count() == 1, "it is only asked"
    assert mei.send(f"{address}/discard").status_code == 303
    assert db.session.query(Request).count() == 0


def test_menu_says_where_one_is(livers, sign_in):
    made = ask(livers)
    ines = sign_in(INES)
    for address in ("/requests", f"/requests/{made}", f"/datasets/{livers}/terms"):
        assert '<a href="/requests" aria-current="page">Requests</a>' in ines.get(address).text


def test_deciders_see_what_an_amendment_changed(livers, sign_in):
    with db.transaction():
        terms.write(dataset(livers), {"questions": ["Why?"]}, actor=INES.account)
    made = ask(livers, answers=["Because."])
    mei = sign_in(STRANGER)
    mei.get(f"/requests/{made}/edit")
    fields = SAID | {"purpose": "Something else.", "answer_a": "Curiosity."}
    assert mei.send(f"/requests/{made}/edit", **fields).status_code == 303
    text = sign_in(INES).get(f"/requests/{made}").text
    assert "<del>eQTLs of the liver.</del> <ins>Something else.</ins>" in text
    assert "<del>Because.</del> <ins>Curiosity.</ins>" in text


def test_addresses_are_not_tried_out_by_naming_deciders(livers, sign_in):
    """By page and by call together; who is known is named all the same until then."""
    ines, header = sign_in(INES), bearer(INES)
    ines.get(f"/datasets/{livers}/terms")

    def named(email, *, by_page=False):
        if by_page:
            return ines.send(f"/datasets/{livers}/deciders", email=email).status_code
        return ines.post(f"/api/v1/datasets/{livers}/deciders", json={"email": email}, headers=header).status_code

    found = [named(f"nobody{n}@example.org", by_page=n % 2 == 0) for n in range(rate_limit.GUESSES)]
    assert set(found) == {422}
    assert [named("x@example.org"), named(RUTH.email), named(RUTH.email, by_page=True)] == [429, 429, 429]
    clock.shift(rate_limit.GUESS_WINDOW)
    assert named(COLLEAGUE.email) == 201
