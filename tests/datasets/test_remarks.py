"""Remarks of submitter and curators: where they lie, who reads them, which mail carries them; private ones leave no
trace for the submitter."""

import pytest
from sqlalchemy import select

from portal import clock, db, errors
from portal.domain.datasets import actions, datasets, remarks, reviews
from portal.domain.webhooks import event_feed
from portal.models import Dataset, Event, Mail, Remark
from portal.queries.datasets import remark_threads
from portal.queries.review import review
from tests.conftest import COLLEAGUE, INES, RUTH

TEXT = {"title": "Kidney organoids", "description": "Counts.", "species": "Mus musculus"}
SECRET = "Ask the ethics board first."


@pytest.fixture
def dataset(database) -> Dataset:
    with db.transaction():
        made = datasets.create(actor=INES.account, files=[{"name": "a.txt"}], **TEXT)
        reviews.submit(made, actor=INES.account)
    return made


def say(dataset, text, who, **more) -> Remark:
    with db.transaction():
        return remarks.add(dataset, text, actor=who.account, **more)


def mails(to) -> list[Mail]:
    return list(db.session.scalars(select(Mail).where(Mail.to == to.email).order_by(Mail.id)))


def texts(dataset, who) -> list[str]:
    return [remark.text for remark in db.session.scalars(remarks.visible(dataset, who.account))]


def test_remark_lies_on_its_section_or_file(dataset):
    say(dataset, "Which bank?", RUTH, section="info")
    say(dataset, "Cut off?", RUTH, file=1)

    thread = remark_threads.of(dataset, INES.account)
    assert [(entry.about, entry.remark.text) for entry in thread.entries] == [
        ("Data Info", "Which bank?"),
        ("File -01, a.txt", "Cut off?"),
    ]
    assert [entry.remark.text for entry in thread.on("info")] == ["Which bank?"]
    assert [entry.remark.text for entry in thread.of_file(thread.entries[1].remark.file_id)] == ["Cut off?"]


def test_answer_to_an_answer_joins_the_same_thread(dataset):
    head = say(dataset, "Which bank?", RUTH, section="info")
    answer = say(dataset, "Northmere.", INES, answers=head.id)
    say(dataset, "Write it down.", RUTH, answers=answer.id)

    entry = remark_threads.of(dataset, INES.account).entries[0]
    assert [one.text for one in entry.answers] == ["Northmere.", "Write it down."]


@pytest.mark.parametrize(
    ("more", "error"),
    [
        ({"text": " "}, errors.Invalid),
        ({"section": "colour"}, errors.Invalid),
        ({"file": 9}, errors.NotFound),
        ({"answers": 99}, errors.NotFound),
        ({"text": "x" * 5001}, errors.Invalid),
    ],
)
def test_remark_that_lies_nowhere_is_refused(dataset, more, error):
    with pytest.raises(error):
        say(dataset, more.pop("text", "Which?"), RUTH, **more)


def test_only_submitter_and_curators_talk(dataset):
    with pytest.raises(errors.Forbidden):
        say(dataset, "Me too.", COLLEAGUE)


def test_draft_has_no_remarks(database):
    with db.transaction():
        made = datasets.create(actor=INES.account, **TEXT)
    with pytest.raises(errors.Conflict) as refused:
        say(made, "To whom?", INES)
    assert refused.value.codes == ["remark_too_early"]


def test_same_words_sent_twice_are_one_remark(dataset):
    first = say(dataset, "Which bank?", RUTH, section="info")
    again = say(dataset, "Which bank?", RUTH, section="info")
    other = say(dataset, "Which bank?", RUTH, section="files")

    assert first.id == again.id != other.id
    assert len([one for one in db.session.scalars(select(Event)) if one.action == "remark"]) == 2


def test_done_and_open_again(dataset):
    head = say(dataset, "Which bank?", RUTH, section="info")
    for who, done in ((INES, True), (RUTH, False)):
        with db.transaction():
            remarks.set_done(dataset, head, done=done, actor=who.account)
        assert remark_threads.of(dataset, INES.account).entries[0].open is not done
        assert head.done_by == (INES.id if done else None)


def test_private_remark_is_seen_by_curators_alone(dataset):
    private = say(dataset, SECRET, RUTH, public=False, section="info")
    answer = say(dataset, "They agreed.", RUTH, answers=private.id)

    assert answer.public is False
    assert texts(dataset, RUTH) == [SECRET, "They agreed."]
    assert texts(dataset, INES) == []
    for attempt in ({"answers": private.id}, {"answers": answer.id}):
        with pytest.raises(errors.NotFound):
            say(dataset, "What?", INES, **attempt)
    with pytest.raises(errors.Forbidden):
        say(dataset, "Mine.", INES, public=False)


