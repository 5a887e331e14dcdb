"""Single sign-on against a provider on this machine: who gets in, whose account opens, which lies are refused."""

import re
import time
import urllib.request
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import select

from portal import clock, db
from portal.domain import accounts, identities
from portal.models import Event, Identity, Mail, Throttle
from portal.web.signon.provider import forget
from tests import provider as lies
from tests.provider import CLIENT, INES, SECRET, Provider

NEW = {"sub": "77", "email": "Nils.Berg@example.org", "email_verified": True, "name": "Nils Berg"}


@pytest.fixture
def provider(settings):
    with Provider() as running:
        settings.oidc_issuer, settings.oidc_name = running.issuer, "Northmere sign-on"
        settings.oidc_client_id, settings.oidc_client_secret = CLIENT, SECRET
        forget()
        yield running


class _Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_args, **_kwargs):
        return None


def address(answer) -> str:
    """Where the page that leaves for the provider leads."""
    assert answer.status_code == 200, answer.text
    return unescape(re.search(r'content="0;url=([^"]+)"', answer.text)[1])


def returned(url: str) -> str:
    """What the provider sends the browser back to, as a path of the portal."""
    try:
        urllib.request.build_opener(_Stay).open(url, timeout=10)
    except urllib.error.HTTPError as moved:
        with moved:
            parts = urlsplit(moved.headers["Location"])
            return f"{parts.path}?{parts.query}"
    raise AssertionError("the provider sent nobody back")


def sign_on(client, start: str = "/signon", **fields):
    return client.get(returned(address(client.send(start, **fields))))


def is_signed_in(client) -> bool:
    return client.get("/account").status_code == 200


def actions() -> list[str]:
    return list(db.session.scalars(select(Event.action).order_by(Event.id)))


@pytest.fixture
def linked(provider, ines):
    """Ines's account opens by what the provider calls her."""
    with db.transaction():
        person = identities.Person(provider.issuer, INES["sub"], INES["email"], INES["name"])
        identities.link(ines.account, person, actor=ines.account)
    return ines


def test_stranger_gets_an_account_with_a_center_of_their_own(client, provider):
    provider.person = NEW
    answer = sign_on(client, next="/area")
    assert (answer.status_code, answer.location) == (303, "/area")
    account = accounts.by_email("nils.berg@example.org")
    assert (account.role, account.name, account.center.name) == ("submitter", "Nils Berg", "Nils Berg")
    assert account.password_hash is None and is_signed_in(client)
    assert actions()[-2:] == ["account.create", "identity.link"]
    again = client.application.test_client()
    assert sign_on(again).location == "/deposit"
    assert len(identities.of(account)) == 1


def test_request_holds_pkce_state_and_nonce(client, provider):
    sign_on(client)
    (asked,) = provider.asked
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 20 and len(asked["nonce"]) >= 20
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}


def test_session_is_a_new_one(client, linked):
    client.get("/login")
    with client.session_transaction() as before:
        token = before["csrf_token"]
    sign_on(client)
    with client.session_transaction() as after:
        assert after["key"] and after.get("csrf_token") != token and "begun" not in after


