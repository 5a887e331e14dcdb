"""Co-submitters: invited by address, with an account or without; they edit and send, the life cycle is the owner's."""

import pytest
from sqlalchemy import select

from portal import clock, db, errors, states
from portal.domain.accounts import editors, tokens
from portal.domain.datasets import actions, datasets, releases, reminders, reviews
from portal.domain.datasets.handover import hand_over
from portal.domain.files import files
from portal.domain.permissions import access
from portal.domain.webhooks import event_feed
from portal.models import Dataset, Editor, Event, Mail, Upload
from portal.queries.datasets import revision
from tests import depositing as deposit
from tests.conftest import COLLEAGUE, INES, RUTH, STRANGER


@pytest.fixture
def dataset_id(database, ines) -> int:
    with db.transaction():
        words = {"title": "Livers", "description": "D", "species": "Mus musculus", "access": "open"}
        return datasets.create(actor=ines.account, **words).id


def invite(dataset_id: int, person=COLLEAGUE, *, actor=INES) -> int:
    with db.transaction():
        return editors.invite(db.session.get_one(Dataset, dataset_id), person.email, actor=actor.account).id


def share(dataset_id: int, person=COLLEAGUE) -> int:
    editor_id = invite(dataset_id, person)
    with db.transaction():
        editors.answer(editor_id, accept=True, actor=person.account)
    return editor_id


def mails() -> list[tuple[str, str]]:
    db.end()
    return [(mail.to, mail.subject) for mail in db.session.query(Mail).order_by(Mail.id)]


def test_who_is_invited_is_mailed_and_edits_once_they_accept(dataset_id, sign_in, ines):
    editor_id = invite(dataset_id)
    assert mails() == [(COLLEAGUE.email, f"{INES.name} invites you to a dataset")]
    browser = sign_in(COLLEAGUE)
    assert browser.get(f"/deposit/{dataset_id}").status_code == 404
    page = browser.get("/deposit").text
    assert "invites you to edit" in page and "Livers" in page

    assert (
        browser.send(f"/deposit/invitations/{editor_id}/accept").headers["Location"].endswith(f"/deposit/{dataset_id}")
    )
    assert browser.get(f"/deposit/{dataset_id}").status_code == 200
    page = browser.get("/deposit").text
    assert "Shared with me" in page and "invites you" not in page
    events = [event.action for event in db.session.query(Event).filter_by(dataset_id=dataset_id).order_by(Event.id)]
    assert events[-2:] == ["invite", "accept_invitation"]


def test_address_without_an_account_is_invited_and_finds_it_after_registering(dataset_id, sign_in, ines):
    with db.transaction():
        editors.invite(db.session.get_one(Dataset, dataset_id), " New.Person@Example.org ", actor=ines.account)
    assert mails()[0][0] == "new.person@example.org"
    with db.transaction():
        person = STRANGER.account
        person.email = "new.person@example.org"
        assert [row.dataset_id for row in editors.invitations(person)] == [dataset_id]


@pytest.mark.parametrize("address", ["", "no address", INES.email])
def test_what_is_no_address_of_somebody_else_is_refused(dataset_id, sign_in, address):
    answer = sign_in(INES).send(f"/deposit/{dataset_id}/people", email=address)
    assert answer.status_code == 422 and db.session.query(Editor).count() == 0 and mails() == []


def test_second_invitation_of_an_address_mails_nobody(dataset_id):
    assert invite(dataset_id) == invite(dataset_id)
    assert len(mails()) == 1


def test_nobody_floods_strangers_with_mail(dataset_id, ines):
    with pytest.raises(errors.Throttled), db.transaction():
        for n in range(editors.MOST_MAILS + 1):
            editors.invite(db.session.get_one(Dataset, dataset_id), f"p{n}@example.org", actor=ines.account)


def test_only_the_address_itself_answers(dataset_id, sign_in, stranger):
    editor_id = invite(dataset_id)
    assert sign_in(stranger).send(f"/deposit/invitations/{editor_id}/accept").status_code == 404
    browser = sign_in(COLLEAGUE)
    browser.send(f"/deposit/invitations/{editor_id}/decline")
    assert db.session.query(Editor).count() == 0
    assert browser.send(f"/deposit/invitations/{editor_id}/accept").status_code == 404


