"""What a decision stands on: a request for this dataset, sent whole, as it was read; the terms as they were agreed to;
deciders who do not ask."""

import pytest
from sqlalchemy import update

from portal import clock, db, errors
from portal.domain.access_requests import decisions, requests, terms
from portal.domain.accounts import accounts
from portal.models import Request
from tests.access_requests.support import INES, RUTH, STRANGER, ask, dataset, get, mails, release


def write_questions(accession: str, *questions: str) -> None:
    with db.transaction():
        terms.write(dataset(accession), {"questions": "\n".join(questions)}, actor=INES.account)


def test_open_request_for_one_dataset_is_none_for_another(livers):
    first, other = ask(livers), ask(release(INES))
    assert first != other
    assert [requests.open_one(get(made).dataset, STRANGER.account).id for made in (first, other)] == [first, other]


def test_field_that_was_refused_is_not_called_missing(livers):
    with pytest.raises(errors.Invalid) as refused:
        ask(livers, purpose="", institution="x" * 301)
    codes = {name: message.code for name, message in refused.value.field_messages.items()}
    assert codes["purpose"] == "purpose_needed" and codes["institution"] != "institution_needed"


def test_moment_of_the_agreement_is_kept(livers, stop_clock):
    stop_clock(now := clock.now())
    request = get(ask(livers))
    assert (request.agreed_at, request.asked_at) == (now, now)


def test_request_amended_between_reading_and_writing_is_not_decided(livers):
    """The row that was loaded is older than the one in the database: only the update itself sees that."""
    request_id = ask(livers)
    with pytest.raises(errors.Conflict) as refused, db.transaction():
        request = requests.load(request_id, actor=INES.account)
        amendment = update(Request).where(Request.id == request_id).values(version=request.version + 1)
        db.session.execute(amendment, execution_options={"synchronize_session": False})
        decisions.approve(request, actor=INES.account)
    assert refused.value.codes == ["somebody_was_faster"]
    assert get(request_id).state == "asked"


def test_each_amendment_is_another_version(livers):
    request_id = ask(livers)
    versions = [get(request_id).version]
    for purpose in ("Something else.", "Something else.", "Yet something else."):
        with db.transaction():
            requests.amend(get(request_id), {"purpose": purpose}, actor=STRANGER.account)
        versions.append(get(request_id).version)
    first = versions[0]
    assert versions == [first, first + 1, first + 1, first + 2]


def test_amended_answers_belong_to_the_questions_that_were_agreed_to(livers):
    write_questions(livers, "Which disease?", "Who pays?")
    request_id = ask(livers, answers=["Fatty liver", "We do"])
    write_questions(livers, "Which country?")
    with db.transaction():
        requests.amend(get(request_id), {"answers": ["Gout", "We do"]}, actor=STRANGER.account)
    assert get(request_id).answers == [
        {"question": "Which disease?", "answer": "Gout"},
        {"question": "Who pays?", "answer": "We do"},
    ]


def test_request_of_the_only_decider_is_told_to_curators(livers):
    with db.transaction():
        terms.add_decider(dataset(livers), STRANGER.email, actor=INES.account)
        accounts.close(INES.account, actor=RUTH.account)
    before = len(mails(RUTH))
    ask(livers)
    asker = "Mei Tanaka <mei.tanaka@example.org>"
    assert [asker in text for text in mails(RUTH)[before:]] == [True]
    assert not any(asker in text for text in mails(STRANGER))
