"""Requests from the first word to the last: asked, amended, asked back, decided once, told to whom it concerns."""

import threading

import pytest
from sqlalchemy import select

from portal import clock, db, errors
from portal.domain.access_requests import decisions, requests, terms
from portal.domain.access_requests.request_moves import messages, roles_of
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets, discard
from portal.domain.permissions import access
from portal.domain.permissions import active_grants as reads
from portal.models import Event, Request, Terms
from portal.queries.access_requests import requests as listed
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
    mails,
    release,
)


def test_whole_way_to_a_grant(livers):
    made = ask(livers)
    assert get(made).state == "asked"
    assert [subject.splitlines()[0] for subject in mails(STRANGER)] == [f"Asked: access to {livers}"]
    told = mails(INES)[-1]
    assert "Mei Tanaka <mei.tanaka@example.org>" in told and "eQTLs of the liver." in told and "1 request waits" in told
    act(made, "ask", note="Which arrays?")
    act(made, "answer", person=STRANGER, note="The old ones.")
    assert "The old ones." in mails(INES)[-1]
    act(made, "approve", note="Welcome.")
    found = get(made)
    assert (found.state, found.decided_by, found.whole) == ("granted", INES.id, True)
    assert "Welcome." in mails(STRANGER)[-1] and f"/granted/{livers}/" in mails(STRANGER)[-1]
    assert access.may_download(dataset(livers), STRANGER.account)
    assert not access.may_download(dataset(livers), COLLEAGUE.account)
    told = list(db.session.scalars(select(Event.action).where(Event.action.like("request.%")).order_by(Event.id)))
    assert told == ["request.submit", "request.ask", "request.answer", "request.approve"]


def test_what_is_missing_is_named_all_at_once(livers):
    with pytest.raises(errors.Invalid) as refused:
        ask(livers, purpose=" ", institution="x" * 301)
    assert set(refused.value.fields) == {"purpose", "institution"}
    with pytest.raises(errors.Invalid) as refused, db.transaction():
        made = requests.begin(dataset(livers), actor=STRANGER.account)
        requests.ask(made, SAID, agreement="Somebody Else", actor=STRANGER.account)
    agreement = refused.value.field_messages["agreement"]
    assert agreement.code == "agreement_name" and agreement.values == {"name": "Mei Tanaka"}


def test_questions_of_the_terms_are_answered_and_kept_with_the_request(livers):
    with db.transaction():
        terms.write(
            dataset(livers),
            {"agreement": "Be kind.", "uses": ["duo:0000046"], "questions": "Which disease?\nWho pays? (optional)"},
            actor=INES.account,
        )
    with pytest.raises(errors.Invalid) as refused:
        ask(livers)
    assert set(refused.value.fields) == {"answer_a"}
    made = ask(livers, answers=["Fatty liver"])
    with db.transaction():
        terms.write(dataset(livers), {"questions": []}, actor=INES.account)
    found = get(made)
    assert found.answers == [
        {"question": "Which disease?", "answer": "Fatty liver"},
        {"question": "Who pays?", "answer": ""},
    ]
    assert found.terms.version == 1 and terms.of(dataset(livers)).version == 2
    assert found.terms.uses == ["DUO:0000046"]


def test_terms_changed_while_one_writes_are_read_again(livers):
    seen = terms.of(dataset(livers)).id
    with db.transaction():
        terms.write(dataset(livers), {"agreement": "Be kinder."}, actor=INES.account)
    with pytest.raises(errors.Conflict) as refused, db.transaction():
        made = requests.begin(dataset(livers), actor=STRANGER.account)
        requests.ask(made, SAID, agreement=STRANGER.name, version=seen, actor=STRANGER.account)
    assert refused.value.codes == ["terms_changed"]


