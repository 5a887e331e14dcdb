"""The mail job against a real SMTP server: sent once, tried again, given up; a file in the outbox without one."""

from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import select

from portal import clock, db
from portal.domain.shared import job_queue, notifications
from portal.jobs.handlers.messages import mail as mail_job
from portal.models import Job, Mail


class Server:
    """Keeps what it is sent; `refuse` maps a step to an answer."""

    def __init__(self) -> None:
        self.received: list = []
        self.refuse: dict[str, str] = {}

    async def handle_RCPT(self, _server, _session, envelope, address, _options):
        if "RCPT" in self.refuse:
            return self.refuse["RCPT"]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server, _session, envelope):
        if "DATA" in self.refuse:
            return self.refuse["DATA"]
        self.received.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 OK"


class AnyPort(Controller):
    """Listens on a free port and knows which."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


@pytest.fixture
def server(settings):
    handler = Server()
    controller = AnyPort(handler, hostname="127.0.0.1", port=0)
    controller.start()
    settings.mail_url = f"smtp://127.0.0.1:{controller.port}"
    yield handler
    controller.stop()


def write(key: str = "k", **values) -> int:
    with db.transaction():
        return notifications.send(key, to="ines@example.org", template="test", **{"name": "Zoë", **values}).id


def run(mail_id: int) -> Mail:
    """Run the mail's job as a worker does, whatever comes of it."""
    job_id = db.session.scalar(select(Job.id).where(Job.key == f"mail:{mail_id}").order_by(Job.id.desc()))
    with db.transaction():
        lease = job_queue.claim(job_id, owner="test")
    assert lease is not None
    try:
        mail_job.send_mail(lease, lambda _done: None)
    except mail_job.NotSent as error:
        with db.transaction():
            job_queue.put_off(lease, error.sentence)
    found = db.session.get(Mail, mail_id, populate_existing=True)
    assert found is not None
    return found


def test_mail_goes_out_once_with_a_steady_message_id(database, server):
    mail_id = write()
    assert run(mail_id).state == "sent"
    (message,) = server.received
    assert message["To"] == "ines@example.org" and "Zoë" in message.get_content()
    with db.transaction():
        notifications.send_again(db.session.get(Mail, mail_id))
    run(mail_id)
    assert server.received[1]["Message-ID"] == message["Message-ID"]


def test_sent_mail_is_not_sent_again_by_a_second_job(database, server):
    mail_id = write()
    run(mail_id)
    with db.transaction():
        notifications.enqueue(db.session.get(Mail, mail_id))
    assert run(mail_id).attempt == 1
    assert len(server.received) == 1


def test_refused_for_now_is_tried_again(database, server):
    mail_id = write()
    server.refuse["DATA"] = "451 try later"
    mail = run(mail_id)
    assert (mail.state, mail.attempt) == ("queued", 1) and "451 try later" in mail.error
    server.refuse.clear()
    clock.shift(clock.HOUR)
    assert run(mail_id).state == "sent"


def test_refused_for_good_is_failed_and_not_tried_again(database, server):
    mail_id = write()
    server.refuse["RCPT"] = "550 no such person"
    mail = run(mail_id)
    assert mail.state == "failed" and "no such person" in mail.error
    assert db.session.scalar(select(Job.state)) == "done"


def test_silent_server_leaves_the_mail_queued(database, settings):
    settings.mail_url = "smtp://127.0.0.1:1"
    mail = run(write())
    assert mail.state == "queued" and "did not answer" in mail.error
    assert db.session.scalar(select(Job.state)) == "queued"


def test_without_a_server_the_mail_is_a_file_in_the_outbox(database, settings):
    mail_id = write()
    assert run(mail_id).state == "sent"
    (path,) = settings.outbox.glob("*.eml")
    message = message_from_bytes(path.read_bytes(), policy=policy.default)
    assert message["Subject"] == "Test mail from Northmere Data Archive" and "Zoë" in message.get_content()


def test_worker_sends_what_is_owed(database, settings, run_jobs):
    mail_id = write()
    run_jobs()
    assert db.session.get(Mail, mail_id, populate_existing=True).state == "sent"
    assert len(list(settings.outbox.glob("*.eml"))) == 1