LIES = {
    "another nonce": {"nonce": "of another sign-on"},
    "no nonce": {"nonce": None},
    "another audience": {"aud": "another-portal", "azp": CLIENT},
    "no audience": {"aud": None},
    "another issuer": {"iss": "https://elsewhere.example.org"},
    "expired": {"exp": int(time.time()) - 120},
    "no expiry": {"exp": None},
    "from the future": {"iat": int(time.time()) + 3600},
    "nobody": {"sub": None},
    "no text": {"sub": 5},
    "for another party": {"aud": [CLIENT, "another"], "azp": "another"},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("claims", LIES.values(), ids=LIES)
def test_false_claim_is_refused_and_counted(client, provider, linked, claims):
    provider.claims = claims
    answer = sign_on(client)
    assert answer.status_code == 403 and "Sign in with e-mail and password" in answer.text
    assert not is_signed_in(client)


def test_failure_counts_against_the_address(client, provider, linked):
    provider.claims = {"nonce": "another"}
    for _ in range(3):
        sign_on(client)
    assert db.session.get(Throttle, "address:127.0.0.1").count == 3
    with db.transaction():
        db.session.get(Throttle, "address:127.0.0.1").count = 50
    provider.claims = {}
    answer = sign_on(client)
    assert answer.status_code == 429 and answer.headers["Retry-After"] and not is_signed_in(client)


@pytest.mark.parametrize("sign", [lies.unsigned, lies.shared_secret, lies.foreign], ids=["none", "HS256", "foreign"])
@pytest.mark.parametrize("announced", [["RS256"], ["RS256", "none", "HS256"]], ids=["one", "all"])
def test_token_that_the_provider_did_not_sign_is_refused(client, provider, linked, sign, announced):
    provider.sign, provider.described = sign, {"id_token_signing_alg_values_supported": announced}
    assert sign_on(client).status_code == 403
    assert not is_signed_in(client)


def test_state_is_taken_once_and_only_by_the_browser_that_began(app, client, provider, linked):
    back = returned(address(client.send("/signon")))
    other = app.test_client()
    assert other.get(back).status_code == 403 and not is_signed_in(other)
    assert client.get(back).status_code == 303
    client.get("/account")
    client.send("/logout")
    assert client.get(back).status_code == 403 and not is_signed_in(client)


def test_code_of_another_browser_is_refused(app, client, provider, linked):
    """Somebody's own code, smuggled into the sign-on of another: the verifier is not theirs."""
    code = parse_qs(urlsplit(returned(address(app.test_client().send("/signon")))).query)["code"][0]
    state = parse_qs(urlsplit(returned(address(client.send("/signon")))).query)["state"][0]
    assert client.get(f"/signon/back?code={code}&state={state}").status_code == 403
    assert provider.refused == ["invalid_grant"]


def test_sign_on_that_took_too_long_is_begun_again(client, provider, linked):
    back = returned(address(client.send("/signon")))
    clock.shift(21 * clock.MINUTE)
    assert client.get(back).status_code == 403


def test_answer_of_another_provider_is_refused(client, provider, linked):
    back = returned(address(client.send("/signon")))
    assert client.get(f"{back}&iss=https://elsewhere.example.org").status_code == 403
    assert client.get(f"{returned(address(client.send('/signon')))}&iss={provider.issuer}").status_code == 303


def test_provider_that_always_names_itself_must_do_so(client, provider, linked):
    provider.described = {"authorization_response_iss_parameter_supported": True}
    back = returned(address(client.send("/signon")))
    assert client.get(back).status_code == 403
    back = returned(address(client.send("/signon")))
    assert client.get(f"{back}&iss={provider.issuer}").status_code == 303


def test_refusal_at_the_provider_is_told(client, provider):
    state = parse_qs(urlsplit(address(client.send("/signon"))).query)["state"][0]
    answer = client.get(f"/signon/back?error=access_denied&error_description=call+0800&state={state}")
    assert answer.status_code == 403 and "You did not sign in with Northmere sign-on" in answer.text
    assert "call 0800" not in answer.text


@pytest.mark.parametrize("verified", [False, None, "false", 0])
def test_unverified_address_makes_no_account(client, provider, verified):
    provider.person = NEW | {"email_verified": verified}
    answer = sign_on(client)
    assert answer.status_code == 403 and "Confirm your address there" in answer.text
    assert accounts.by_email("nils.berg@example.org") is None and not is_signed_in(client)


def test_address_may_come_from_the_userinfo_of_the_same_person(client, provider):
    provider.person, provider.userinfo = {"sub": "77"}, NEW
    assert sign_on(client).status_code == 303
    provider.person, provider.userinfo = {"sub": "78"}, NEW | {"sub": "77"}
    assert sign_on(client.application.test_client()).status_code == 403


def test_address_of_an_account_opens_nothing_before_its_password(client, provider, ines):
    answer = sign_on(client, next="/area")
    assert answer.location == "/signon/link" and not is_signed_in(client)
    assert ines.email in client.get("/signon/link").text
    wrong = client.send("/signon/link", password="not this one")
    assert wrong.status_code == 422 and "After 9 more attempts" in wrong.text and not is_signed_in(client)
    assert identities.of(ines.account) == []
    right = client.send("/signon/link", password=ines.password)
    assert (right.status_code, right.location) == (303, "/area") and is_signed_in(client)
    assert [identity.subject for identity in identities.of(ines.account)] == [INES["sub"]]
    assert db.session.scalar(select(Mail.to).where(Mail.subject.contains("now opens your account"))) == ines.email
    assert sign_on(client.application.test_client()).location == "/deposit"


def test_nobody_waits_to_be_linked_for_long(client, provider, ines):
    assert client.get("/signon/link").status_code == 404
    sign_on(client)
    clock.shift(21 * clock.MINUTE)
    assert client.send("/signon/link", password=ines.password).status_code == 404


def test_unconfirmed_account_of_the_address_is_taken_over_without_its_password(client, provider):
    with db.transaction():
        accounts.register(email=NEW["email"], name="Somebody", password="of somebody else", center="")
    provider.person = NEW
    assert sign_on(client).location == "/deposit"
    account = accounts.by_email(NEW["email"])
    assert (account.state, account.name, account.password_hash) == ("active", "Nils Berg", None)


def test_changed_address_at_the_provider_opens_the_same_account(client, provider, linked, stranger):
    provider.person = INES | {"email": stranger.email}
    assert sign_on(client).location == "/deposit"
    assert linked.email in client.get("/account").text
    assert identities.of(linked.account)[0].email == stranger.email and linked.account.email == linked.email


def test_same_subject_of_another_issuer_is_somebody_else(client, provider, ines):
    with db.transaction():
        person = identities.Person("https://elsewhere.example.org", INES["sub"], ines.email, "Ines")
        identities.link(ines.account, person, actor=ines.account)
    assert sign_on(client).location == "/signon/link"


def test_closed_account_is_refused(client, provider, linked):
    with db.transaction():
        accounts.close(linked.account, actor=None)
    assert "closed" in sign_on(client).text
    provider.person = INES | {"sub": "another"}
    answer = sign_on(client)
    assert answer.status_code == 403 and "closed" in answer.text and not is_signed_in(client)


def test_closing_and_signing_out_everywhere_end_such_sessions(app, provider, linked):
    first, second = app.test_client(), app.test_client()
    sign_on(first), sign_on(second)
    first.get("/account")
    first.send("/account/sign-out-everywhere")
    assert is_signed_in(first) and not is_signed_in(second)
    with db.transaction():
        accounts.close(linked.account, actor=None)
    assert not is_signed_in(first)


def test_reopened_account_does_not_open_by_what_was_linked_before(client, provider, linked):
    with db.transaction():
        accounts.close(linked.account, actor=None)
    with db.transaction():
        accounts.create(email=linked.email, password="a new one of another person")
    assert sign_on(client).location == "/signon/link"


def test_registration_by_sign_on_can_be_closed(client, settings, provider, linked):
    settings.oidc_registration = False
    provider.person = NEW
    answer = sign_on(client)
    assert answer.status_code == 403 and settings.contact in answer.text
    provider.person = INES
    assert sign_on(client).status_code == 303


@pytest.mark.parametrize("broken", [
    {"issuer": "https://elsewhere.example.org"}, {"token_endpoint": "http://elsewhere.example.org/token"},
    {"jwks_uri": None}, {"id_token_signing_alg_values_supported": ["HS256", "none"]},
])  # fmt: skip
def test_provider_that_describes_itself_badly_is_not_used(client, provider, broken):
    provider.described = broken
    answer = client.send("/signon")
    assert answer.status_code == 502 and "Sign in with e-mail and password" in answer.text


def test_silent_provider_leaves_the_local_sign_in(client, settings, ines):
    settings.oidc_issuer, settings.oidc_client_id = "http://127.0.0.1:9", CLIENT
    answer = client.send("/signon")
    assert answer.status_code == 503 and "does not answer" in answer.text and answer.headers["Retry-After"]
    assert client.send("/login", email=ines.email, password=ines.password).status_code == 303


def test_provider_that_falls_silent_between_is_told(client, provider, linked):
    back = returned(address(client.send("/signon")))
    provider.silent = True
    assert client.get(back).status_code == 503 and not is_signed_in(client)


def test_client_may_be_public_or_post_its_secret(app, settings, provider, linked):
    provider.described = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_on(app.test_client()).status_code == 303
    provider.secret = settings.oidc_client_secret = ""
    assert sign_on(app.test_client()).status_code == 303


def test_site_without_a_provider_has_no_sign_on(client):
    assert "Sign in with" not in client.get("/login").text
    assert client.send("/signon").status_code == 404


def test_page_offers_the_provider_and_no_address_of_another_site(client, provider, linked):
    assert "Sign in with Northmere sign-on" in client.get("/login").text
    assert "Sign in with Northmere sign-on" in client.get("/register").text
    assert sign_on(client, next="//elsewhere.example.org").location == "/deposit"


def test_account_is_linked_from_its_page_after_sign_in_to_both(sign_in, provider, ines):
    client = sign_in(ines)
    client.get("/account")
    assert client.send("/signon/more", proof="not this one").status_code == 422
    answer = sign_on(client, "/signon/more", proof=ines.password)
    assert answer.location == "/account#signon" and INES["email"] in client.get("/account").text
    assert db.session.scalar(select(Identity.account_id)) == ines.id


def test_identity_of_another_account_is_not_linked_again(sign_in, provider, linked, stranger):
    client = sign_in(stranger)
    client.get("/account")
    answer = sign_on(client, "/signon/more", proof=stranger.password)
    assert answer.status_code == 409 and "opens another account" in answer.text
    assert [identity.account_id for identity in db.session.scalars(select(Identity))] == [linked.id]


def test_link_goes_to_the_account_that_began_it(app, sign_in, provider, ines, stranger):
    client = sign_in(ines)
    client.get("/account")
    back = returned(address(client.send("/signon/more", proof=ines.password)))
    with client.session_transaction() as kept:
        begun = kept["begun"]
    client.send("/logout")
    client.token = None
    client.sign_in(stranger)
    with client.session_transaction() as kept:
        kept["begun"] = begun
    assert client.get(back).status_code == 403 and identities.of(stranger.account) == []


def test_unlinking_needs_the_password_and_ends_other_sessions(app, sign_in, provider, linked):
    here, other = sign_in(linked), app.test_client()
    sign_on(other)
    (identity,) = identities.of(linked.account)
    page = f"/signon/{identity.id}/unlink"
    here.get(page)
    assert here.send(page, present="not this one").status_code == 422
    assert here.send(page, present=linked.password).location == "/account#signon"
    assert identities.of(linked.account) == [] and is_signed_in(here) and not is_signed_in(other)
    assert "identity.unlink" in actions()
    assert sign_on(app.test_client()).location == "/signon/link"


@pytest.fixture
def nils(client, provider):
    """Somebody without a password, signed on an hour after they gave it to the provider."""
    provider.person = NEW
    sign_on(client)
    client.get("/account")
    return client


def test_person_without_a_password_makes_one_for_ftp(nils):
    page = nils.send("/account/ftp-password")
    secret = re.search(r"<code[^>]*>([^<]+)</code>", page.text)[1]
    account = accounts.by_email(NEW["email"])
    assert accounts.authenticate_ftp(account.email, secret, address="192.0.2.1").id == account.id
    assert "Your account password works" not in page.text


def test_last_way_in_is_never_removed(nils):
    account = accounts.by_email(NEW["email"])
    page = f"/signon/{identities.of(account)[0].id}/unlink"
    assert "Sign in with Northmere sign-on again" in nils.get(page).text
    sign_on(nils, "/signon/prove", next=page)
    nils.get(page)
    answer = nils.send(page)
    assert answer.status_code == 409 and "only way" in answer.text and len(identities.of(account)) == 1


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


def test_many_begun_sign_ons_do_not_fill_the_cookie(client, provider, linked):
    pages = [address(client.send("/signon")) for _ in range(8)]
    with client.session_transaction() as kept:
        assert len(kept["begun"]) == 3
    assert client.get(returned(pages[0])).status_code == 403
    assert client.get(returned(pages[-1])).status_code == 303
