"""Sharing links: a secret address under which the reviewers of a paper read a dataset before its release. A link never
serves a byte; it ends when it is revoked, expires or the dataset opens."""

import re
import secrets
from collections import Counter
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, func, or_, select, update
from sqlalchemy.orm import joinedload

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.accounts import editors, tokens
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.domain.permissions import access, active_grants
from portal.domain.shared import changes, history, text_rules
from portal.messages import Message, say
from portal.models import Account, Dataset, File, Link, LinkView

# A link goes on while its dataset is mended; it is only made while everything stands.
SHOWN = (states.SUBMITTED, states.RETURNED, states.APPROVED)
DEAD = say(
    "share_link_dead",
    "This sharing link does not exist, has expired or was revoked. Ask whoever gave it to you for a new one.",
)
MOST = 100


class DeadLink(errors.NotFound):
    title = "This link opens nothing any more"
    remedy = "Once its dataset is released, everybody finds it under Browse."


def obstacle(dataset: Dataset) -> Message | None:
    """Why no link can be made now; None when one can."""
    if dataset.state != states.APPROVED:
        text = "A sharing link can be made once a curator has approved the dataset, until its release."
        return say("link_before_approval", text)
    waiting = select(File.name).where(
        File.dataset_id == dataset.id, File.state.not_in((states.ARCHIVED, *states.DEAD_FILES))
    )
    name = db.session.scalars(waiting.order_by(File.n).limit(1)).first()
    if name is not None:
        text = "A sharing link can be made once every file is archived; {name} is not."
        return say("link_before_archived", text, name=name)
    return None


def make(
    dataset: Dataset, *, actor: Account, label: str = "", expires: object = None, anonymised: object = True
) -> tuple[Link, str]:
    """A new link and its token, which is shown this once. `expires` is the last day it opens, or None.

    Raises Forbidden, NotReady until approved and archived, Invalid for a bad day."""
    _refuse_outsiders(dataset, actor)
    blocking = obstacle(dataset)
    if blocking:
        raise errors.NotReady(blocking)
    if len(living(dataset)) >= MOST:
        raise errors.Conflict(say("links_too_many", "There are {most} links already; revoke some first.", most=MOST))
    secret = secrets.token_urlsafe(24)
    n = 1 + int(db.session.scalar(select(func.max(Link.n)).where(Link.dataset_id == dataset.id)) or 0)
    link = Link(
        dataset_id=dataset.id,
        n=n,
        hash=tokens.digest(secret),
        made_by=actor.id,
        created_at=clock.now(),
        label=text_rules.line(label, longest=100) or f"Link {n}",
        anonymised=_yes(anonymised),
        expires_at=end_of(expires),
    )
    db.session.add(link)
    db.session.flush()
    history.record("link.make", actor=actor, dataset=dataset, after=_event_values(link))
    return link, secret


def refuse_reader(dataset: Dataset, actor: Account) -> None:
    """Raises Forbidden for those who may not see the links of a dataset."""
    if not _may_see(dataset, actor):
        text = "Only its submitter and curators see the sharing links of a dataset."
        raise errors.Forbidden(say("links_seen_by", text))


def _may_see(dataset: Dataset, actor: Account) -> bool:
    return access.is_owner(dataset, actor) or access.may_review(dataset, actor)


def _refuse_outsiders(dataset: Dataset, actor: Account) -> None:
    if not _may_see(dataset, actor):
        text = "Only the submitter of a dataset and curators see its sharing links."
        raise errors.Forbidden(say("link_by", text))


def _yes(value: object) -> bool:
    return value if isinstance(value, bool) else str(value).lower() in ("1", "true", "on", "yes")


def _event_values(link: Link) -> dict[str, object]:
    """What the history keeps of a link."""
    return {"link": link.n, "label": link.label, "anonymised": link.anonymised, "expires_at": link.expires_at}


