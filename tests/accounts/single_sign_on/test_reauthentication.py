"""Somebody without a password shows that it is them by giving the provider its own once more."""

import re
import time

from portal import clock
from portal.domain.accounts import accounts
from tests.accounts.single_sign_on.steps import NEW, sign_on


def test_person_without_a_password_makes_one_for_ftp(nils):
    page = nils.send("/account/ftp-password")
    secret = re.search(r"<code[^>]*>([^<]+)</code>", page.text)[1]
    account = accounts.by_email(NEW["email"])
    assert accounts.authenticate_ftp(account.email, secret, address="192.0.2.1").id == account.id
    assert "Your account password works" not in page.text


def test_person_without_a_password_sets_one_after_a_fresh_sign_on(nils):
    refused = nils.send("/account/password", password="another long one")
    assert refused.status_code == 422 and "Sign in again" in refused.text
    assert sign_on(nils, "/signon/prove", next="/account#pw").location == "/account#pw"
    nils.get("/account")
    assert nils.send("/account/password", password="another long one").status_code == 303
    assert accounts.authenticate(NEW["email"], "another long one", address="192.0.2.1")
    assert "Present password" in nils.get("/account").text


def test_fresh_sign_on_counts_for_ten_minutes(nils):
    sign_on(nils, "/signon/prove")
    nils.get("/account/close")
    clock.shift(11 * clock.MINUTE)
    assert nils.send("/account/close").status_code == 422
    clock.reset()
    assert nils.send("/account/close").status_code == 303
    assert accounts.by_email(NEW["email"]).state == "closed"


def test_session_at_the_provider_is_no_fresh_sign_on(nils, provider):
    """It must ask for the credentials again, and say when it did."""
    provider.claims = {"auth_time": int(time.time()) - 3600}
    assert sign_on(nils, "/signon/prove").status_code == 403
    provider.claims = {"auth_time": None}
    assert sign_on(nils, "/signon/prove").status_code == 403
    assert (provider.asked[-1]["prompt"], provider.asked[-1]["max_age"]) == ("login", "0")
    assert nils.send("/account/password", password="another long one").status_code == 422


def test_somebody_else_proves_nothing(nils, provider):
    provider.person = NEW | {"sub": "78"}
    answer = sign_on(nils, "/signon/prove")
    assert answer.status_code == 403 and "somebody else" in answer.text
    assert nils.send("/account/password", password="another long one").status_code == 422
