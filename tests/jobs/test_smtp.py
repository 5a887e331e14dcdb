"""The mail job against servers that want encryption and a password: STARTTLS, implicit TLS, and what is never sent."""

import socket

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from sqlalchemy import select

from portal import clock, db, states
from portal.domain.shared import job_queue, notifications
from portal.maintenance.self_check import background_jobs
from portal.models import Job, Mail
from tests.certificates import identity
from tests.jobs.test_mail import Server, run, write

pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
PASSWORD = "p@ss:/wörd"
TYPED = "p%40ss%3A%2Fw%C3%B6rd"


class Secure(Controller):
    """Listens on a free port and knows which; whether anybody trusts its certificate is another matter."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        socket.create_connection(("127.0.0.1", self.port), 5).close()


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A certificate of 127.0.0.1 that signed itself: (context of a server, file that makes a client trust it)."""
    return identity(tmp_path_factory.mktemp("tls"), "127.0.0.1")


@pytest.fixture
def trusted(authority, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(authority[1]))


@pytest.fixture
def listen(database):
    """Start a server with options; gives its handler and port."""
    started = []

    def begin(**options):
        handler = Server()
        controller = Secure(handler, hostname="127.0.0.1", port=0, **options)
        controller.start()
        started.append(controller)
        return handler, controller.port

    yield begin
    for controller in started:
        controller.stop()


def guarded(_server, _session, _envelope, _mechanism, given) -> AuthResult:
    right = (given.login, given.password) == (b"portal", PASSWORD.encode())
    return AuthResult(success=right, handled=False)


def test_mail_goes_out_by_starttls_and_password(listen, authority, trusted, settings):
    handler, port = listen(tls_context=authority[0], require_starttls=True, authenticator=guarded, auth_required=True)
    settings.mail_url = f"smtp://portal:{TYPED}@127.0.0.1:{port}?starttls=1"
    assert run(write()).state == "sent"
    assert len(handler.received) == 1


def test_mail_goes_out_by_implicit_tls(listen, authority, trusted, settings):
    handler, port = listen(ssl_context=authority[0], authenticator=guarded, auth_required=True, auth_require_tls=False)
    settings.mail_url = f"smtps://portal:{TYPED}@127.0.0.1:{port}"
    assert run(write()).state == "sent"
    assert len(handler.received) == 1


def test_wrong_password_is_said_and_tried_again(listen, authority, trusted, settings):
    handler, port = listen(tls_context=authority[0], require_starttls=True, authenticator=guarded, auth_required=True)
    settings.mail_url = f"smtp://portal:wrong@127.0.0.1:{port}?starttls=1"
    mail = run(write())
    assert mail.state == "queued" and "535" in mail.error and "wrong" not in mail.error
    settings.mail_url = f"smtp://portal:{TYPED}@127.0.0.1:{port}?starttls=1"
    clock.shift(clock.HOUR)
    assert run(mail.id).state == "sent" and len(handler.received) == 1


@pytest.mark.parametrize("scheme", ["smtp", "smtps"])
def test_certificate_that_is_not_trusted_gets_neither_mail_nor_password(listen, authority, settings, scheme):
    secure = {"tls_context": authority[0]} if scheme == "smtp" else {"ssl_context": authority[0]}
    handler, port = listen(**secure, authenticator=guarded, auth_require_tls=False)
    settings.mail_url = f"{scheme}://portal:{TYPED}@127.0.0.1:{port}?starttls={int(scheme == 'smtp')}"
    mail = run(write())
    assert mail.state == "queued" and "certificate is not trusted" in mail.error
    assert handler.received == []


def test_server_without_starttls_gets_nothing_where_it_is_asked_for(listen, settings):
    handler, port = listen()
    settings.mail_url = f"smtp://127.0.0.1:{port}?starttls=1"
    mail = run(write())
    assert mail.state == "queued" and "STARTTLS" in mail.error and handler.received == []


def test_password_that_would_cross_the_network_in_clear_is_told(database, settings):
    settings.mail_url = "smtp://portal:x@mail.example.org"
    assert "crosses the network" in " ".join(one.says for one in background_jobs.mails())
    for safe in (
        "smtps://portal:x@mail.example.org",
        "smtp://portal:x@mail.example.org?starttls=1",
        "smtp://portal:x@localhost",
        "smtp://mail.example.org",
    ):
        settings.mail_url = safe
        assert "crosses the network" not in " ".join(one.says for one in background_jobs.mails())


def test_mail_whose_job_gave_up_says_so(database, settings, run_jobs, monkeypatch):
    """Whatever broke: here a sender that no mail can carry."""
    monkeypatch.setattr(notifications, "ATTEMPTS", 1)
    settings.mail_from = "not an address\nat all"
    mail_id = write()
    run_jobs()
    mail = db.session.get(Mail, mail_id, populate_existing=True)
    assert mail.state == "failed" and mail.error
    assert db.session.scalar(select(Job.state)) == states.FAILED
    settings.mail_from = ""
    with db.transaction():
        job_queue.retry(db.session.scalar(select(Job)))
    run_jobs()
    assert db.session.get(Mail, mail_id, populate_existing=True).state == "sent"
