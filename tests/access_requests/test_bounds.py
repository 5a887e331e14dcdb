"""What a grant never reaches: other datasets, other people, closed accounts, files that are not archived, and days
beyond those that the requester agreed to."""

import pytest

from portal import clock, db, errors
from portal.domain.access_requests import decisions, download_log, requests, terms
from portal.domain.accounts import accounts
from portal.domain.permissions import access, active_grants
from portal.models import Account, Counter, File
from tests.access_requests.support import (
    COLLEAGUE,
    INES,
    RUTH,
    SAID,
    STRANGER,
    act,
    ask,
    dataset,
    get,
    grant,
    release,
)
from tests.state_guard import states_unguarded


def day(ahead: int) -> str:
    return str(clock.day_of(clock.now() + ahead * clock.DAY, "UTC"))


def granted(person=STRANGER) -> list[str]:
    return [row.accession for row in active_grants.granted_to(person.id)]


def write_terms(accession: str, **fields) -> int:
    with db.transaction():
        return terms.write(dataset(accession), fields, actor=INES.account).id


def test_grant_of_one_dataset_opens_no_other(livers):
    other = release(INES)
    grant(livers)
    assert access.may_download(dataset(livers), STRANGER.account)
    assert not access.may_download(dataset(other), STRANGER.account)
    assert active_grants.find(dataset(other).id, STRANGER.id) is None
    assert granted() == [livers]


def test_grant_of_a_closed_account_is_none_and_its_downloads_are_cut(livers):
    made = grant(livers)
    account_id = STRANGER.id
    with db.transaction():
        accounts.close(STRANGER.account, actor=RUTH.account)
    assert active_grants.find(dataset(livers).id, account_id) is None
    assert active_grants.open_now({made}) == set()
    assert active_grants.granted_to(account_id) == []
    assert not access.may_download(dataset(livers), db.session.get_one(Account, account_id))


@pytest.mark.parametrize(
    ("change", "opens"), [({"state": "suppressed"}, True), ({"state": "approved"}, False), ({"access": "open"}, False)]
)
def test_grant_is_of_a_dataset_that_is_released_and_controlled_now(livers, change, opens):
    made = grant(livers)
    with db.transaction():
        for name, value in change.items():
            setattr(dataset(livers), name, value)
    assert active_grants.open_now({made}) == ({made} if opens else set())
    assert granted() == ([livers] if opens else [])


def test_withdrawn_dataset_gives_its_bytes_to_nobody(livers):
    grant(livers)
    with db.transaction():
        dataset(livers).state = "withdrawn"
    for person in (INES, STRANGER, COLLEAGUE, RUTH):
        assert access.reach(dataset(livers), person.account) is None, person
    assert access.reach(dataset(livers), None) is None


def test_file_that_is_not_archived_is_not_granted(livers):
    made = ask(livers)
    with states_unguarded():
        db.session.query(File).filter_by(n=2).one().state = "checking"
    with pytest.raises(errors.Invalid) as refused:
        act(made, "approve", numbers=[1, 2])
    assert set(refused.value.fields) == {"files"}
    assert get(made).state == "asked" and active_grants.numbers(made) == frozenset()


def test_downloads_under_a_grant_are_those_of_its_person_and_dataset(livers):
    accessions = (livers, release(INES))
    grants = {(name, who.id): grant(name, who) for name in accessions for who in (STRANGER, COLLEAGUE)}
    with db.transaction():
        for (accession, account_id), request_id in grants.items():
            download = download_log.Download(
                dataset(accession).id, "a.txt", "http", 1, account_id=account_id, request_id=request_id
            )
            download_log.record(download_log.ENDED, download, size=1)

    for request_id in grants.values():
        newest, total = download_log.newest(get(request_id), 9)
        assert ([event.after["request"] for event in newest], total) == ([request_id], 1)


def test_decision_taken_again_binds_to_the_files_of_the_last_alone(livers):
    act(grant(livers, numbers=[1]), "revoke", note="Not these.")
    made = grant(livers, numbers=[2])
    found = active_grants.find(dataset(livers).id, STRANGER.id)
    assert found is not None and (found.id, found.numbers) == (made, {2})


def test_renewal_lasts_no_longer_than_the_terms_allow(livers):
    write_terms(livers, longest_days=30)
    made = grant(livers, until=day(3))
    end = get(made).until_at
    with pytest.raises(errors.Invalid) as refused:
        act(made, "renew", until=day(40))
    assert set(refused.value.fields) == {"until"} and get(made).until_at == end
    act(made, "renew", until=day(20))
    assert get(made).until_at > end