def test_one_open_request_a_person_and_a_new_one_after_the_end(livers):
    made = ask(livers)
    with pytest.raises(errors.Conflict) as refused:
        ask(livers)
    assert refused.value.codes == ["request_open_already"]
    act(made, "deny", note="No.")
    again = ask(livers)
    assert again != made and len(list(db.session.scalars(select(Request)))) == 2


def test_who_cannot_ask(livers):
    with pytest.raises(errors.Conflict) as refused:
        ask(livers, INES)
    assert refused.value.codes == ["own_dataset"]
    with pytest.raises(errors.Conflict) as refused:
        ask(release(INES, access="open"))
    assert refused.value.codes == ["not_controlled"]
    with pytest.raises(errors.NotFound):
        ask(release(INES, state="approved"))


def test_nobody_decides_on_their_own_request_and_strangers_find_none(livers):
    made = ask(livers)
    for action in ("approve", "deny", "ask", "revoke"):
        with pytest.raises((errors.Forbidden, errors.Conflict)):
            act(made, action, person=STRANGER, note="x")
    for person in (COLLEAGUE, RUTH):
        with pytest.raises(errors.NotFound):
            act(made, "approve", person=person)
    with db.transaction():
        terms.add_decider(dataset(livers), STRANGER.email, actor=INES.account)
    with pytest.raises(errors.Forbidden):
        act(made, "approve", person=STRANGER)


def test_co_deciders_and_committees(livers):
    with db.transaction():
        terms.add_decider(dataset(livers), COLLEAGUE.email, actor=INES.account)
    made = ask(livers)
    assert len(mails(COLLEAGUE)) == 1
    act(made, "approve", person=COLLEAGUE)
    assert "Tomas Lind decided: the request is granted" in mails(INES)[-1]
    with db.transaction():
        terms.set_committee(dataset(livers), "Data Access Committee", actor=INES.account)
    with pytest.raises(errors.Forbidden):
        act(made, "revoke", note="Enough.")
    act(made, "revoke", person=COLLEAGUE, note="Enough.")
    with pytest.raises(errors.Conflict), db.transaction():
        terms.remove_decider(dataset(livers), COLLEAGUE.id, actor=INES.account)
    with pytest.raises(errors.Forbidden), db.transaction():
        terms.add_decider(dataset(livers), STRANGER.email, actor=STRANGER.account)


def test_curators_decide_only_where_the_owner_is_gone(livers):
    made = ask(livers)
    with pytest.raises(errors.NotFound):
        act(made, "approve", person=RUTH)
    with db.transaction():
        accounts.close(INES.account, actor=RUTH.account)
    act(made, "approve", person=RUTH)
    assert get(made).decided_by == RUTH.id
    assert not access.may_download(dataset(livers), RUTH.account)


def test_curators_have_no_bytes_of_a_released_controlled_dataset(livers):
    assert not access.may_download(dataset(livers), RUTH.account)
    assert access.may_download(dataset(release(INES, state="approved")), RUTH.account)


def test_second_click_learns_who_was_first(livers):
    with db.transaction():
        terms.add_decider(dataset(livers), COLLEAGUE.email, actor=INES.account)
    made = ask(livers)
    act(made, "deny", person=COLLEAGUE, note="Not now.")
    with pytest.raises(errors.Conflict) as refused:
        act(made, "approve")
    first = refused.value.message
    assert first.code == "request_decided"
    assert (first.values["decider"], first.values["state"]) == ("Tomas Lind", "denied")