def end_of(day: object) -> int | None:
    """The first moment after a day (ISO), in the site's zone; None for no day. Raises Invalid."""
    try:
        chosen = datasets.release_date(day)
    except errors.Invalid as error:
        raise errors.Invalid(fields={"expires": error.message}) from None
    if chosen is None:
        return None
    ends = clock.midnight(date.fromisoformat(chosen) + timedelta(days=1), settings().timezone)
    if ends <= clock.now():
        text = "This day is over. Choose today or a later day, or none."
        raise errors.Invalid(fields={"expires": say("link_day_over", text)})
    return ends


def state_of(link: Link) -> str:
    """The state of a link: live, expired, revoked or released."""
    if link.revoked_at is not None:
        return "revoked"
    if link.ended_at is not None:
        return "released"
    return "expired" if link.expires_at is not None and link.expires_at <= clock.now() else "live"


def of(dataset: Dataset) -> list[Link]:
    """Every link that was ever made, newest first: none is hidden from whoever may revoke it."""
    return list(db.session.scalars(_newest(dataset)))


def living(dataset: Dataset) -> list[Link]:
    """The links that open something, newest first."""
    return list(db.session.scalars(_newest(dataset).where(*_live())))


def ended(dataset: Dataset, *, before: int = 0, limit: int = 100) -> list[Link]:
    """The links that open nothing any more, newest first, with numbers below `before`."""
    query = _newest(dataset).where(~and_(*_live()))
    return list(db.session.scalars((query.where(Link.n < before) if before else query).limit(limit)))


def _newest(dataset: Dataset) -> Select[Link]:
    query = select(Link).options(joinedload(Link.maker)).where(Link.dataset_id == dataset.id)
    return query.order_by(Link.n.desc())


def _live() -> tuple[ColumnElement[bool], ...]:
    """Conditions of the links that state_of() calls live."""
    lasting = or_(Link.expires_at.is_(None), Link.expires_at > clock.now())
    return Link.revoked_at.is_(None), Link.ended_at.is_(None), lasting


def by_number(dataset: Dataset, n: int) -> Link:
    link = db.session.scalar(select(Link).where(Link.dataset_id == dataset.id, Link.n == n))
    if link is None:
        raise errors.NotFound(say("link_unknown", "There is no link {n}.", n=n))
    return link


def revoke(dataset: Dataset, n: int, *, actor: Account) -> Link:
    """End a link at once. Harmless when it has ended already."""
    _refuse_outsiders(dataset, actor)
    link = by_number(dataset, n)
    if link.revoked_at is None:
        link.revoked_at = clock.now()
        history.record("link.revoke", actor=actor, dataset=dataset, before=_event_values(link))
    return link


def end_all(dataset: Dataset) -> None:
    """The dataset opens, or is withdrawn: its links have no more use."""
    mine = update(Link).where(Link.dataset_id == dataset.id, Link.ended_at.is_(None))
    db.change(mine.values(ended_at=clock.now()))


def find(secret: str) -> Link:
    """The live link of a token. NotFound, or Gone with the public address once the dataset is released."""
    query = select(Link).options(joinedload(Link.dataset)).where(Link.hash == tokens.digest(secret))
    link = db.session.scalar(query)
    if link is None or state_of(link) in ("revoked", "expired"):
        raise DeadLink(DEAD)
    dataset = link.dataset
    if state_of(link) == "live" and dataset.state in SHOWN:
        return link
    if dataset.state in active_grants.PUBLIC:
        text, accession = "This dataset is released: read it at {accession}.", dataset.accession
        raise errors.Released(say("link_released", text, accession=accession), accession=accession)
    raise DeadLink(DEAD)


def note_view(link: Link) -> None:
    """Count that a link was opened this hour; who opened it is nobody's business."""
    hour = clock.now() // clock.HOUR * clock.HOUR
    mine = update(LinkView).where(LinkView.link_id == link.id, LinkView.hour == hour)
    if db.change(mine.values(count=LinkView.count + 1)) == 0:
        db.session.add(LinkView(link_id=link.id, hour=hour, count=1))
        db.session.flush()