@pytest.mark.parametrize("action", ["approve", "renew"])
def test_terms_that_the_requester_agreed_to_bound_the_grant_and_no_later_ones(livers, action):
    write_terms(livers, longest_days=10)
    made = grant(livers, until=day(2)) if action == "renew" else ask(livers)
    write_terms(livers, longest_days=900)
    with pytest.raises(errors.Invalid) as refused:
        act(made, action, until=day(100))
    assert set(refused.value.fields) == {"until"}
    act(made, action, until=day(8))
    assert get(made).state == "granted"


def test_end_is_recorded_by_the_latest_moment_that_was_seen(livers):
    made = grant(livers, until=day(3))
    with db.transaction():
        db.session.merge(Counter(name=active_grants.CLOCK, next=clock.now() + 9 * clock.DAY))
        decisions.end_due()
    assert get(made).state == "ended"


def test_closed_decider_decides_no_more(livers):
    with db.transaction():
        terms.add_decider(dataset(livers), COLLEAGUE.email, actor=INES.account)
    made, colleague_id = ask(livers), COLLEAGUE.id
    with db.transaction():
        accounts.close(COLLEAGUE.account, actor=RUTH.account)
    assert [one.id for one in terms.deciders(dataset(livers))] == [INES.id]
    with pytest.raises(errors.NotFound):
        requests.load(made, actor=db.session.get_one(Account, colleague_id))
    with pytest.raises(errors.Invalid), db.transaction():
        terms.add_decider(dataset(livers), COLLEAGUE.email, actor=INES.account)


def test_terms_of_another_dataset_are_not_shown(livers):
    other = release(COLLEAGUE)
    with db.transaction():
        theirs = terms.write(dataset(other), {"agreement": "Theirs."}, actor=COLLEAGUE.account).id
    assert terms.version(dataset(livers), theirs) is None
    assert terms.version(dataset(other), theirs) is not None
    assert terms.version(dataset(livers), terms.default().id) is not None


@pytest.mark.parametrize("person", [STRANGER, COLLEAGUE, RUTH], ids=lambda one: one.name)
def test_terms_and_deciders_are_set_by_the_submitter_alone(livers, person):
    before = terms.of(dataset(livers)).id
    for verb in (
        lambda: terms.write(dataset(livers), {"longest_days": 3000}, actor=person.account),
        lambda: terms.add_decider(dataset(livers), person.email, actor=person.account),
        lambda: terms.set_committee(dataset(livers), "Us", actor=person.account),
        lambda: terms.remove_decider(dataset(livers), INES.id, actor=person.account),
    ):
        with pytest.raises(errors.Forbidden), db.transaction():
            verb()
    assert terms.of(dataset(livers)).id == before and terms.members(dataset(livers)) == []


def test_agreement_is_typed_by_the_requester_in_their_own_name(livers):
    for name in (INES.name, "", "Mei"):
        with pytest.raises(errors.Invalid) as refused, db.transaction():
            made = requests.begin(dataset(livers), actor=STRANGER.account)
            requests.ask(made, SAID, agreement=name, actor=STRANGER.account)
        assert set(refused.value.fields) == {"agreement"}
    ask(livers)


def test_amendment_by_somebody_else_changes_nothing(livers):
    made = ask(livers)
    for person in (INES, COLLEAGUE, RUTH):
        with pytest.raises(errors.Forbidden), db.transaction():
            requests.amend(get(made), {"purpose": "Theirs."}, actor=person.account)
    assert get(made).purpose == SAID["purpose"]


def attach(made: int, token: str, person=STRANGER) -> None:
    with db.transaction():
        requests.attach(get(made), token=token, name="letter.pdf", size=3, actor=person.account)


def test_letter_is_of_the_requester_until_the_decision_and_is_seen_before_it(livers):
    made = ask(livers)
    seen = get(made).version
    attach(made, "a" * 32)
    with pytest.raises(errors.Conflict):
        act(made, "approve", seen=seen)
    for person in (INES, COLLEAGUE):
        with pytest.raises(errors.Conflict):
            attach(made, "b" * 32, person)
    act(made, "approve", seen=seen + 1)
    with pytest.raises(errors.Conflict):
        attach(made, "c" * 32)
    assert get(made).letter == "a" * 32
