"""What a provider, or somebody in its place, says wrongly is refused; so is what comes back twice, late, or to another
browser than the one that began."""

import time
from threading import BoundedSemaphore

import pytest

from portal import clock, db
from portal.models import Throttle
from portal.web.accounts.single_sign_on import provider as door
from tests import provider as lies
from tests.accounts.single_sign_on.steps import address, begun, is_signed_in, part, returned, sign_on
from tests.provider import CLIENT


def test_request_holds_pkce_state_and_nonce(client, provider):
    sign_on(client)
    (asked,) = provider.asked
    assert asked["code_challenge_method"] == "S256" and len(asked["code_challenge"]) == 43
    assert len(asked["state"]) >= 20 and len(asked["nonce"]) >= 20
    assert set(asked["scope"].split()) == {"openid", "email", "profile"}


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
    "too long": {"sub": "9" * 256},
    "no moment": {"auth_time": float("nan")},
    "for another party": {"aud": [CLIENT, "another"], "azp": "another"},
    "another access token": {"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"},
}


@pytest.mark.parametrize("claims", LIES.values(), ids=LIES)
def test_false_claim_is_refused(client, provider, linked, claims):
    provider.claims = claims
    answer = sign_on(client)
    assert answer.status_code == 403 and "Sign in with e-mail and password" in answer.text
    assert not is_signed_in(client)


def test_failure_counts_against_the_address(client, provider, linked):
    provider.claims = {"nonce": "another"}
    for _ in range(3):
        sign_on(client)
    assert db.session.get(Throttle, "sign-on:127.0.0.1").count == 3
    with db.transaction():
        db.session.get(Throttle, "sign-on:127.0.0.1").count = 50
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
    back = begun(client)
    other = app.test_client()
    assert other.get(back).status_code == 403 and not is_signed_in(other)
    assert client.get(back).status_code == 303
    client.get("/account")
    client.send("/logout")
    assert client.get(back).status_code == 403 and not is_signed_in(client)


def test_code_of_another_browser_is_refused(app, client, provider, linked):
    """Somebody's own code, smuggled into the sign-on of another: the verifier is not theirs."""
    code = part(begun(app.test_client()), "code")
    state = part(begun(client), "state")
    assert client.get(f"/signon/back?code={code}&state={state}").status_code == 403
    assert provider.refused == ["invalid_grant"]


def test_sign_on_that_took_too_long_is_begun_again(client, provider, linked):
    back = begun(client)
    clock.shift(21 * clock.MINUTE)
    assert client.get(back).status_code == 403


def test_answer_of_another_provider_is_refused(client, provider, linked):
    back = begun(client)
    assert client.get(f"{back}&iss=https://elsewhere.example.org").status_code == 403
    assert client.get(f"{begun(client)}&iss={provider.issuer}").status_code == 303


def test_provider_that_always_names_itself_must_do_so(client, provider, linked):
    provider.described = {"authorization_response_iss_parameter_supported": True}
    back = begun(client)
    assert client.get(back).status_code == 403
    back = begun(client)
    assert client.get(f"{back}&iss={provider.issuer}").status_code == 303


def test_refusal_at_the_provider_is_told(client, provider):
    state = part(address(client.send("/signon")), "state")
    answer = client.get(f"/signon/back?error=access_denied&error_description=call+0800&state={state}")
    assert answer.status_code == 403 and "You did not sign in with Northmere sign-on" in answer.text
    assert "call 0800" not in answer.text


@pytest.mark.parametrize(
    "broken",
    [
        {"issuer": "https://elsewhere.example.org"},
        {"token_endpoint": "http://elsewhere.example.org/token"},
        {"jwks_uri": None},
        {"id_token_signing_alg_values_supported": ["HS256", "none"]},
    ],
)
def test_provider_that_describes_itself_badly_is_not_used(client, provider, broken):
    provider.described = broken
    answer = client.send("/signon")
    assert answer.status_code == 502 and "Sign in with e-mail and password" in answer.text


def test_silent_provider_leaves_the_local_sign_in(client, settings, ines):
    settings.oidc_issuer, settings.oidc_client_id = "http://127.0.0.1:9", CLIENT
    answer = client.send("/signon")
    assert answer.status_code == 503 and "does not answer" in answer.text and answer.headers["Retry-After"]
    assert client.send("/login", email=ines.email, password=ines.password).status_code == 303


def test_silent_provider_is_left_alone_for_a_moment(client, provider, linked, monkeypatch):
    provider.silent = True
    assert [client.send("/signon").status_code for _ in range(3)] == [503, 503, 503]
    assert provider.described_times == 1
    provider.silent = False
    monkeypatch.setitem(door._silent_until, provider.issuer, 0.0)
    assert sign_on(client).status_code == 303


def test_provider_that_hangs_holds_a_few_threads_only(client, provider, monkeypatch):
    monkeypatch.setattr(door, "SLOTS", BoundedSemaphore(1))
    monkeypatch.setattr(door, "SLOT_WAIT", 0.01)
    with door.slot():
        assert client.send("/signon").status_code == 503
    assert client.send("/signon").status_code == 200


def test_provider_that_falls_silent_between_is_told(client, provider, linked):
    back = begun(client)
    provider.silent = True
    assert client.get(back).status_code == 503 and not is_signed_in(client)


def test_many_begun_sign_ons_do_not_fill_the_cookie(client, provider, linked):
    pages = [address(client.send("/signon")) for _ in range(8)]
    with client.session_transaction() as kept:
        assert len(kept["begun"]) == 3
    assert client.get(returned(pages[0])).status_code == 403
    assert client.get(returned(pages[-1])).status_code == 303