def test_fifty_parallel_decisions_end_in_one(livers):
    made = ask(livers)
    ready, won, lost = threading.Barrier(50), [], []

    def decide(n: int) -> None:
        ready.wait()
        try:
            act(made, "approve" if n % 2 else "deny", note=f"Decision {n}.")
            won.append(n)
        except errors.Conflict as error:
            lost.append(error.message)
        finally:
            db.end()

    threads = [threading.Thread(target=decide, args=(n,)) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(won) == 1 and len(lost) == 49
    assert {(message.code, message.values["decider"]) for message in lost} == {("request_decided", "Ines Okafor")}
    decided = list(db.session.scalars(select(Event.note).where(Event.action.in_(("request.approve", "request.deny")))))
    assert decided == [f"Decision {won[0]}."]
    assert get(made).state == ("granted" if won[0] % 2 else "denied")
    assert len(mails(STRANGER)) == 2


def test_amended_request_is_read_again_before_it_is_decided(livers):
    made = ask(livers)
    seen = get(made).version
    with db.transaction():
        requests.amend(get(made), {"purpose": "Something else."}, actor=STRANGER.account)
    with pytest.raises(errors.Conflict) as refused:
        act(made, "approve", seen=seen)
    assert refused.value.codes == ["request_amended"]
    act(made, "approve", seen=seen + 1)
    changed = db.session.scalars(select(Event).where(Event.action == "request.amend")).one()
    assert changed.before["purpose"] == SAID["purpose"] and changed.after["purpose"] == "Something else."
    with pytest.raises(errors.Conflict), db.transaction():
        requests.amend(get(made), {"purpose": "Too late."}, actor=STRANGER.account)


def test_private_remark_is_for_deciders_alone(livers):
    made = ask(livers)
    before = len(mails(STRANGER))
    with db.transaction():
        requests.remark(get(made), "I doubt it.", actor=INES.account)
        requests.remark(get(made), "We look at it.", actor=INES.account, public=True)
    assert [said.text for said in messages(get(made), actor=STRANGER.account)] == ["", "We look at it."]
    assert "I doubt it." in [said.text for said in messages(get(made), actor=INES.account)]
    assert len(mails(STRANGER)) == before + 1 and "I doubt it." not in "".join(mails(STRANGER))
    assert "I doubt it." not in "".join(str(event.note) for event in db.session.scalars(select(Event)))


def test_withdrawn_request_is_over(livers):
    made = ask(livers)
    act(made, "withdraw", person=STRANGER)
    with pytest.raises(errors.Conflict):
        act(made, "approve")
    assert "withdrew" in mails(INES)[-1] and "Nothing else waits" in mails(INES)[-1]


def test_grant_of_chosen_files(livers):
    made = grant(livers, numbers=[2])
    found = access.reach(dataset(livers), STRANGER.account)
    assert found is not None and found.covers(2) and not found.covers(1)
    assert reads.numbers(made) == {2}
    other = ask(livers, COLLEAGUE)
    with pytest.raises(errors.NotFound):
        act(other, "approve", numbers=[7])
    assert get(other).state == "asked"


def test_renewal_in_one_step(livers):
    made = grant(livers, until=str(clock.day_of(clock.now() + 10 * clock.DAY, "UTC")))
    end = get(made).until_at
    act(made, "renew", person=STRANGER, note="Half a year more?")
    act(made, "renew", person=STRANGER)
    assert len([text for text in mails(INES) if "Half a year more?" in text]) == 1
    act(made, "renew")
    assert get(made).until_at > end and get(made).renewal_asked_at is None
    assert "renewed" in mails(STRANGER)[-1]
    with pytest.raises(errors.Invalid):
        act(made, "renew", until=str(clock.day_of(clock.now() + 5 * clock.DAY, "UTC")))


def test_reminders_come_once_a_period(livers, settings):
    made = ask(livers)
    for _ in range(3):
        with db.transaction():
            decisions.remind()
    assert len(mails(INES)) == 1
    clock.shift(8 * clock.DAY)
    for _ in range(2):
        with db.transaction():
            decisions.remind()
    assert len(mails(INES)) == 2 and "waits" in mails(INES)[-1].splitlines()[0]
    act(made, "ask", note="Which arrays?")
    clock.shift(8 * clock.DAY)
    with db.transaction():
        decisions.remind()
    assert "Waits for your answer" in mails(STRANGER)[-1] and len(mails(INES)) == 2
    act(made, "approve", until=str(clock.day_of(clock.now() + 30 * clock.DAY, "UTC")))
    clock.shift(20 * clock.DAY)
    for _ in range(2):
        with db.transaction():
            decisions.remind()
    assert [text.splitlines()[0] for text in mails(STRANGER)][-1] == f"Ends soon: access to {livers}"
    assert sum("Ends soon" in text for text in mails(STRANGER)) == 1


def test_draft_is_kept_as_typed_and_seen_by_its_writer_alone(livers):
    with db.transaction():
        made = requests.begin(dataset(livers), actor=STRANGER.account)
        faults = requests.save(made, {"purpose": "Half a sen", "institution": "x" * 400}, actor=STRANGER.account)
    assert set(faults) == {"institution"} and get(made.id).purpose == "Half a sen"
    with pytest.raises(errors.NotFound):
        requests.load(made.id, actor=INES.account)
    with db.transaction():
        requests.discard(get(made.id), actor=STRANGER.account)
    assert db.session.get(Request, made.id) is None


def test_nothing_is_granted_of_a_dataset_that_is_closed_again(livers):
    made = ask(livers)
    with db.transaction():
        dataset(livers).state = "approved"
    with pytest.raises(errors.Conflict) as refused:
        act(made, "approve")
    assert refused.value.codes == ["nothing_to_grant"]
    clock.shift(8 * clock.DAY)
    with db.transaction():
        decisions.remind()
    assert len(mails(INES)) == 1


def test_word_sent_twice_is_said_once(livers):
    made = ask(livers)
    for _ in range(2):
        with db.transaction():
            requests.remark(get(made), "Hm.", actor=INES.account, public=True)
    assert [said.text for said in messages(get(made), actor=INES.account)] == ["", "Hm."]


def test_draft_dataset_with_terms_is_discarded_with_them(database):
    with db.transaction():
        made = datasets.create(actor=INES.account, title="T", access="controlled")
        terms.write(made, {"longest_days": 5}, actor=INES.account)
        terms.add_decider(made, COLLEAGUE.email, actor=INES.account)
    with db.transaction():
        discard.discard(made, actor=INES.account)
    assert db.session.query(Terms).filter(Terms.dataset_id.is_not(None)).count() == 0


def plain(accession: str) -> None:
    """The submitter decides."""


def co_decider(accession: str) -> None:
    with db.transaction():
        terms.add_decider(dataset(accession), COLLEAGUE.email, actor=INES.account)


def committee(accession: str) -> None:
    co_decider(accession)
    with db.transaction():
        terms.set_committee(dataset(accession), "Committee", actor=INES.account)


def committee_gone(accession: str) -> None:
    committee(accession)
    with db.transaction():
        accounts.close(COLLEAGUE.account, actor=RUTH.account)


def owner_gone(accession: str) -> None:
    with db.transaction():
        accounts.close(INES.account, actor=RUTH.account)


def only_the_requester_left(accession: str) -> None:
    with db.transaction():
        terms.add_decider(dataset(accession), STRANGER.email, actor=INES.account)
    owner_gone(accession)


@pytest.mark.parametrize(
    "who",
    [plain, co_decider, committee, committee_gone, owner_gone, only_the_requester_left],
    ids=lambda who: who.__name__,
)
def test_list_shows_a_request_to_those_who_may_open_it(livers, who):
    made = ask(livers)
    who(livers)
    for person in [one for one in (INES, COLLEAGUE, STRANGER, RUTH) if one.account.is_active]:
        roles = roles_of(get(made), person.account) - {"requester"}
        shown = [one.id for one in listed.listed(person.account, side="asked", state="", after=0, limit=9)]
        assert shown == ([made] if roles else []), (person.name, roles)
    curators = {RUTH.id} & {one.id for one in terms.deciders(dataset(livers), without=STRANGER.id)}
    assert bool(curators) == (who in (committee_gone, owner_gone, only_the_requester_left))
