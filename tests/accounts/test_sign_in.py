"""Accounts over the web: registering, confirming, signing in and out, resetting, and what each of them ends."""

import re

import pytest
from sqlalchemy import select

from portal import clock, db
from portal.domain.accounts import accounts
from portal.models import Account, Mail


def last_mail(to: str) -> Mail:
    found = db.session.scalar(select(Mail).where(Mail.to == to).order_by(Mail.id.desc()))
    assert found is not None
    return found


def link(mail: Mail) -> str:
    """The path of the first link of a mail."""
    return re.search(r"https?://[^/\s]+(/\S+)", mail.body).group(1)


def register(client, email="nils.berg@example.org", **fields):
    return client.send(
        "/register", **{"name": "Nils Berg", "email": email, "password": "a long enough one", "center": "", **fields}
    )


def is_signed_in(client) -> bool:
    return client.get("/account").status_code == 200


def test_register_confirm_and_be_signed_in(client, database):
    assert "nils.berg@example.org" in register(client).text
    path = link(last_mail("nils.berg@example.org"))
    assert not is_signed_in(client)
    page = client.get(path)
    assert page.headers["Referrer-Policy"] == "no-referrer"
    assert client.send(path, password="a long enough one").headers["Location"] == "/deposit"
    assert is_signed_in(client)
    account = accounts.by_email("nils.berg@example.org")
    assert (account.state, account.center.name, account.role) == ("active", "Nils Berg", "submitter")


def test_confirm_needs_the_password_of_whoever_registered(client, database):
    register(client)
    path = link(last_mail("nils.berg@example.org"))
    assert client.send(path, password="not the one chosen").status_code == 422
    assert client.get(path).status_code == 200
    assert accounts.by_email("nils.berg@example.org").state == "new"


def test_confirm_link_is_single_use_and_ends_after_a_day(client, database):
    register(client)
    path = link(last_mail("nils.berg@example.org"))
    clock.shift(accounts.VERIFY_LIFETIME + 1)
    assert client.get(path).status_code == 404
    clock.reset()
    client.send(path, password="a long enough one")
    assert client.get(path).status_code == 404


def test_sign_in_before_confirming_says_so_only_with_the_right_password(client, database):
    register(client)
    client.get("/login")
    answer = client.send("/login", email="nils.berg@example.org", password="a long enough one")
    assert answer.status_code == 422 and "Open the link in the mail" in answer.text
    assert "Open the link" not in client.send("/login", email="nils.berg@example.org", password="wrong one").text


def test_register_tells_nobody_that_an_address_is_known(client, ines):
    fresh = register(client).text.replace("nils.berg@example.org", "X")
    known = register(client, email=ines.email).text.replace(ines.email, "X")
    # The token of the forms stands in a field and in the header that htmx sends; its time differs by a second at times.
    token = r"value=\"[^\"]+\"|X-CSRFToken\": \"[^\"]+\""
    assert re.sub(token, "", fresh) == re.sub(token, "", known)
    assert "has an account already" in last_mail(ines.email).body
    assert client.sign_in(ines)


def test_register_never_joins_a_center_that_exists(client, ines):
    register(client, center=ines.center)
    center = accounts.by_email("nils.berg@example.org").center
    assert center.id != ines.account.center_id
    assert center.name == "Northmere Institute (Nils Berg)"


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("password", "too short", "at least 10 characters"),
        ("email", "nils at example", "no e-mail address"),
        ("name", " \t", "name that colleagues"),
    ],
)
def test_register_refuses_and_keeps_what_was_typed(client, database, field, value, said):
    answer = register(client, **{field: value})
    assert answer.status_code == 422 and said in answer.text
    if field != "name":
        assert 'value="Nils Berg"' in answer.text
    assert "a long enough one" not in answer.text


def test_register_can_be_closed(client, settings):
    settings.registration = False
    assert "Registration is closed" in client.get("/register").text
    assert register(client).status_code == 403


def test_sign_in_opens_and_sign_out_ends_the_session(client, ines):
    client.sign_in(ines)
    key = client.get_cookie("omix").value
    client.get("/account")
    assert client.send("/logout").status_code == 303
    client.set_cookie("omix", key)
    assert not is_signed_in(client)


