"""A grant at its edges: days of the site's zone, daylight saving, a clock that is set back, an end nobody recorded."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from portal import clock, db, errors
from portal.domain.access_requests import decisions, signed_statement
from portal.domain.permissions import access, active_grants
from tests.access_requests.support import COLLEAGUE, INES, STRANGER, act, ask, dataset, get, grant, mails

VIENNA = ZoneInfo("Europe/Vienna")


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=VIENNA).timestamp() * 1000)


@pytest.fixture
def moment(settings):
    """Set the clock to a moment of Vienna."""
    settings.timezone = "Europe/Vienna"

    def go(text: str) -> None:
        clock.shift(at(text) - clock.now())

    return go


def is_open(accession: str) -> bool:
    return access.may_download(dataset(accession), STRANGER.account)


@pytest.mark.parametrize("night", ["2027-03-28", "2027-10-31", "2027-07-01"])
def test_grant_opens_and_ends_at_midnight_of_the_zone(livers, moment, night):
    """The nights in which Vienna puts its clocks forward and back, and a plain one."""
    day = datetime.fromisoformat(night)
    moment(f"{night}T00:00:00")
    before = clock.now()
    clock.shift(-5 * clock.DAY)
    grant(livers, from_=night, until=night)
    assert not is_open(livers)
    clock.shift(before - clock.now() - 2_000)
    assert not is_open(livers)
    clock.shift(4_000)
    assert is_open(livers)
    tomorrow = at(f"{day.date() + timedelta(days=1)}T00:00:00")
    clock.shift(tomorrow - clock.now() - 2_000)
    assert is_open(livers)
    clock.shift(4_000)
    assert not is_open(livers)


def test_grant_is_closed_before_its_end_is_recorded_and_after(livers, moment):
    moment("2027-02-01T12:00:00")
    made = grant(livers, until="2027-02-03")
    moment("2027-02-04T00:00:01")
    assert get(made).state == "granted" and not is_open(livers)
    with pytest.raises(errors.Conflict):
        act(made, "renew")
    with db.transaction():
        decisions.end_due()
    assert get(made).state == "ended" and get(made).ended_at == at("2027-02-04T00:00:00")
    assert not is_open(livers)


def test_clock_set_back_revives_nothing(livers, moment):
    moment("2027-02-01T12:00:00")
    made = grant(livers, until="2027-02-03")
    other = grant(livers, person=COLLEAGUE, until="2027-03-01")
    moment("2027-02-04T00:00:30")
    with db.transaction():
        decisions.end_due()
    moment("2026-02-04T00:00:00")
    assert not is_open(livers)
    assert get(made).state == "ended" and get(other).state == "granted"
    moment("2027-02-02T12:00:00")
    assert not is_open(livers)


def test_clock_set_back_revives_no_grant_whose_end_nobody_recorded(livers, moment, monkeypatch):
    """The round keeps the latest moment, and ends so many grants at once: this one was left for the next round."""
    moment("2027-02-01T12:00:00")
    made = grant(livers, until="2027-02-01T12:10:00+01:00")
    monkeypatch.setattr(decisions, "AT_ONCE", 0)
    moment("2027-02-01T12:10:30")
    with db.transaction():
        decisions.end_due()
    moment("2027-02-01T12:05:00")
    assert not is_open(livers)
    assert get(made).state == "granted", "only the moment that was seen keeps it closed"
    with pytest.raises(errors.Conflict):
        act(made, "renew", until="2027-03-01")


def test_moment_that_was_seen_never_goes_back(database, stop_clock):
    for moment in ("2027-02-04T12:00:00", "2027-02-01T12:00:00"):
        stop_clock(at(moment))
        with db.transaction():
            decisions.end_due()
    assert active_grants.latest_moment() == at("2027-02-04T12:00:00")


def test_grant_is_open_up_to_its_end_and_no_moment_longer(livers, moment, stop_clock):
    moment("2027-02-01T12:00:00")
    made = grant(livers, until="2027-02-01T12:10:00+01:00")
    end = at("2027-02-01T12:10:00")
    for now, opens in ((end - 1, True), (end, False), (end + 1, False)):
        stop_clock(now)
        assert is_open(livers) is opens
        assert (made in active_grants.open_now({made})) is opens
        assert bool(active_grants.granted_to(STRANGER.id)) is opens


def test_end_is_recorded_at_its_moment_and_no_moment_sooner(livers, moment, stop_clock):
    moment("2027-02-01T12:00:00")
    made = grant(livers, until="2027-02-01T12:10:00+01:00")
    for now, state in ((at("2027-02-01T12:10:00") - 1, "granted"), (at("2027-02-01T12:10:00"), "ended")):
        stop_clock(now)
        with db.transaction():
            decisions.end_due()
        assert get(made).state == state


def test_end_is_recorded_of_grants_alone_and_once(livers, moment):
    moment("2027-02-01T12:00:00")
    revoked = grant(livers, until="2027-02-03")
    act(revoked, "revoke", note="Enough.")
    ended = grant(livers, COLLEAGUE, until="2027-02-03")
    moment("2027-02-05T00:00:00")
    for _ in range(2):
        with db.transaction():
            decisions.end_due()
    assert [get(request_id).state for request_id in (revoked, ended)] == ["revoked", "ended"]


def test_statement_names_the_moments_of_a_grant_in_utc(livers, moment, stop_clock):
    moment("2027-02-01T12:00:00")
    stop_clock(at("2027-02-01T12:00:00"))
    statement = signed_statement.of(get(grant(livers, until="2027-03-28")))

    noon = "2027-02-01T11:00:00+00:00"
    assert {statement[name] for name in ("asked_at", "decided_at", "from", "stated_at")} == {noon}
    assert statement["terms"]["agreed_at"] == noon
    assert (statement["until"], statement["ended_at"]) == ("2027-03-28T22:00:00+00:00", None)


def test_renewal_up_to_the_same_day_is_none(livers, moment):
    moment("2027-02-01T12:00:00")
    request_id = grant(livers, until="2027-02-10")
    with pytest.raises(errors.Invalid) as refused:
        act(request_id, "renew", until="2027-02-10")
    assert refused.value.field_messages["until"].code == "grant_lasts_as_long"


def test_nobody_is_reminded_of_what_is_decided(livers, settings):
    denied, granted = ask(livers), ask(livers, COLLEAGUE)
    act(denied, "deny", note="No.")
    act(granted, "approve")
    before = [len(mails(person)) for person in (INES, STRANGER, COLLEAGUE)]
    clock.shift((settings.request_remind_days + 1) * clock.DAY)
    with db.transaction():
        decisions.remind()
    assert [len(mails(person)) for person in (INES, STRANGER, COLLEAGUE)] == before


@pytest.mark.parametrize(
    ("from_", "until", "field"),
    [
        ("2027-01-31", None, "from"),
        (None, "2027-01-31", "until"),
        ("2027-03-02", "2027-03-01", "until"),
        (None, "2028-02-01", "until"),
        ("soon", None, "from"),
        (None, "+1WEEK", "until"),
        (None, "2027-02-30", "until"),
        (None, "2027-02-10T10:00:00", "until"),
        (None, "99999-01-01", "until"),
    ],
)
def test_period_that_makes_no_sense_is_refused_at_its_field(livers, moment, from_, until, field):
    moment("2027-02-01T12:00:00")
    made = ask(livers)
    with pytest.raises(errors.Invalid) as refused:
        act(made, "approve", from_=from_, until=until)
    assert set(refused.value.fields) == {field}
    assert get(made).state == "asked"


def test_longest_period_is_whole_days(livers, moment):
    moment("2027-02-01T12:00:00")
    made = grant(livers)
    assert get(made).until_at == at("2028-02-01T00:00:00")
    act(made, "revoke", note="x")
    last = grant(livers, until="2028-01-31")
    assert get(last).until_at == at("2028-02-01T00:00:00")