@dataclass(frozen=True)
class Views:
    """How often a link was opened, and the hour it was opened last."""

    count: int = 0
    last: int | None = None


def views(shown: list[Link]) -> dict[int, Views]:
    """How often each of these links was opened, by the id of the link."""
    query = (
        select(LinkView.link_id, func.sum(LinkView.count), func.max(LinkView.hour))
        .where(LinkView.link_id.in_([link.id for link in shown]))
        .group_by(LinkView.link_id)
    )
    return {row[0]: Views(int(row[1]), row[2]) for row in db.session.execute(query)}


def view_log(link: Link, limit: int = 200) -> list[LinkView]:
    """The hours in which a link was opened, newest first."""
    query = select(LinkView).where(LinkView.link_id == link.id).order_by(LinkView.hour.desc()).limit(limit)
    return list(db.session.scalars(query))


class AsApproved:
    """A dataset or file with the values that it had when it was approved."""

    def __init__(self, row: Dataset | File, values: dict[str, Any]) -> None:
        self._row, self._values = row, values

    def __getattr__(self, name: str) -> Any:  # a template asks for columns of either
        return self._values[name] if name in self._values else getattr(self._row, name)


def as_approved(dataset: Dataset) -> changes.Earlier | None:
    """How the dataset was when a curator approved it last; None while the approval stands. Only that is shown under an
    anonymised link: what was typed since, nobody has looked at."""
    if dataset.state == states.APPROVED:
        return None
    return changes.earlier(dataset, changes.last_approval(dataset))


def exposed(dataset: Dataset) -> list[Message]:
    """author_traces() while an anonymised link lives, so that a save which names the authors is told at once."""
    return author_traces(dataset) if anonymised_lives(dataset) else []


def anonymised_lives(dataset: Dataset) -> bool:
    """Whether reviewers can open an anonymised link of the dataset now."""
    return any(link.anonymised for link in living(dataset))


def author_traces(dataset: Dataset, limit: int = 20) -> list[Message]:
    """Where an anonymised page would still name its authors, for the submitter to act on."""
    words = _author_words(dataset)
    traces = []
    for part, text in (("The name of the dataset", dataset.title), ("The description", dataset.description)):
        traces += [_trace(part, word) for word in words if word.search_in(text)]
    counts: Counter[str] = Counter()
    columns = (File.name, File.title, File.description)
    for name, title, description in db.session.execute(files.living(dataset).with_only_columns(*columns)):
        for word in words:
            part = _part_of_file(word, name, f"{title} {description}")
            if part and counts[str(word)] < 3:
                counts[str(word)] += 1
                traces.append(_trace(f"The {part} of the file {name}", word))
        if len(traces) >= limit:
            break
    return traces


def _trace(part: str, word: str) -> Message:
    return say("link_author_trace", "{part} holds “{word}”.", part=part, word=word)


def _part_of_file(word: "AuthorWord", name: str, description: str) -> str:
    """Which part of a file holds a word; empty for none."""
    return "name" if word.search_in(name) else "description" if word.search_in(description) else ""


class AuthorWord(str):
    """A part of a name, found as a whole word also between digits and underscores."""

    def search_in(self, text: str) -> bool:
        return re.search(rf"(?<![^\W\d_]){re.escape(self)}(?![^\W\d_])", text, re.IGNORECASE) is not None


def _author_words(dataset: Dataset) -> list[AuthorWord]:
    account = dataset.account
    whole = [account.email, account.center.name]
    parts = re.split(r"[\s,;.]+", f"{account.name} {dataset.submitter} {dataset.investigator}")
    local = re.split(r"[^\w]+", account.email.partition("@")[0])
    for person in editors.people(dataset):
        whole.append(person.email)
        parts += re.split(r"[\s,;.]+", person.name)
    words = whole + [part for part in parts + local if len(part) > 2]
    return [AuthorWord(word) for word in {word.lower(): word for word in reversed(words) if word}.values()]