def test_sign_in_makes_a_new_session_key_and_csrf_token(client, ines):
    client.get("/login")
    before, token = client.get_cookie("omix").value, client.token
    client.sign_in(ines)
    assert client.get_cookie("omix").value != before
    client.token = token
    assert client.send("/account/name", name="Forged").status_code == 400


@pytest.mark.parametrize(
    ("wanted", "reached"),
    [
        ("/tracking?page=2", "/tracking?page=2"),
        ("//evil.example.org", "/deposit"),
        ("/\\evil.example.org", "/deposit"),
        ("https://evil.example.org/", "/deposit"),
        ("/a\r\nX: y", "/deposit"),
        ("", "/deposit"),
    ],
)
def test_sign_in_goes_on_to_pages_of_this_site_only(client, ines, wanted, reached):
    answer = client.send("/login", email=ines.email, password=ines.password, next=wanted)
    assert answer.headers["Location"] == reached


def test_sign_in_guesses_are_throttled_even_with_the_right_password(client, ines):
    for _ in range(10):
        assert client.send("/login", email=ines.email, password="a wrong guess").status_code == 422
    answer = client.send("/login", email=ines.email, password=ines.password)
    assert answer.status_code == 429 and "Try again in" in answer.text
    clock.shift(5 * clock.MINUTE + 1)
    client.sign_in(ines)


def test_sign_in_says_the_same_of_unknown_people(client, ines):
    known = client.send("/login", email=ines.email, password="a wrong guess").text
    unknown = client.send("/login", email="nobody@example.org", password="a wrong guess").text
    assert known.replace(ines.email, "X") == unknown.replace("nobody@example.org", "X")


def test_reset_sets_a_new_password_and_ends_every_session(client, sign_in, ines):
    elsewhere = sign_in(ines)
    client.send("/reset", email=ines.email)
    path = link(last_mail(ines.email))
    assert client.send(path, password="short").status_code == 422
    assert client.send(path, password="another long one").status_code == 303
    assert is_signed_in(client)
    assert not is_signed_in(elsewhere)
    assert client.get(path).status_code == 404
    assert accounts.authenticate(ines.email, "another long one", address="192.0.2.1").id == ines.id


def test_reset_link_dies_with_a_password_change_a_newer_link_and_an_hour(client, sign_in, ines):
    def ask() -> str:
        client.send("/reset", email=ines.email)
        return link(last_mail(ines.email))

    first, second = ask(), ask()
    assert client.get(first).status_code == 404
    assert client.get(second).status_code == 200
    clock.shift(accounts.RESET_LIFETIME + 1)
    assert client.get(second).status_code == 404
    third = ask()
    sign_in(ines).send("/account/password", present=ines.password, password="another long one")
    assert client.get(third).status_code == 404


def test_reset_says_the_same_of_unknown_people_and_mails_three_times_at_most(client, ines):
    known = client.send("/reset", email=ines.email).text
    unknown = client.send("/reset", email="nobody@example.org").text
    assert known.replace(ines.email, "X") == unknown.replace("nobody@example.org", "X")
    for _ in range(4):
        client.send("/reset", email=ines.email)
    assert len(db.session.scalars(select(Mail).where(Mail.to == ines.email)).all()) == 3
    assert db.session.scalar(select(Mail).where(Mail.to == "nobody@example.org")) is None


def test_links_in_mails_never_follow_the_host_header(client, settings, ines):
    settings.public_url = "https://data.example.org"
    evil = "http://evil.example.org"
    client.get("/reset", base_url=evil)
    client.post("/reset", data={"csrf_token": client.token, "email": ines.email}, base_url=evil)
    assert "https://data.example.org/reset/" in last_mail(ines.email).body


def test_closed_account_signs_in_nowhere(client, ines):
    with db.transaction():
        account = db.session.get(Account, ines.id)
        accounts.close(account, actor=account)
    assert client.send("/login", email=ines.email, password=ines.password).status_code == 422
