"""Turns between submitter and curators: who is told what, what a curator saw, who may judge, what comes by itself."""

import pytest
from sqlalchemy import select

from portal import clock, config, db, errors
from portal.domain.accounts import accounts
from portal.domain.datasets import actions, datasets, reminders, reviews
from portal.domain.files import bulk_edit, files
from portal.domain.shared import changes
from portal.models import Dataset, Mail
from portal.queries.review import review
from tests.conftest import INES, RUTH

TEXT = {"title": "Kidney organoids under stress", "description": "Counts of 24 organoids.", "species": "Mus musculus"}


@pytest.fixture
def dataset(database) -> Dataset:
    with db.transaction():
        made = datasets.create(actor=INES.account, files=[{"name": "a.txt"}, {"name": "b.txt"}], **TEXT)
        reviews.submit(made, actor=INES.account)
    return made


def act(dataset, action, actor, **more):
    with db.transaction():
        actions.act(dataset, action, actor=actor.account, **more)


def look(dataset):
    with db.transaction():
        return reviews.record_view(dataset, actor=RUTH.account)


def edit(dataset, **fields):
    with db.transaction():
        datasets.edit(dataset, fields, actor=INES.account)


def mails(to=None) -> list[Mail]:
    query = select(Mail).order_by(Mail.id)
    return list(db.session.scalars(query.where(Mail.to == to.email) if to else query))


def curator(name: str):
    with db.transaction():
        return accounts.create(email=f"{name}@example.org", password="long enough a secret", role="curator", name=name)


def test_submission_and_its_note_reach_the_curators(dataset):
    assert [mail.subject for mail in mails(RUTH)] == ["Submitted: OMIX000001"]
    act(dataset, "recall", INES)
    act(dataset, "submit", INES, note="Batch 3 is complete now.")

    assert mails(RUTH)[-1].subject == "Submitted again: OMIX000001"
    assert "Batch 3 is complete now." in mails(RUTH)[-1].body


def test_resubmission_goes_to_the_curator_who_knows_it_alone(dataset):
    other = curator("karim")
    look(dataset)
    act(dataset, "recall", INES)
    act(dataset, "submit", INES)

    assert [mail.subject for mail in mails(RUTH)][1:] == ["Recalled: OMIX000001", "Submitted again: OMIX000001"]
    assert [mail for mail in mails() if mail.to == other.email] == []


def test_approval_carries_a_remark(dataset):
    act(dataset, "approve", RUTH, note="Well described.", version=dataset.version)

    assert mails(INES)[-1].subject == "Approved: OMIX000001"
    assert "Well described." in mails(INES)[-1].body


def test_approval_of_an_older_version_names_the_difference(dataset):
    seen = dataset.version
    edit(dataset, species="Danio rerio")

    with pytest.raises(errors.Conflict) as refused:
        act(dataset, "approve", RUTH, version=seen)
    assert refused.value.more["changes"] == [
        {"what": "Species", "before": "Mus musculus", "after": "Danio rerio", "file": None}
    ]
    assert dataset.state == "submitted"


def test_changed_files_void_an_approval(dataset):
    act(dataset, "approve", RUTH, version=dataset.version)
    clock.shift(clock.DAY)
    with db.transaction():
        files.add(dataset, [{"name": "c.txt"}], actor=INES.account)

    assert (dataset.state, dataset.approved_version, dataset.version) == ("submitted", 1, 2)
    assert clock.now() - dataset.submitted_at < clock.HOUR


def test_look_keeps_what_is_new_for_the_time_of_a_visit(dataset):
    first = look(dataset)
    assert first.since_id == first.event_id
    edit(dataset, title="Liver organoids under stress")

    for _again in range(2):
        assert [one.field for one in changes.since(dataset, look(dataset).since_id)] == ["title"]
    clock.shift(2 * clock.HOUR)
    assert changes.since(dataset, look(dataset).since_id) == []


def test_mark_as_seen_leaves_nothing_new(dataset):
    look(dataset)
    edit(dataset, title="Liver organoids under stress")
    with db.transaction():
        seen = reviews.mark_seen(dataset, actor=RUTH.account)

    assert changes.since(dataset, seen.since_id) == []


def test_changes_name_fields_and_files_once(dataset):
    start = look(dataset).event_id
    edit(dataset, title="One", description="Counts of 23 organoids.")
    edit(dataset, title="Two")
    edit(dataset, title=TEXT["title"])
    with db.transaction():
        files.edit(files.by_number(dataset, 1), {"samples": 3}, actor=INES.account)
        files.add(dataset, [{"name": "c.txt"}, {"name": "d.txt"}], actor=INES.account)
        bulk_edit.remove(dataset, [files.by_number(dataset, 2).id], actor=INES.account)

    found = [(one.what, one.before, one.after) for one in changes.since(dataset, start)]
    assert found == [
        ("Brief description", "Counts of 24 organoids.", "Counts of 23 organoids."),
        ("File -01, Number of Samples/Files", "", "3"),
        ("File -03", "", "c.txt"),
        ("File -04", "", "d.txt"),
        ("File -02", "b.txt", "removed"),
    ]


