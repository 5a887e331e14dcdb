"""What a curator does for another's account: the last curator stays one, links work once, each change is an event."""

import pytest
from sqlalchemy import select

from portal import clock, db, errors
from portal.domain.accounts import accounts, admin, centers, passwords, tokens
from portal.models import Account, Event, Mail
from portal.queries.admin import event_log

HERE = "192.0.2.10"
NEW = {"email": "nils.berg@example.org", "name": "Nils Berg", "role": "submitter", "center": "Harbour Lab"}


def last_event() -> Event:
    return db.session.scalars(select(Event).order_by(Event.id.desc())).first()


def registered() -> Account:
    with db.transaction():
        accounts.register(email=NEW["email"], name=NEW["name"], password="a long enough one")
    return accounts.by_email(NEW["email"])


def test_last_curator_keeps_the_role_until_there_is_another(ines, ruth):
    with db.transaction(), pytest.raises(errors.Conflict) as refused:
        admin.set_role(ruth.account, "submitter", actor=ruth.account)
    assert refused.value.codes == ["last_curator"]
    with db.transaction():
        admin.set_role(ines.account, "curator", actor=ruth.account)
        admin.set_role(ruth.account, "submitter", actor=ruth.account)
    assert (ines.account.role, ruth.account.role) == ("curator", "submitter")


def test_role_of_a_closed_or_new_account_is_not_changed(ines, ruth):
    with db.transaction():
        accounts.close(ines.account, actor=ruth.account)
    for account in (ines.account, registered()):
        with db.transaction(), pytest.raises(errors.Conflict) as refused:
            admin.set_role(account, "curator", actor=ruth.account)
        assert refused.value.codes == ["role_of_unopened"]
    with db.transaction(), pytest.raises(errors.Invalid):
        admin.set_role(ruth.account, "owner", actor=ruth.account)


def test_changes_are_events_of_the_person_and_of_who_made_them(ines, ruth):
    with db.transaction():
        admin.set_role(ines.account, "curator", actor=ruth.account)
        admin.move(ines.account, centers.find("Harbour Lab"), actor=ruth.account)
    event = last_event()
    assert (event.action, event.actor_id) == ("account.move", ruth.id)
    assert event.before == {"center": "Northmere Institute"}
    assert event.after == {"account": ines.id, "center": "Harbour Lab"}
    mine = [line.event.action for line in event_log.page(event_log.Filter(person=ines.id)).rows]
    assert mine == ["account.move", "account.role", "account.create"]
    assert ines.account.center.name == "Harbour Lab"


def test_sessions_over_ftp_end_with_the_center(ines, ruth):
    """The former center's reports lie in /outgoing of an open session."""
    before = ines.account.epoch
    with db.transaction():
        admin.move(ines.account, centers.ensure("Harbour Lab"), actor=ruth.account)
    assert ines.account.epoch == before + 1


def test_what_changes_nothing_is_no_event(ines, ruth):
    before = last_event().id
    with db.transaction():
        admin.set_role(ines.account, "submitter", actor=ruth.account)
        admin.move(ines.account, ines.account.center, actor=ruth.account)
    assert last_event().id == before


def test_center_that_is_not_there_is_not_made_by_a_slip_of_the_pen(database):
    with pytest.raises(errors.Invalid) as refused:
        admin.existing("Harbor Lab")
    unknown = refused.value.field_messages["center"]
    assert (unknown.code, unknown.values) == ("unknown_center", {"name": "Harbor Lab"})
    assert admin.existing(" Harbour Lab ").name == "Harbour Lab"


def test_link_by_hand_works_once_and_only_the_newest(ines, ruth):
    with db.transaction():
        first = admin.reset_link(ines.account, actor=ruth.account)
        second = admin.reset_link(ines.account, actor=ruth.account)
    assert last_event().action == "account.reset_link" and second not in str(last_event().after)
    assert tokens.find("reset", first) is None
    with db.transaction():
        accounts.finish_reset(second, passwords.hashed("a brand new one"))
    assert accounts.authenticate(ines.email, "a brand new one", address=HERE).id == ines.id
    with db.transaction(), pytest.raises(errors.NotFound):
        accounts.finish_reset(second, passwords.hashed("another new one"))


def test_owner_is_told_of_a_link_by_hand_without_the_link(ines, ruth):
    with db.transaction():
        secret = admin.reset_link(ines.account, actor=ruth.account)
    mail = db.session.scalar(select(Mail))
    assert mail.to == ines.email and "Ruth Adeyemi made a link" in mail.body
    assert secret not in mail.body


def test_link_by_hand_ends_after_three_days(ines, ruth):
    with db.transaction():
        secret = admin.reset_link(ines.account, actor=ruth.account)
    clock.shift(admin.LINK_LIFETIME + 1)
    assert tokens.find("reset", secret) is None


def test_invited_person_opens_the_account_by_the_link(ruth):
    with db.transaction():
        account, secret = admin.invite(**NEW, actor=ruth.account)
        assert account.center.name == "Harbour Lab"
    with pytest.raises(errors.WrongCredentials):
        accounts.authenticate(NEW["email"], "", address=HERE)
    with db.transaction():
        accounts.finish_reset(secret, passwords.hashed("a brand new one"))
    assert accounts.authenticate(NEW["email"], "a brand new one", address=HERE).role == "submitter"


def test_nobody_is_invited_twice_or_into_a_center_that_is_not_there(ines, ruth):
    for field, wrong, code in (
        ("email", ines.email, "email_taken"),
        ("email", "nobody", "no_email"),
        ("center", "Nowhere", "unknown_center"),
        ("role", "owner", "unknown_role"),
    ):
        with db.transaction(), pytest.raises(errors.Invalid) as refused:
            admin.invite(**NEW | {field: wrong}, actor=ruth.account)
        assert {name: message.code for name, message in refused.value.field_messages.items()} == {field: code}


def test_confirmed_by_hand_opens_what_was_registered(database, ruth):
    account = registered()
    with pytest.raises(accounts.NotConfirmed):
        accounts.authenticate(NEW["email"], "a long enough one", address=HERE)
    with db.transaction():
        admin.confirm(account, actor=ruth.account)
    assert accounts.authenticate(NEW["email"], "a long enough one", address=HERE).is_active
    with db.transaction(), pytest.raises(errors.Conflict):
        admin.confirm(account, actor=ruth.account)


def test_reopened_account_has_no_password_until_a_link_sets_one(ines, ruth):
    with db.transaction():
        accounts.close(ines.account, actor=ruth.account)
        with pytest.raises(errors.Conflict) as refused:
            admin.reset_link(ines.account, actor=ruth.account)
        assert refused.value.codes == ["reopen_first"]
        admin.reopen(ines.account, actor=ruth.account)
    with pytest.raises(errors.WrongCredentials):
        accounts.authenticate(ines.email, ines.password, address=HERE)
    with db.transaction(), pytest.raises(errors.Conflict) as refused:
        admin.reopen(ines.account, actor=ruth.account)
    assert refused.value.codes == ["account_not_closed"]
