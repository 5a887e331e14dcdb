"""Single sign-on: who gets in, and whose account opens."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from portal import db
from portal.domain.accounts import accounts, identities
from tests.accounts.single_sign_on.steps import NEW, actions, begun, is_signed_in, sign_on
from tests.provider import INES


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


def test_session_is_a_new_one(client, linked):
    client.get("/login")
    with client.session_transaction() as before:
        token = before["csrf_token"]
    sign_on(client)
    with client.session_transaction() as after:
        assert after["key"] and after.get("csrf_token") != token and "begun" not in after


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


def test_registration_by_sign_on_can_be_closed(client, settings, provider, linked):
    settings.oidc_registration = False
    provider.person = NEW
    answer = sign_on(client)
    assert answer.status_code == 403 and settings.contact in answer.text
    provider.person = INES
    assert sign_on(client).status_code == 303


def test_client_may_be_public_or_post_its_secret(app, settings, provider, linked):
    provider.described = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    assert sign_on(app.test_client()).status_code == 303
    provider.secret = settings.oidc_client_secret = ""
    assert sign_on(app.test_client()).status_code == 303


def test_key_that_the_provider_changed_to_is_found(app, provider, linked):
    provider.described = {"id_token_signing_alg_values_supported": ["RS256", "ES256"]}
    assert sign_on(app.test_client()).status_code == 303
    key = ECKey.generate_key("P-256", {"kid": "two", "use": "sig"})
    provider.keys, provider.sign = [key], lambda claims, _: jwt.encode({"alg": "ES256", "kid": "two"}, claims, key)
    assert sign_on(app.test_client()).status_code == 303


def test_site_without_a_provider_has_no_sign_on(client):
    assert "Sign in with" not in client.get("/login").text
    assert "FTP without a password" not in client.get("/help/account").text
    assert client.send("/signon").status_code == 404


def test_page_offers_the_provider_and_no_address_of_another_site(client, provider, linked):
    assert "Sign in with Northmere sign-on" in client.get("/login").text
    assert "Sign in with Northmere sign-on" in client.get("/register").text
    assert "Sign in with Northmere sign-on" in client.get("/help/account").text
    assert sign_on(client, next="//elsewhere.example.org").location == "/deposit"


def test_sign_out_offers_the_way_out_of_the_provider(client, provider, linked):
    sign_on(client)
    client.get("/account")
    answer = client.send("/logout")
    assert answer.location == "/signon/left" and not is_signed_in(client)
    assert f'href="{provider.issuer}/leave?client_id=omix"' in client.get("/signon/left").text
    client.token = None
    client.sign_in(linked).get("/account")
    assert client.send("/logout").location == "/"


def test_sign_out_asks_nothing_of_a_provider_that_is_gone(client, provider, linked):
    provider.described = {"end_session_endpoint": None}
    sign_on(client)
    assert "Sign out of" not in client.get("/signon/left").text


@pytest.mark.parametrize("name", ["", "  ", "Nils\r\nBcc: all", "N" * 400, 5])
def test_name_of_the_provider_is_made_fit(client, provider, name):
    provider.person = NEW | {"name": name}
    assert sign_on(client).status_code == 303
    account = accounts.by_email(NEW["email"])
    assert account.name and "\n" not in account.name and len(account.name) <= 200


def test_name_may_come_in_two_parts(client, provider):
    provider.person = NEW | {"name": None, "given_name": "Nils", "family_name": "Berg"}
    sign_on(client)
    assert accounts.by_email(NEW["email"]).name == "Nils Berg"


def test_center_of_a_namesake_is_not_joined(client, provider, app):
    provider.person = NEW
    sign_on(client)
    provider.person = NEW | {"sub": "79", "email": "another.berg@example.org"}
    sign_on(app.test_client())
    first, second = (accounts.by_email(email) for email in (NEW["email"], "another.berg@example.org"))
    assert first.center_id != second.center_id


def test_two_sign_ons_at_once_make_one_account(app, provider):
    provider.person = NEW
    browsers = [app.test_client() for _ in range(4)]
    backs = [begun(browser) for browser in browsers]
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda pair: pair[0].get(pair[1]).location, zip(browsers, backs, strict=True)))
    assert answers == ["/deposit"] * 4
    assert len(identities.of(accounts.by_email(NEW["email"]))) == 1
