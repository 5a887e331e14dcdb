"""Co-submitters: invited by address, with an account or without; they edit and send, the life cycle is the owner's."""

import pytest

from portal import clock, db, errors, states
from portal.domain.accounts import editors
from portal.domain.datasets import actions, datasets, releases
from portal.domain.datasets.handover import hand_over
from portal.domain.files import files
from portal.models import Dataset, Editor, Event, Mail, Upload
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
    from portal.domain.datasets import reviews
    from tests.conftest import PEOPLE

    share(dataset_id, RUTH)
    with db.transaction():
        PEOPLE["colleague"].account.role = "curator"
        assert not reviews.may_approve(db.session.get_one(Dataset, dataset_id), RUTH.account)


def test_api_invites_lists_and_answers(dataset_id, app):
    from portal.domain.accounts import tokens

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
