"""The account page: secrets shown once, changes that need the present password, tokens made and revoked."""

import re

from portal.domain.accounts import accounts, tokens

HERE = "192.0.2.10"


def shown(answer, label: str) -> str:
    """The secret beside the copy button of a page."""
    found = re.search(rf"<code[^>]*>([^<]+)</code>.{{0,300}}{label}", answer.text, re.S)
    assert found, answer.text
    return found.group(1)


def test_ftp_password_is_shown_once_and_works_until_removed(sign_in, ines):
    client = sign_in(ines)
    client.get("/account")
    secret = shown(client.send("/account/ftp-password"), "Copy the FTP-only password")
    assert accounts.authenticate_ftp(ines.email, secret, address=HERE).id == ines.id
    page = client.get("/account").text
    assert secret not in page and "Replace it" in page
    client.send("/account/ftp-password/remove")
    assert ines.account.ftp_password_hash is None


def test_api_token_is_shown_once_listed_and_revoked(sign_in, ines):
    client = sign_in(ines)
    client.get("/account")
    secret = shown(client.send("/account/tokens", label="sequencer <2>"), "Copy the token")
    page = client.get("/account").text
    assert secret not in page and "sequencer &lt;2&gt;" in page
    (token,) = tokens.api_tokens(ines.account)
    client.send(f"/account/tokens/{token.id}/revoke")
    assert tokens.find("api", secret) is None


def test_password_change_needs_the_present_one_and_keeps_this_browser(sign_in, ines):
    here, elsewhere = sign_in(ines), sign_in(ines)
    here.get("/account")
    wrong = here.send("/account/password", present="not this one", password="another long one")
    assert wrong.status_code == 422 and "not your present password" in wrong.text
    assert here.send("/account/password", present=ines.password, password="another long one").status_code == 303
    assert here.get("/account").status_code == 200
    assert elsewhere.get("/account").status_code == 303
    assert accounts.authenticate(ines.email, "another long one", address=HERE).id == ines.id


def test_sign_out_everywhere_keeps_this_browser(sign_in, ines):
    here, elsewhere = sign_in(ines), sign_in(ines)
    here.get("/account")
    here.send("/account/sign-out-everywhere")
    assert (here.get("/account").status_code, elsewhere.get("/account").status_code) == (200, 303)


def test_name_is_changed_and_an_empty_one_refused(sign_in, ines):
    client = sign_in(ines)
    client.get("/account")
    assert client.send("/account/name", name="  ").status_code == 422
    client.send("/account/name", name="Ines Okafor-Lind")
    assert "Ines Okafor-Lind" in client.get("/account").text


def test_closing_needs_the_password_and_ends_the_session(sign_in, ines):
    client = sign_in(ines)
    client.get("/account/close")
    assert client.send("/account/close", present="not this one").status_code == 422
    assert client.send("/account/close", present=ines.password).status_code == 303
    assert client.get("/account").status_code == 303
    assert ines.account.state == "closed"