@pytest.mark.parametrize(
    ("before", "after", "runs"),
    [
        ("of 24 mice", "of 23 mice", [("same", "of "), ("gone", "24 "), ("new", "23 "), ("same", "mice")]),
        ("", "new", [("new", "new")]),
        ("a b c", "x y z", [("gone", "a b c"), ("new", "x y z")]),
    ],
)
def test_difference_marks_words(before, after, runs):
    assert changes.difference(before, after) == runs


def test_curator_does_not_approve_their_own_dataset(database):
    curator("karim")
    with db.transaction():
        made = datasets.create(actor=RUTH.account, files=[{"name": "r.txt"}], **TEXT)
        reviews.submit(made, actor=RUTH.account)

    assert "approve" not in [move.action for move in actions.offered(made, actor=RUTH.account)]
    with pytest.raises(errors.Forbidden) as refused:
        act(made, "approve", RUTH, version=made.version)
    assert refused.value.codes == ["approve_own"]


def test_only_curator_approves_their_own_dataset(database):
    with db.transaction():
        made = datasets.create(actor=RUTH.account, files=[{"name": "r.txt"}], **TEXT)
        reviews.submit(made, actor=RUTH.account)
    act(made, "approve", RUTH, version=made.version)

    assert made.state == "approved"


def test_edit_after_a_look_is_told_once_until_the_next_look(dataset):
    look(dataset)
    edit(dataset, species="Danio rerio")
    edit(dataset, title="Zebrafish organoids under stress")
    for _twice in range(2):
        with db.transaction():
            reminders.mail_edits()

    told = [mail for mail in mails(RUTH) if mail.subject.startswith("Changed since you looked")]
    assert len(told) == 1
    assert "Danio rerio" in told[0].body and "version\n1; it is version 3 now" in told[0].body
    look(dataset)
    edit(dataset, species="Mus musculus")
    with db.transaction():
        reminders.mail_edits()
    assert len([mail for mail in mails(RUTH) if mail.subject.startswith("Changed since")]) == 2


def test_what_waits_long_is_told_once_a_period(dataset):
    def rounds():
        for _twice in range(2):
            with db.transaction():
                reminders.remind()
        return [mail.subject for mail in mails(RUTH) if mail.subject.startswith("Waits")]

    clock.shift(6 * clock.DAY)
    assert rounds() == []
    clock.shift(clock.DAY)
    assert rounds() == ["Waits 7 days for review: OMIX000001"]
    clock.shift(7 * clock.DAY)
    assert rounds() == ["Waits 7 days for review: OMIX000001", "Waits 14 days for review: OMIX000001"]


def test_reminders_can_be_turned_off(dataset, monkeypatch):
    monkeypatch.setattr(config.settings(), "review_remind_days", 0)
    clock.shift(60 * clock.DAY)
    with db.transaction():
        reminders.remind()

    assert [mail for mail in mails(RUTH) if mail.subject.startswith("Waits")] == []


def test_returned_dataset_that_rests_a_month_reminds_its_submitter(dataset):
    act(dataset, "return", RUTH, note="Name the bank.")
    clock.shift(31 * clock.DAY)
    for _twice in range(2):
        with db.transaction():
            reminders.remind()

    assert [mail.subject for mail in mails(INES)] == [
        "Returned with a remark: OMIX000001",
        "Still with you: OMIX000001",
    ]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ({}, 1),
        ({"text": "kidney MUS"}, 1),
        ({"text": "liver"}, 0),
        ({"access": "controlled"}, 0),
        ({"waits": "me"}, 0),
        ({"waits": "nobody"}, 1),
        ({"waits": "curator"}, 1),
        ({"waits": "submitter"}, 0),
        ({"data_type": "Imaging"}, 0),
        ({"center": "999999"}, 0),
    ],
)
def test_queue_is_filtered(dataset, filters, found):
    assert len(review.queue(RUTH.account, filters=filters).rows) == found


def test_queue_says_how_long_and_for_whom(dataset):
    clock.shift(3 * clock.DAY + clock.HOUR)
    row = review.queue(RUTH.account).rows[0]

    assert (row.age, row.waits_for, row.seen) == ("3 d", "a curator", None)
    act(dataset, "return", RUTH, note="Name the bank.")
    row = review.queue(RUTH.account, tab="returned").rows[0]
    assert (row.age, row.waits_for, row.seen) == ("0 min", "the submitter", 1)
