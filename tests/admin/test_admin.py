"""The operator's pages: mails with their state and text, jobs that are run again."""

from sqlalchemy import select

from portal import db, states
from portal.domain.accounts import accounts
from portal.domain.shared import job_queue, notifications
from portal.models import Event, Job, Mail
from tests.state_guard import states_unguarded


def test_test_mail_is_written_and_readable(sign_in, ruth):
    client = sign_in(ruth)
    client.get("/admin/outbox")
    page = client.get(client.send("/admin/outbox/test").headers["Location"]).text
    assert "Test mail from Northmere Data Archive" in page and ruth.email in page and "Queued" in page
    assert "Test mail" in client.get("/admin/outbox?state=queued").text
    assert "No mail here" in client.get("/admin/outbox?state=sent").text


def test_failed_mail_shows_why_and_is_sent_again(sign_in, ruth):
    with db.transaction():
        mail = notifications.send("k", to="x@example.org", template="test", name="Ruth")
        mail.state, mail.error = "failed", "The mail server answered 550 <no>"
    client = sign_in(ruth)
    assert "550 &lt;no&gt;" in client.get(f"/admin/outbox/{mail.id}").text
    client.send(f"/admin/outbox/{mail.id}/again")
    assert db.session.get(Mail, mail.id).state == "queued"


def test_link_that_lets_in_is_not_shown_once_it_went_to_its_reader(sign_in, settings, ines, ruth):
    with db.transaction():
        accounts.start_reset(ines.email)
    mail = db.session.scalar(select(Mail))
    client = sign_in(ruth)
    assert "/reset/" in client.get(f"/admin/outbox/{mail.id}").text
    with db.transaction():
        db.session.get(Mail, mail.id).state = "sent"
    settings.mail_url = "smtp://user:sesame@mail.example.org"
    assert mail.body.split("/reset/")[1].split()[0] not in client.get(f"/admin/outbox/{mail.id}").text
    page = client.get("/admin/outbox").text
    assert "mail.example.org" in page and "sesame" not in page


def test_failed_job_is_run_again(sign_in, ruth):
    with states_unguarded():
        job = job_queue.enqueue("mail", key="mail:0")
        job.state, job.error = states.FAILED, "It broke."
    client = sign_in(ruth)
    page = client.get("/admin/jobs?state=failed").text
    assert "It broke." in page and "Run again" in page
    assert client.send(f"/admin/jobs/{job.id}/again").status_code == 303
    assert db.session.get(Job, job.id).state == states.QUEUED
    assert client.send(f"/admin/jobs/{job.id}/again").status_code == 409


def test_long_lists_go_on_by_id(sign_in, ruth):
    with db.transaction():
        for n in range(101):
            notifications.send(f"k{n}", to=f"person{n}@example.org", template="test", name="Ruth")
    client = sign_in(ruth)
    first = client.get("/admin/outbox").text
    assert "person100@" in first and "person0@" not in first and "before=2" in first
    assert "person0@" in client.get("/admin/outbox?before=2").text


def test_job_of_a_dataset_is_not_cancelled_and_one_that_comes_again_is(sign_in, ruth):
    with db.transaction():
        archive, prune = job_queue.enqueue("archive", key="archive:1"), job_queue.enqueue("prune", key="prune")
    client = sign_in(ruth)
    page = client.get("/admin/jobs").text
    assert f"/admin/jobs/{prune.id}/cancel" in page and f"/admin/jobs/{archive.id}/cancel" not in page
    assert client.send(f"/admin/jobs/{archive.id}/cancel").status_code == 409
    assert client.send(f"/admin/jobs/{prune.id}/cancel").status_code == 303
    assert (db.session.get(Job, archive.id).state, db.session.get(Job, prune.id).state) == ("queued", "cancelled")
    assert client.send(f"/admin/jobs/{prune.id}/again").status_code == 303
    assert [event.action for event in db.session.scalars(select(Event).order_by(Event.id).offset(4))] == [
        "job.cancel",
        "job.retry",
    ]


def test_failed_job_that_a_newer_one_took_over_is_left_alone(sign_in, ruth):
    with states_unguarded():
        old = job_queue.enqueue("prune", key="prune")
        old.state = states.FAILED
        db.session.flush()
        job_queue.enqueue("prune", key="prune")
        other = job_queue.enqueue("expire", key="expire", max_attempts=300)
        other.state = states.FAILED
    client = sign_in(ruth)
    client.get("/admin/jobs")
    assert client.send(f"/admin/jobs/{old.id}/again").status_code == 409
    client.send("/admin/jobs/again")
    kept, again = db.session.get(Job, old.id, populate_existing=True), db.session.get(Job, other.id)
    assert (kept.state, again.state, again.max_attempts) == (states.FAILED, states.QUEUED, 300)
    assert "1 job queued again." in client.get("/admin/jobs?state=failed").text


def test_mail_that_waits_is_stopped_and_its_job_with_it(sign_in, ruth):
    with db.transaction():
        mail = notifications.send("k", to="x@example.org", template="test", name="x")
    client = sign_in(ruth)
    assert "Stop trying" in client.get(f"/admin/outbox/{mail.id}").text
    client.send(f"/admin/outbox/{mail.id}/stop")
    assert "Ruth Adeyemi stopped it." in client.get(f"/admin/outbox/{mail.id}").text
    assert db.session.scalar(select(Job.state)) == states.CANCELLED
    assert client.send(f"/admin/outbox/{mail.id}/stop").status_code == 409
    client.send(f"/admin/outbox/{mail.id}/again")
    assert db.session.get(Mail, mail.id, populate_existing=True).state == "queued"


def test_mail_under_way_is_not_stopped(sign_in, ruth):
    with db.transaction():
        mail = notifications.send("k", to="x@example.org", template="test", name="x")
        job_queue.claim(db.session.scalar(select(Job.id)), owner="test")
    client = sign_in(ruth)
    client.get(f"/admin/outbox/{mail.id}")
    assert client.send(f"/admin/outbox/{mail.id}/stop").status_code == 409
    assert db.session.get(Mail, mail.id, populate_existing=True).state == "queued"


def test_overview_leads_to_what_wants_an_eye(sign_in, ruth):
    client = sign_in(ruth)
    assert "Nothing failed, nobody waits, and every center has room." in client.get("/admin").text
    with states_unguarded():
        job_queue.enqueue("prune", key="prune").state = states.FAILED
        notifications.send("k", to="x@example.org", template="test", name="x").state = "failed"
        accounts.register(email="nils.berg@example.org", name="Nils Berg", password="a long enough one")
    page = client.get("/admin").text
    for words in ("1 job failed", "1 mail not delivered", "1 account not confirmed yet"):
        assert words in page
