"""The mail job: one mail by SMTP, or as a file in the outbox folder where no server is set.

Killed after the server took it and before that was recorded, it goes out again under the same Message-ID.
"""

import base64
import hashlib
import smtplib
import ssl
from collections.abc import Callable
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import SplitResult, parse_qs, unquote, urlsplit

from portal import clock, config, db, errors, states, storage
from portal.domain.shared import job_queue
from portal.domain.shared.transitions import transition
from portal.messages import Message, say
from portal.models import Job, Mail

TIMEOUT = 20


class NotSent(errors.DomainError):
    status, title, code = 503, "The mail could not be sent", "mail"


def send_mail(lease: job_queue.Lease, progress: Callable[[int], None]) -> None:
    """Send outside any transaction; a silent server costs this job a wait and nobody else anything."""
    mail = _mail(lease)
    if mail is None or mail.state == "sent":
        with db.transaction():
            job_queue.finish(lease)
        return
    message, mail_id = compose(mail), mail.id
    db.end()
    try:
        deliver(message, mail_id)
    except smtplib.SMTPException as error:
        _note_failure(lease, mail_id, _refusal(error), for_good=_is_final(error))
    except ssl.SSLCertVerificationError as error:
        reason = say(
            "mail_certificate", "The mail server's certificate is not trusted: {reason}.", reason=error.verify_message
        )
        _note_failure(lease, mail_id, reason, for_good=False)
    except OSError as error:
        reason = say("mail_no_answer", "The mail server did not answer: {reason}.", reason=error.strerror or error)
        _note_failure(lease, mail_id, reason, for_good=False)
    else:
        _note_sent(lease, mail_id)


def give_up(lease: job_queue.Lease, error: str) -> None:
    """No attempt is left, whatever it was that failed: the outbox says so."""
    mail = _mail(lease)
    if mail is not None and mail.state == states.QUEUED:
        transition(mail, "fail", error=error[:2000])


def _mail(lease: job_queue.Lease) -> Mail | None:
    job = db.session.get(Job, lease.id)
    return db.session.get(Mail, int(job.key.partition(":")[2])) if job is not None else None


def compose(mail: Mail) -> EmailMessage:
    settings = config.settings()
    message = EmailMessage()
    message["From"] = f'"{settings.site_name.replace(chr(34), "")}" <{settings.sender}>'
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(mail.created_at / 1000)
    message["Message-ID"] = (
        f"<{hashlib.sha256(mail.key.encode()).hexdigest()[:32]}@{settings.sender.rpartition('@')[2]}>"
    )
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.body)
    return message


def deliver(message: EmailMessage, mail_id: int) -> None:
    settings = config.settings()
    if not settings.mail_url:
        storage.write_whole(settings.outbox / f"{mail_id:06d}.eml", bytes(message))
        return
    address = urlsplit(settings.mail_url)
    with _connect(address) as server:
        if parse_qs(address.query).get("starttls", ["0"])[0] == "1":
            server.starttls(context=ssl.create_default_context())
        if address.username:
            _log_in(server, unquote(address.username), unquote(address.password or ""))
        server.send_message(message)


def _connect(address: SplitResult) -> smtplib.SMTP:
    host = address.hostname or "localhost"
    if address.scheme == "smtps":
        return smtplib.SMTP_SSL(host, address.port or 465, timeout=TIMEOUT, context=ssl.create_default_context())
    return smtplib.SMTP(host, address.port or 25, timeout=TIMEOUT)


def _log_in(server: smtplib.SMTP, user: str, password: str) -> None:
    """The library's own login knows ASCII alone."""
    if user.isascii() and password.isascii():
        server.login(user, password)
        return
    server.ehlo_or_helo_if_needed()
    secret = base64.b64encode(f"\0{user}\0{password}".encode()).decode()
    code, answer = server.docmd("AUTH", f"PLAIN {secret}")
    if code != 235:
        raise smtplib.SMTPAuthenticationError(code, answer)


def _is_final(error: smtplib.SMTPException) -> bool:
    """Whether the server will say the same tomorrow: it refused this recipient or this mail, with a 5xx code."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(code >= 500 for code, _ in error.recipients.values())
    return isinstance(error, smtplib.SMTPDataError) and error.smtp_code >= 500


def _refusal(error: smtplib.SMTPException) -> Message:
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        answer = "; ".join(f"{code} {text.decode(errors='replace')}" for code, text in error.recipients.values())
        return say("mail_recipient", "The mail server refused the recipient: {answer}", answer=answer)
    if isinstance(error, smtplib.SMTPResponseException):
        answer = error.smtp_error.decode(errors="replace") if isinstance(error.smtp_error, bytes) else error.smtp_error
        return say("mail_refused", "The mail server answered {status} {answer}", status=error.smtp_code, answer=answer)
    return say("mail_broke_off", "The mail server broke off: {reason}", reason=error)


def _note_sent(lease: job_queue.Lease, mail_id: int) -> None:
    with db.transaction():
        job_queue.finish(lease)
        mail = db.session.get(Mail, mail_id)
        assert mail is not None
        transition(mail, "send", error="", sent_at=clock.now(), attempt=mail.attempt + 1)


def _note_failure(lease: job_queue.Lease, mail_id: int, reason: Message, *, for_good: bool) -> None:
    last = for_good or lease.attempt >= lease.max_attempts
    with db.transaction():
        job_queue.check_lease(lease)
        mail = db.session.get(Mail, mail_id)
        assert mail is not None
        mail.error, mail.attempt = str(reason)[:2000], mail.attempt + 1
        if last and mail.state == states.QUEUED:
            transition(mail, "fail")
        if for_good:
            job_queue.finish(lease)
    if not for_good:
        raise NotSent(reason)
