"""People as the domain knows them: guesses are counted for every door, secrets are kept as hashes, ends are ends."""

import threading

import pytest
from sqlalchemy import select, text

from portal import clock, db, errors
from portal.domain.accounts import accounts, passwords, rate_limit, tokens
from portal.models import Account, Event, Throttle, Token

HERE = "192.0.2.10"


def guess(email: str, times: int = 1, address: str = HERE, door=accounts.authenticate) -> None:
    for _ in range(times):
        with pytest.raises(errors.WrongCredentials):
            door(email, "a wrong guess", address=address)


def test_web_and_ftp_count_the_same_guesses(ines):
    guess(ines.email, 5)
    guess(ines.email, 5, door=accounts.authenticate_ftp, address="192.0.2.11")
    for door in (accounts.authenticate, accounts.authenticate_ftp):
        with pytest.raises(errors.Throttled) as refused:
            door(ines.email, ines.password, address="192.0.2.12")
        assert refused.value.ftp == 421 and 0 < refused.value.more["retry_after"] <= 300


def test_right_password_forgets_the_guesses_before_it(ines):
    for _ in range(3):
        guess(ines.email, 9)
        assert accounts.authenticate(ines.email, ines.password, address=HERE).id == ines.id


def test_one_address_may_not_try_many_people(ines):
    for n in range(rate_limit.ADDRESS):
        guess(f"person{n}@example.org")
    with pytest.raises(errors.Throttled):
        accounts.authenticate(ines.email, ines.password, address=HERE)
    assert accounts.authenticate(ines.email, ines.password, address="192.0.2.99").id == ines.id


def test_guesses_side_by_side_overshoot_by_no_more_than_the_gate(ines):
    """Forty at once, as over forty FTP connections: the throttle is asked where the guess is weighed."""
    weighed = []

    def try_one() -> None:
        try:
            accounts.authenticate_ftp(ines.email, "a wrong guess", address=HERE)
        except errors.WrongCredentials:
            weighed.append(1)
        except errors.Throttled:
            pass
        finally:
            db.end()

    threads = [threading.Thread(target=try_one) for _ in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert rate_limit.USER <= len(weighed) <= rate_limit.USER + 3


def test_fifty_programs_with_the_right_password_all_come_in(ines):
    entered = []

    def enter() -> None:
        entered.append(accounts.authenticate_ftp(ines.email, ines.password, address=HERE).id)
        db.end()

    threads = [threading.Thread(target=enter) for _ in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert entered == [ines.id] * 50
    assert db.session.scalar(select(Throttle)) is None


def test_ftp_password_opens_ftp_only(ines):
    with db.transaction():
        secret = accounts.make_ftp_password(ines.account)
    assert accounts.authenticate_ftp(ines.email, secret, address=HERE).id == ines.id
    assert accounts.authenticate_ftp(ines.email, ines.password, address=HERE).id == ines.id
    with pytest.raises(errors.WrongCredentials):
        accounts.authenticate(ines.email, secret, address=HERE)
    with db.transaction():
        accounts.remove_ftp_password(ines.account, actor=ines.account)
    with pytest.raises(errors.WrongCredentials):
        accounts.authenticate_ftp(ines.email, secret, address=HERE)


def test_new_password_ends_sessions_and_links_but_not_api_tokens(ines):
    with db.transaction():
        account = ines.account
        epoch = account.epoch
        secrets = {kind: tokens.issue(account, kind) for kind in ("session", "reset", "verify", "api")}
        accounts.set_password(account, "another long one", actor=account)
    assert [kind for kind in secrets if tokens.find(kind, secrets[kind])] == ["api"]
    assert ines.account.epoch == epoch + 1


def test_closing_ends_everything_and_keeps_the_row(ines):
    with db.transaction():
        secret = tokens.make_api_token(ines.account, label="robot", actor=ines.account)
        accounts.close(ines.account, actor=ines.account)
    assert tokens.find("api", secret) is None
    assert (ines.account.state, ines.account.password_hash) == ("closed", None)
    guess(ines.email)


def test_last_curator_cannot_close(ruth):
    with db.transaction(), pytest.raises(errors.Conflict):
        accounts.close(ruth.account, actor=ruth.account)


def test_tokens_are_kept_as_hashes_and_expire(ines):
    with db.transaction():
        secret = tokens.issue(ines.account, "api", lifetime=1000)
    dump = str(db.session.execute(text("SELECT * FROM token")).all())
    assert secret not in dump and tokens.digest(secret) in dump
    assert tokens.find("session", secret) is None
    clock.shift(1001)
    assert tokens.find("api", secret) is None


def test_single_use_token_is_used_once(ines):
    with db.transaction():
        secret = tokens.issue(ines.account, "reset")
        assert tokens.use("reset", secret).account_id == ines.id
    with db.transaction(), pytest.raises(errors.NotFound):
        tokens.use("reset", secret)


def test_token_of_another_is_not_revoked(ines, stranger):
    with db.transaction():
        tokens.make_api_token(ines.account, label="robot", actor=ines.account)
    (token,) = tokens.api_tokens(ines.account)
    with db.transaction(), pytest.raises(errors.NotFound):
        tokens.revoke(stranger.account, token.id, actor=stranger.account)
    assert db.session.get(Token, token.id) is not None


def test_history_tells_of_accounts_without_their_secrets(ines):
    with db.transaction():
        secrets = [accounts.make_ftp_password(ines.account), tokens.make_api_token(ines.account, label="x", actor=None)]
        accounts.set_password(ines.account, "another long one", actor=ines.account)
    told = [(event.action, str(event.after)) for event in db.session.scalars(select(Event))]
    assert {"account.ftp_password", "token.make", "account.password"} <= {action for action, _ in told}
    assert not [after for _, after in told for secret in [*secrets, "another long one"] if secret in after]


def test_unknown_person_costs_a_hash_as_a_known_one_does(database, monkeypatch):
    hashed = []
    verify = passwords._hasher.verify
    counting = type(
        "Counting",
        (),
        {"verify": lambda _self, *args: hashed.append(1) or verify(*args), "hash": passwords._hasher.hash},
    )()
    monkeypatch.setattr(passwords, "_hasher", counting)
    guess("nobody@example.org")
    unknown = len(hashed)
    guess("ines.okafor@example.org")
    assert unknown == len(hashed) - unknown == 1


@pytest.mark.parametrize(
    ("password", "code"),
    [("short", "password_short"), ("aaaaaaaaaaaaaa", "password_repeats"), ("x" * 1001, "password_long")],
)
def test_poor_passwords_are_refused(password, code):
    with pytest.raises(errors.Invalid) as refused:
        passwords.hashed(password)
    assert refused.value.field_messages["password"].code == code


def test_create_refuses_an_account_that_is_open_and_opens_one_that_is_closed(ines):
    with db.transaction(), pytest.raises(errors.Conflict):
        accounts.create(email=ines.email, password="another long one")
    with db.transaction():
        accounts.close(ines.account, actor=None)
        accounts.create(email=ines.email, password="another long one", center=ines.center, name=ines.name)
    assert accounts.authenticate(ines.email, "another long one", address=HERE).state == "active"


def test_create_puts_people_of_one_center_together(ines, colleague):
    assert ines.account.center_id == colleague.account.center_id
    assert db.session.scalar(select(Account.role).where(Account.id == ines.id)) == "submitter"
