"""An identity opens an existing account only after sign-in to both; a link ends, and never the last way in."""

import pytest
from sqlalchemy import select

from portal import clock, db
from portal.domain.accounts import accounts, admin, identities
from portal.models import Identity, Mail
from tests.accounts.single_sign_on.steps import NEW, actions, begun, is_signed_in, sign_on
from tests.provider import INES


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


def test_same_subject_of_another_issuer_is_somebody_else(client, provider, ines):
    with db.transaction():
        person = identities.Person("https://elsewhere.example.org", INES["sub"], ines.email, "Ines")
        identities.link(ines.account, person, actor=ines.account)
    assert sign_on(client).location == "/signon/link"


@pytest.mark.parametrize("by", ["operator", "curator"])
def test_reopened_account_does_not_open_by_what_was_linked_before(client, provider, linked, ruth, by):
    with db.transaction():
        accounts.close(linked.account, actor=None)
    with db.transaction():
        if by == "operator":
            accounts.create(email=linked.email, password="a new one of another person")
        else:
            admin.reopen(linked.account, actor=ruth.account)
    assert sign_on(client).location == "/signon/link"


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
    back = begun(client, "/signon/more", proof=ines.password)
    with client.session_transaction() as kept:
        remembered = kept["begun"]
    client.send("/logout")
    client.token = None
    client.sign_in(stranger)
    with client.session_transaction() as kept:
        kept["begun"] = remembered
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


def test_last_way_in_is_never_removed(nils):
    account = accounts.by_email(NEW["email"])
    page = f"/signon/{identities.of(account)[0].id}/unlink"
    assert "Sign in with Northmere sign-on again" in nils.get(page).text
    sign_on(nils, "/signon/prove", next=page)
    nils.get(page)
    answer = nils.send(page)
    assert answer.status_code == 409 and "only way" in answer.text and len(identities.of(account)) == 1
