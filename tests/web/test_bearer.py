"""A token opens the API and downloads; it becomes no session, no password, and no other token."""

import base64

import pytest

from portal import clock
from portal.domain.accounts import accounts
from portal.web.session import DOCUMENTS
from tests.conftest import INES, STRANGER

CHOSEN = "chosen by somebody else"
FOREIGN = {"Origin": "https://evil.example.org"}, {"Sec-Fetch-Site": "cross-site"}


@pytest.mark.parametrize("form", ["password", "sign-out-everywhere", "close", "tokens", "ftp-password", "name"])
def test_token_sends_no_form(client, ines, form):
    answer = client.post(f"/account/{form}", data={"password": CHOSEN, "name": "Forged"}, headers=ines.bearer())
    assert answer.status_code == 403 and "no pages" in answer.text
    with client.session_transaction() as cookie:
        assert "key" not in cookie
    assert ines.account.name == ines.name and ines.account.is_active


def test_who_proved_themself_a_moment_ago_is_nobody_else(sign_in, ines):
    """A fresh sign-on of one's own with the token of another."""
    thief = sign_in(STRANGER)
    with thief.session_transaction() as cookie:
        cookie["seen"] = [STRANGER.id, clock.now()]
    assert thief.post("/account/password", data={"password": CHOSEN}, headers=ines.bearer()).status_code == 403
    with thief.session_transaction() as cookie:
        cookie["seen"] = [ines.id, clock.now()]
    thief.get("/account")
    assert thief.send("/account/password", password=CHOSEN).status_code == 422
    with thief.session_transaction() as cookie:
        cookie["seen"] = [STRANGER.id, clock.now()]
    assert thief.send("/account/password", password=CHOSEN).status_code == 303
    assert accounts.authenticate(ines.email, ines.password, address="192.0.2.1").id == ines.id


@pytest.mark.parametrize("page", ["/account", "/deposit", "/admin", "/login", "/signon/link"])
def test_token_opens_no_page(client, ruth, page):
    assert client.get(page, headers=ruth.bearer()).status_code == 403


def test_token_needs_no_csrf_and_a_wrong_one_beats_the_cookie(sign_in, ines):
    client = sign_in(ines)
    dataset = {"title": "Livers"}
    assert client.post("/api/v1/datasets", json=dataset, headers=ines.bearer()).status_code == 201
    for wrong in ("Bearer nonsense", "Bearer", "Basic eA==", ""):
        header = {"Authorization": wrong}
        assert client.post("/api/v1/datasets", json=dataset, headers=header).status_code == 401, wrong
        assert client.post("/account/name", data={"name": "Forged"}, headers=header).status_code == 403, wrong
    assert ines.account.name == ines.name


def test_documents_and_public_pages_open_to_a_token(app, client, ines):
    assert set(app.view_functions) >= DOCUMENTS
    for address in ("/", "/help/metamd5.py", "/requests/key.pem", "/tracking/files.tsv", "/static/md5-worker.js"):
        assert client.get(address, headers=ines.bearer(), buffered=True).status_code == 200, address


@pytest.mark.parametrize("foreign", FOREIGN)
def test_password_that_a_browser_keeps_serves_no_other_site(client, ines, foreign):
    said = base64.b64encode(f"{ines.email}:{ines.password}".encode()).decode()
    body, known = b"<STUDY alias='x'/>", {"Authorization": f"Basic {said}", "Content-Type": "text/plain"}
    assert client.post("/api/v1/submit", data=body, headers=known | foreign).status_code == 400
    assert client.post("/api/v1/submit", data=body, headers=known).status_code == 200
    assert client.post("/api/v1/submit", data=body, headers=INES.bearer() | foreign).status_code == 200
