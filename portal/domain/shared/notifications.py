"""Mails: rendered from templates/email/<template>.txt into the outbox table; a job sends them.

The first line of a template is "Subject: …". Links never come from a request: they stand on the public address.
"""

import json
import logging

from jinja2 import Environment, FileSystemLoader, make_logging_undefined
from sqlalchemy import select

from portal import clock, config, db, errors, states
from portal.domain.shared import history, job_queue
from portal.domain.shared.transitions import transition
from portal.messages import say
from portal.models import Account, Job, Mail

log = logging.getLogger(__name__)
ATTEMPTS = 300  # every ten minutes in the end: two days of a silent mail server
# A value that a caller forgot is logged and left blank: a mail must not stop the work that it tells of.
_templates = Environment(
    loader=FileSystemLoader(config.ROOT / "templates" / "email"),
    autoescape=False,  # noqa: S701 - plain text, never HTML
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=make_logging_undefined(log),
)


def send(key: str, *, to: str, template: str, **values: object) -> Mail:
    """Write a mail into the outbox and enqueue its job. A key is sent once, however often the job runs."""
    mail = db.session.scalar(select(Mail).where(Mail.key == key))
    if mail is not None:
        return mail
    subject, body = render(template, **{"to": to, **values})
    mail = Mail(
        key=key, to=" ".join(to.split()), subject=subject, body=body, next_at=clock.now(), created_at=clock.now()
    )
    db.session.add(mail)
    db.session.flush()
    enqueue(mail)
    return mail


def send_test(actor: Account) -> Mail:
    """A mail to oneself, which shows whether mail leaves this house."""
    mail = send(f"test:{actor.id}:{clock.now()}", to=actor.email, template="test", name=actor.name)
    _record("mail.test", mail, actor)
    return mail


def send_again(mail: Mail, *, actor: Account | None = None) -> None:
    """Try a mail once more on an operator's word; its Message-ID stays the same."""
    if mail.state != states.QUEUED:
        transition(mail, "send_again")
    mail.error, mail.next_at = "", clock.now()
    _record("mail.again", mail, actor)
    enqueue(mail)


def drop(mail: Mail, *, actor: Account | None) -> None:
    """Stop trying to send a mail that waits."""
    if mail.state != "queued":
        raise errors.Conflict(
            say("mail_not_waiting", "This mail is {state}; only one that waits can be stopped.", state=mail.state)
        )
    for job in db.session.scalars(
        select(Job).where(Job.key == f"mail:{mail.id}", Job.state.in_((states.QUEUED, states.RUNNING)))
    ):
        job_queue.cancel(job, actor=actor)
    transition(mail, "drop", error=f"{actor.name if actor else 'The operator'} stopped it. {mail.error}".strip())
    _record("mail.drop", mail, actor)


def _record(action: str, mail: Mail, actor: Account | None) -> None:
    history.record(action, actor=actor, after={"mail": mail.id, "to": mail.to})


def enqueue(mail: Mail) -> None:
    """Enqueue the job that sends a mail."""
    job_queue.enqueue("mail", key=f"mail:{mail.id}", priority=3, max_attempts=ATTEMPTS)


def render(template: str, **values: object) -> tuple[str, str]:
    """Subject and body. `url` may be a path of this site and becomes a whole address."""
    settings = config.settings()
    given = {name: _absolute(value) if name == "url" else value for name, value in values.items()}
    common = {"site_name": settings.site_name, "contact": settings.contact, "prefix": settings.prefix}
    text = _templates.get_template(f"{template}.txt").render(**{**common, "site_url": site_url(), **given})
    head, _, body = text.partition("\n")
    subject = " ".join(head.removeprefix("Subject:").split())
    return subject[:200], body.strip() + "\n"


def _absolute(value: object) -> object:
    return site_url(value) if isinstance(value, str) and value.startswith("/") else value


def site_url(path: str = "") -> str:
    """The address people reach the portal at: the setting, else where the running web listens."""
    settings = config.settings()
    base = settings.public_url or _listening() or f"http://{settings.host}:{settings.port}"
    return base.rstrip("/") + path


def as_text(error: errors.DomainError) -> str:
    """An error for clients that show no links (FTP): its sentence, and the address of the help page on it."""
    about = "" if error.topic == errors.DomainError.topic else f" See {site_url('/help/' + error.topic)}"
    return f"{error.sentence}{about}"


def _listening() -> str:
    try:
        addresses = json.loads((config.settings().run / "addresses.json").read_text())
        return str(addresses.get("web", ""))
    except (OSError, ValueError):
        return ""