def test_private_remark_leaves_no_trace_for_the_submitter(dataset):
    newest = db.session.scalar(select(Event.id).order_by(Event.id.desc()))
    private = say(dataset, SECRET, RUTH, public=False, file=1)
    with db.transaction():
        remarks.set_done(dataset, private, done=True, actor=RUTH.account)
    with db.transaction():
        actions.act(dataset, "return", actor=RUTH.account, note="Name the bank.")

    feed = event_feed.events(INES.account, since=newest or 0, limit=100)
    assert [event.action for event in feed] == ["return"]
    assert [event.action for event, _name in review.history(dataset)][:1] == ["return"]
    everything = [str(vars(event)) for event in db.session.scalars(select(Event))]
    assert not [line for line in everything if SECRET in line]
    assert not [mail for mail in db.session.scalars(select(Mail)) if SECRET in mail.body + mail.subject]
    assert remark_threads.newer(dataset, INES.account, 0) == 1


def test_curator_reads_no_private_remark_on_their_own_dataset(database):
    with db.transaction():
        made = datasets.create(actor=RUTH.account, files=[{"name": "r.txt"}], **TEXT)
        reviews.submit(made, actor=RUTH.account)
    assert remark_threads.of(made, RUTH.account).may_keep_private is False
    with pytest.raises(errors.Forbidden):
        say(made, SECRET, RUTH, public=False)


def test_first_remark_is_mailed_at_once_and_the_next_ones_together(dataset, run_jobs):
    say(dataset, "Which bank?", RUTH, section="info")
    assert [mail.subject for mail in mails(INES)] == ["Remark on OMIX000001: Kidney organoids"]
    say(dataset, "Cut off?", RUTH, file=1)
    say(dataset, "No date?", RUTH, section="release")
    run_jobs()
    assert len(mails(INES)) == 1
    clock.shift(11 * clock.MINUTE)
    run_jobs()

    assert len(mails(INES)) == 2
    assert "On File -01, a.txt:\nCut off?" in mails(INES)[1].body and "No date?" in mails(INES)[1].body
    assert "Which bank?" not in mails(INES)[1].body


def test_decision_takes_gathered_remarks_along_once(dataset, run_jobs):
    for text in ("Which bank?", "Which vote?"):
        say(dataset, text, RUTH, section="info")
    with db.transaction():
        actions.act(dataset, "return", actor=RUTH.account, note="See the remarks.")
    clock.shift(11 * clock.MINUTE)
    run_jobs()

    assert [mail.subject.partition(":")[0] for mail in mails(INES)] == [
        "Remark on OMIX000001",
        "Returned with a remark",
    ]
    assert "See the remarks." in mails(INES)[1].body and "On Data Info:\nWhich vote?" in mails(INES)[1].body


def test_turn_of_one_side_leaves_what_the_other_said_to_its_own_mail(dataset, run_jobs):
    for text in ("Which bank?", "Which vote?"):
        say(dataset, text, RUTH, section="info")
    for action in ("recall", "submit"):
        with db.transaction():
            actions.act(dataset, action, actor=INES.account)
    assert "Which vote?" not in "".join(mail.body for mail in mails(RUTH))
    clock.shift(11 * clock.MINUTE)
    run_jobs()

    assert "Which vote?" in mails(INES)[-1].body


def test_answer_reaches_the_curator_who_asked(dataset):
    head = say(dataset, "Which bank?", RUTH, section="info")
    say(dataset, "Northmere.", INES, answers=head.id)

    assert mails(RUTH)[-1].subject == "Remark on OMIX000001: Kidney organoids"
    assert "Northmere." in mails(RUTH)[-1].body and "/review/OMIX000001" in mails(RUTH)[-1].body


def test_open_question_makes_the_queue_wait_for_an_answer(dataset):
    head = say(dataset, "Which bank?", RUTH, section="info")
    row = review.queue(RUTH.account).rows[0]
    assert (row.open, row.waits_for) == (1, "an answer of the submitter")
    say(dataset, "Northmere.", INES, answers=head.id)

    assert review.queue(RUTH.account).rows[0].waits_for == "a curator"
    assert len(review.queue(RUTH.account, filters={"waits": "curator"}).rows) == 1