def test_co_submitter_edits_and_sends_and_it_counts_for_them(dataset_id, receiving, send):
    share(dataset_id)
    send("a.txt", b"sent", person=COLLEAGUE, dataset_id=dataset_id)
    with db.transaction():
        dataset = db.session.get_one(Dataset, dataset_id)
        datasets.edit(dataset, {"title": "Livers under stress"}, actor=COLLEAGUE.account)
        files.edit(files.by_number(dataset, 1), {"title": "Counts"}, actor=COLLEAGUE.account)
    upload = db.session.query(Upload).one()
    assert (upload.account_id, upload.dataset_id) == (COLLEAGUE.id, dataset_id)


def test_files_take_from_the_box_of_a_co_submitter_too(dataset_id, receiving, send):
    share(dataset_id)
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "a.txt"}], actor=INES.account)
    send("a.txt", b"theirs", person=STRANGER)
    assert deposit.states_of(dataset_id) == ["waiting"]
    send("a.txt", b"ours", person=COLLEAGUE)
    assert deposit.states_of(dataset_id) == ["received"]


def test_archive_takes_bytes_of_a_co_submitter(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    send("a.txt", b"sent", person=COLLEAGUE, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    run_jobs()
    assert deposit.states_of(dataset_id) == ["archived"]
    assert deposit.archived_path(dataset_id).read_bytes() == b"sent"


@pytest.mark.parametrize("action", ["submit", "discard"])
def test_life_cycle_is_the_owners(dataset_id, receiving, send, action):
    share(dataset_id)
    send("a.txt", b"sent", person=COLLEAGUE, dataset_id=dataset_id)
    with pytest.raises(errors.Forbidden), db.transaction():
        actions.act(db.session.get_one(Dataset, dataset_id), action, actor=COLLEAGUE.account)
    share_again = db.session.query(Editor).one().id
    with pytest.raises(errors.Forbidden), db.transaction():
        editors.invite(db.session.get_one(Dataset, dataset_id), STRANGER.email, actor=COLLEAGUE.account)
    assert share_again and db.session.get_one(Dataset, dataset_id).state == states.DRAFT


def test_release_is_asked_by_no_co_submitter(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    send("a.txt", b"sent", person=INES, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    run_jobs()
    deposit.approve(dataset_id)
    with pytest.raises(errors.Forbidden), db.transaction():
        releases.request_release(db.session.get_one(Dataset, dataset_id), actor=COLLEAGUE.account)


def test_change_of_a_co_submitter_voids_an_approval(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    send("a.txt", b"sent", person=INES, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    run_jobs()
    deposit.approve(dataset_id)
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), {"title": "Other"}, actor=COLLEAGUE.account)
    assert deposit.get(dataset_id).state == states.SUBMITTED


def test_mails_about_the_dataset_go_to_both(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    send("a.txt", b"sent", person=INES, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    run_jobs()
    before = len(mails())
    deposit.approve(dataset_id)
    assert {to for to, _subject in mails()[before:]} == {INES.email, COLLEAGUE.email}


def test_who_is_taken_off_or_leaves_is_shut_out_and_what_they_sent_stays(dataset_id, receiving, send, sign_in):
    editor_id = share(dataset_id)
    send("a.txt", b"sent", person=COLLEAGUE, dataset_id=dataset_id)
    assert sign_in(STRANGER).send(f"/deposit/{dataset_id}/people/{editor_id}/remove").status_code == 404
    assert sign_in(INES).send(f"/deposit/{dataset_id}/people/{editor_id}/remove").status_code == 303
    assert sign_in(COLLEAGUE).get(f"/deposit/{dataset_id}").status_code == 404
    assert deposit.states_of(dataset_id) == ["received"] and mails()[-1][0] == COLLEAGUE.email
    with pytest.raises(errors.NotFound):
        send("b.txt", b"late", person=COLLEAGUE, dataset_id=dataset_id)

    editor_id = share(dataset_id)
    assert sign_in(COLLEAGUE).send(f"/deposit/{dataset_id}/people/{editor_id}/remove").status_code == 303
    assert db.session.query(Editor).count() == 0


def test_bytes_in_flight_of_who_is_taken_off_go_to_their_box(dataset_id, receiving):
    editor_id = share(dataset_id)
    session = deposit.upload_session.open(COLLEAGUE.id, realm="open", name="a.txt", via="api", dataset_id=dataset_id)
    session.write(b"in flight")
    with db.transaction():
        editors.remove(db.session.get_one(Dataset, dataset_id), editor_id, actor=INES.account)
    session.finish()
    db.end()
    assert deposit.files_of(dataset_id) == [] and db.session.query(Upload).one().dataset_id is None


def test_curator_who_edits_a_dataset_does_not_judge_it(dataset_id, receiving, send, database):
    from tests.conftest import PEOPLE

    share(dataset_id, RUTH)
    with db.transaction():
        PEOPLE["colleague"].account.role = "curator"
        assert not reviews.may_approve(db.session.get_one(Dataset, dataset_id), RUTH.account)


def test_api_invites_lists_and_answers(dataset_id, app):
    def call(person, method, path, **more):
        with db.transaction():
            key = tokens.issue(person.account, "api")
        headers = {"Authorization": f"Bearer {key}"}
        return app.test_client().open(f"/api/v1{path}", method=method, headers=headers, **more)

    made = call(INES, "POST", f"/datasets/{dataset_id}/people", json={"email": COLLEAGUE.email})
    assert (made.status_code, made.json["accepted"], made.json["name"]) == (201, None, None)
    (invited,) = call(COLLEAGUE, "GET", "/invitations").json["items"]
    assert (invited["title"], invited["by"]) == ("Livers", INES.name)
    assert call(COLLEAGUE, "POST", f"/invitations/{invited['id']}/accept").status_code == 204
    assert [row["id"] for row in call(COLLEAGUE, "GET", "/datasets").json["items"]] == [dataset_id]
    (editor,) = call(INES, "GET", f"/datasets/{dataset_id}/people").json["items"]
    assert editor["name"] == COLLEAGUE.name and editor["accepted"]
    assert call(INES, "DELETE", f"/datasets/{dataset_id}/people/{editor['id']}").status_code == 204
    assert call(COLLEAGUE, "GET", f"/datasets/{dataset_id}").status_code == 404


def test_draft_that_is_discarded_and_handed_over_takes_its_people_along(dataset_id):
    share(dataset_id)
    with db.transaction():
        hand_over(db.session.get_one(Dataset, dataset_id), STRANGER.account, actor=None)
        assert [row.email for row in editors.of(db.session.get_one(Dataset, dataset_id))] == [COLLEAGUE.email]
        actions.act(db.session.get_one(Dataset, dataset_id), "discard", actor=STRANGER.account)
    assert db.session.query(Editor).count() == 0 and clock.now()


def approved(dataset_id, send, run_jobs) -> None:
    send("a.txt", b"sent", person=INES, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    run_jobs()
    deposit.approve(dataset_id)


def edit(dataset_id, changes, *, actor) -> None:
    with db.transaction():
        datasets.edit(db.session.get_one(Dataset, dataset_id), changes, actor=actor.account)


def test_day_of_release_is_the_owners_from_the_submit_on(dataset_id, receiving, send, run_jobs):
    """The date of what is approved opens it without another look."""
    share(dataset_id)
    edit(dataset_id, {"release_date": "2199-01-01"}, actor=COLLEAGUE)
    approved(dataset_id, send, run_jobs)
    with pytest.raises(errors.Invalid) as refused:
        edit(dataset_id, {"release_date": "2020-01-01"}, actor=COLLEAGUE)
    assert str(refused.value.fields["release_date"]).startswith(f"Once it is submitted, only {INES.name} changes")
    assert (deposit.get(dataset_id).state, deposit.get(dataset_id).release_date) == (states.APPROVED, "2199-01-01")
    edit(dataset_id, {"release_date": "2198-01-01"}, actor=INES)


def test_form_of_a_co_submitter_offers_no_submit_and_refuses_an_early_date(
    dataset_id, receiving, send, run_jobs, sign_in
):
    share(dataset_id)
    browser = sign_in(COLLEAGUE)
    page = browser.get(f"/deposit/{dataset_id}").text
    assert 'value="submit"' not in page and f"Only {INES.name} submits it." in page
    assert 'value="submit"' in sign_in(INES).get(f"/deposit/{dataset_id}").text
    approved(dataset_id, send, run_jobs)
    answer = browser.send(f"/deposit/{dataset_id}", title="Livers", release_date="2020-01-01")
    assert answer.status_code == 422 and f"only {INES.name} changes the release date" in answer.text
    page = browser.get(f"/deposit/{dataset_id}").text
    assert f"/deposit/{deposit.get(dataset_id).accession}/links" not in page


def test_invitations_taken_back_count_against_the_most_of_a_day(dataset_id, ines):
    with pytest.raises(errors.Throttled), db.transaction():
        for _n in range(editors.MOST_MAILS + 1):
            dataset = db.session.get_one(Dataset, dataset_id)
            editor = editors.invite(dataset, COLLEAGUE.email, actor=ines.account)
            editors.remove(dataset, editor.id, actor=ines.account)


def test_co_submitter_chooses_among_their_own_uploads_not_the_owners(dataset_id, receiving, send, sign_in):
    share(dataset_id)
    send("private.txt", b"owner's", person=INES)
    send("shared.txt", b"mine", person=COLLEAGUE)
    theirs = sign_in(COLLEAGUE).get(f"/deposit/{dataset_id}/ftp").text
    assert "shared.txt" in theirs and "private.txt" not in theirs
    assert "private.txt" in sign_in(INES).get(f"/deposit/{dataset_id}/ftp").text


@pytest.mark.parametrize(("stays", "left"), [(False, []), (True, [INES.email])])
def test_heir_is_no_co_submitter_and_the_former_owner_may_stay_one(dataset_id, stays, left):
    share(dataset_id)
    with db.transaction():
        hand_over(db.session.get_one(Dataset, dataset_id), COLLEAGUE.account, actor=RUTH.account, stays=stays)
        assert [row.email for row in editors.of(db.session.get_one(Dataset, dataset_id))] == left


def test_curator_hands_over_and_lets_the_former_owner_stay(dataset_id, sign_in):
    browser = sign_in(RUTH)
    path = f"/admin/people/{INES.id}/hand-over"
    assert f"{INES.name} goes on editing them as a co-submitter" in browser.get(path).text
    assert browser.send(path, email=COLLEAGUE.email, stays="1").status_code == 303
    assert sign_in(INES).get(f"/deposit/{dataset_id}").status_code == 200
    assert deposit.get(dataset_id).account_id == COLLEAGUE.id


def test_tracking_names_the_owner_of_a_shared_submission(dataset_id, sign_in):
    browser = sign_in(COLLEAGUE)
    assert browser.get(f"/tracking/{dataset_id}").status_code == 404
    share(dataset_id)
    page = browser.get("/tracking/submissions").text
    assert "Livers" in page and f"Owner: {INES.name}" in page
    assert "Owner:" not in sign_in(INES).get("/tracking/submissions").text
    assert browser.get(f"/tracking/{dataset_id}").status_code == 200
    assert "Livers" in sign_in(INES).get("/tracking/submissions").text


def test_curator_reads_who_edits_with_the_owner(dataset_id, receiving, send, run_jobs, sign_in):
    share(dataset_id)
    approved(dataset_id, send, run_jobs)
    assert f"With {COLLEAGUE.name}." in sign_in(RUTH).get(f"/review/{deposit.get(dataset_id).accession}").text


def test_events_of_a_shared_dataset_are_followed_by_those_who_edit_it(dataset_id):
    def followed(person) -> set[str]:
        return {
            event.action
            for event in event_feed.events(person.account, since=0, limit=100)
            if event.dataset_id == dataset_id
        }

    assert "create" in followed(INES) and followed(COLLEAGUE) == set()
    share(dataset_id)
    assert {"create", "invite", "accept_invitation"} <= followed(COLLEAGUE)
    assert followed(STRANGER) == set()


def test_list_of_who_is_invited_or_edits_changes_with_the_dataset(dataset_id, run_jobs):
    before = revision.of_account(STRANGER.account)
    share(dataset_id, STRANGER)
    shared = revision.of_account(STRANGER.account)
    edit(dataset_id, {"title": "Other"}, actor=INES)
    assert len({before, shared, revision.of_account(STRANGER.account)}) == 3


def test_curators_are_told_of_what_a_co_submitter_changed(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    send("a.txt", b"sent", person=INES, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    with db.transaction():
        reviews.record_view(db.session.get_one(Dataset, dataset_id), actor=RUTH.account)
        reviews.mark_seen(db.session.get_one(Dataset, dataset_id), actor=RUTH.account)
    edit(dataset_id, {"title": "Other"}, actor=COLLEAGUE)
    with db.transaction():
        reminders.mail_edits()
    assert RUTH.email in [to for to, _subject in mails()]


def test_reminders_go_to_both(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    edit(dataset_id, {"release_date": releases.day(5)}, actor=INES)
    approved(dataset_id, send, run_jobs)
    before = len(mails())
    for _twice in range(2):
        with db.transaction():
            releases.remind()
    assert sorted(to for to, _subject in mails()[before:]) == sorted([INES.email, COLLEAGUE.email])


def test_mail_to_an_address_without_account_leads_to_registering_with_it(dataset_id, ines, app):
    with db.transaction():
        editors.invite(db.session.get_one(Dataset, dataset_id), "a+b@example.org", actor=ines.account)
    assert "/register?email=a%2Bb%40example.org" in db.session.query(Mail).one().body
    assert 'value="a+b@example.org"' in app.test_client().get("/register?email=a%2Bb%40example.org").text


def test_room_of_the_form_is_that_of_who_sends(dataset_id, sign_in):
    """What a co-submitter sends counts for their own quota."""
    share(dataset_id, STRANGER)
    with db.transaction():
        STRANGER.account.center.quota_open = 3 << 30
    for path in (f"/deposit/{dataset_id}", f"/deposit/{dataset_id}/online"):
        assert f'data-quota-left="{3 << 30}"' in sign_in(STRANGER).get(path).text, path
        assert f'data-quota-left="{3 << 30}"' not in sign_in(INES).get(path).text, path


def test_wrong_digest_is_mailed_to_both_once(dataset_id, receiving, send, run_jobs):
    share(dataset_id)
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "a.txt", "md5": "0" * 32}], actor=INES.account)
    send("a.txt", b"sent", person=COLLEAGUE, dataset_id=dataset_id)
    with db.transaction():
        datasets.submit(db.session.get_one(Dataset, dataset_id), actor=INES.account)
    run_jobs()
    told = [to for to, subject in mails() if "MD5 Checked Failed" in subject]
    assert sorted(told) == sorted([INES.email, COLLEAGUE.email])


def test_api_lets_no_co_submitter_move_the_day_or_invite(dataset_id, receiving, send, run_jobs, app):
    share(dataset_id)
    approved(dataset_id, send, run_jobs)
    with db.transaction():
        headers = {"Authorization": f"Bearer {tokens.issue(COLLEAGUE.account, 'api')}"}
    client = app.test_client()
    moved = client.patch(f"/api/v1/datasets/{dataset_id}", json={"release_date": "2020-01-01"}, headers=headers)
    assert moved.status_code == 422 and moved.json["errors"][0]["field"] == "release_date"
    invited = client.post(f"/api/v1/datasets/{dataset_id}/people", json={"email": "x@example.org"}, headers=headers)
    released = client.post(f"/api/v1/datasets/{dataset_id}/actions/release", json={}, headers=headers)
    assert (invited.status_code, released.status_code) == (403, 403)
    assert deposit.get(dataset_id).state == states.APPROVED


def test_who_may_edit_is_the_same_as_a_function_a_list_and_a_condition(dataset_id):
    def agreed() -> set[str]:
        dataset = db.session.get_one(Dataset, dataset_id)
        by_function, by_condition = set(), set()
        for person in (INES, COLLEAGUE, STRANGER, RUTH):
            if access.may_edit(dataset, person.account):
                by_function.add(person.email)
            if db.session.scalar(select(Dataset.id).where(access.editable_by(person.id))):
                by_condition.add(person.email)
        listed = {person.email for person in (INES, COLLEAGUE, STRANGER, RUTH) if person.id in access.editors(dataset)}
        assert by_function == by_condition == listed
        return by_function

    assert agreed() == {INES.email}
    invite(dataset_id, STRANGER)
    assert agreed() == {INES.email}
    editor_id = share(dataset_id)
    assert agreed() == {INES.email, COLLEAGUE.email}
    with db.transaction():
        editors.remove(db.session.get_one(Dataset, dataset_id), editor_id, actor=INES.account)
    assert agreed() == {INES.email} and not access.may_edit(db.session.get_one(Dataset, dataset_id), None)


def test_tracking_of_a_co_submitter_finds_their_upload_whose_file_is_red(
    dataset_id, receiving, send, run_jobs, sign_in
):
    share(dataset_id)
    with db.transaction():
        files.add(db.session.get_one(Dataset, dataset_id), [{"name": "red.txt", "md5": "0" * 32}], actor=INES.account)
    send("red.txt", b"sent", person=COLLEAGUE, dataset_id=dataset_id)
    send("good.txt", b"fine", person=COLLEAGUE)
    run_jobs()
    page = sign_in(COLLEAGUE).get("/tracking?state=all&problems=1").text
    assert "red.txt" in page and "good.txt" not in page
    assert "red.txt" not in sign_in(INES).get("/tracking?state=all&problems=1").text
