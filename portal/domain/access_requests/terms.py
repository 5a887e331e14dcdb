"""The terms of a controlled dataset: what a requester agrees to (versioned), and who decides. Where a dataset has none
of its own the site's default stands."""

from sqlalchemy import delete, func, select

from portal import clock, db, errors, states
from portal.domain.access_requests import duo
from portal.domain.accounts import accounts
from portal.domain.permissions import access
from portal.domain.shared import history, text_rules
from portal.messages import Message, say
from portal.models import Account, Committee, Dataset, Decider, Terms

MOST_QUESTIONS, LONGEST_DAYS = 20, 3650


def default() -> Terms:
    """The site's newest default."""
    query = select(Terms).where(Terms.dataset_id.is_(None)).order_by(Terms.version.desc()).limit(1)
    return db.session.scalars(query).one()


def own(dataset: Dataset) -> Terms | None:
    query = select(Terms).where(Terms.dataset_id == dataset.id).order_by(Terms.version.desc()).limit(1)
    return db.session.scalars(query).first()


def of(dataset: Dataset) -> Terms:
    """What holds for a dataset now."""
    return own(dataset) or default()


def versions(dataset: Dataset | None, *, limit: int) -> list[Terms]:
    """The newest versions that ever held, newest first."""
    mine = Terms.dataset_id == dataset.id if dataset else Terms.dataset_id.is_(None)
    return list(db.session.scalars(select(Terms).where(mine).order_by(Terms.version.desc()).limit(limit)))


def version(dataset: Dataset, terms_id: int) -> Terms | None:
    """A version of a dataset's own terms, or of the site's default."""
    row = db.session.get(Terms, terms_id)
    return row if row is not None and row.dataset_id in (dataset.id, None) else None


def may_set(dataset: Dataset | None, actor: Account | None) -> bool:
    """A dataset's: its submitter, and curators once that account is closed. The default: curators."""
    if dataset is None or not dataset.account.is_active:
        return access.is_curator(actor)
    return access.is_owner(dataset, actor)


def require_setter(dataset: Dataset | None, actor: Account | None) -> None:
    """Raises Forbidden where somebody may not set these terms."""
    if not may_set(dataset, actor):
        raise errors.Forbidden(say("terms_page_roles", "Only its submitter sets the terms of a dataset."))


def write(dataset: Dataset | None, fields: dict[str, object], *, actor: Account) -> Terms:
    """A new version; fields not given stay. The same again is no version. Raises Invalid with all faults."""
    if not may_set(dataset, actor):
        raise errors.Forbidden(
            say("terms_roles", "Only its submitter sets the terms of a dataset; curators set the site's default.")
        )
    if dataset is not None and dataset.state == states.WITHDRAWN:
        raise errors.Conflict(say("terms_withdrawn", "This dataset is withdrawn."))
    before = of(dataset) if dataset else default()
    values, faults = check(fields)
    if faults:
        raise errors.Invalid(fields=faults)
    current = {name: getattr(before, name) for name in ("agreement", "uses", "questions", "longest_days")}
    if all(current[name] == value for name, value in values.items()):
        return before
    mine = Terms.dataset_id == dataset.id if dataset else Terms.dataset_id.is_(None)
    newest = db.session.scalar(select(func.max(Terms.version)).where(mine)) or 0
    new = Terms(
        dataset_id=dataset.id if dataset else None,
        version=newest + 1,
        made_by=actor.id,
        created_at=clock.now(),
        **current | values,
    )
    db.session.add(new)
    db.session.flush()
    history.record("terms", actor=actor, dataset=dataset, before={"version": newest}, after={"version": new.version})
    return new


def check(fields: dict[str, object]) -> tuple[dict[str, object], dict[str, Message]]:
    """Clean values of the given fields, and a sentence for each that breaks a rule."""
    values: dict[str, object] = {}
    faults: dict[str, Message] = {}
    for name in (name for name in RULES if name in fields):
        try:
            values[name] = RULES[name](fields[name])
        except errors.DomainError as error:
            faults[name] = error.message
    return values, faults


def _agreement(value: object) -> str:
    text = text_rules.prose(str(value or ""), longest=50_000)
    if not text:
        raise errors.Invalid(say("terms_agreement_empty", "Write what a requester agrees to."))
    return text


def _questions(value: object) -> list[dict[str, object]]:
    """From a list of {text, needed}, or lines of a form; one that ends with (optional) need not be answered."""
    given = value.splitlines() if isinstance(value, str) else value if isinstance(value, list) else []
    questions = []
    for entry in given:
        question = (
            entry
            if isinstance(entry, dict)
            else {
                "text": str(entry).removesuffix("(optional)").strip(),
                "needed": not str(entry).rstrip().endswith("(optional)"),
            }
        )
        text = text_rules.line(str(question.get("text") or ""), longest=500)
        if text:
            questions.append({"text": text, "needed": bool(question.get("needed", True))})
    if len(questions) > MOST_QUESTIONS:
        raise errors.Invalid(say("terms_questions_many", "At most {most} questions.", most=MOST_QUESTIONS))
    return questions


def _days(value: object) -> int:
    text = str(value).strip()
    if not text.isdecimal() or not 1 <= int(text[:6]) <= LONGEST_DAYS:
        raise errors.Invalid(say("terms_days", "A number of days from 1 to {longest}.", longest=LONGEST_DAYS))
    return int(text)


RULES = {"agreement": _agreement, "uses": duo.clean, "questions": _questions, "longest_days": _days}


def committee(dataset: Dataset) -> str:
    """The name of the committee that decides in place of the submitter; empty where the submitter decides."""
    row = db.session.get(Committee, dataset.id)
    return row.name if row else ""


def members(dataset: Dataset) -> list[Decider]:
    query = select(Decider).where(Decider.dataset_id == dataset.id).order_by(Decider.added_at)
    return list(db.session.scalars(query).unique())


def deciders(dataset: Dataset, *, without: int | None = None) -> list[Account]:
    """Who decides now: the submitter and co-deciders, or the committee; curators only where none of them is left.
    `without` is the requester, who never does."""
    chosen = [] if committee(dataset) else [dataset.account]
    chosen += [person.account for person in members(dataset)]
    active = {person.id: person for person in chosen if person.is_active and person.id != without}
    return list(active.values()) or [person for person in access.curators() if person.id != without]


def set_committee(dataset: Dataset, name: str, *, actor: Account) -> None:
    """Name the committee that decides, or with an empty name let the submitter decide again."""
    _refuse(dataset, actor)
    clean = text_rules.line(name, longest=200)
    before = committee(dataset)
    if clean == before:
        return
    if clean and not members(dataset):
        raise errors.Invalid(
            fields={"committee": say("committee_empty", "Add the members of the committee first; then name it.")}
        )
    db.change(delete(Committee).where(Committee.dataset_id == dataset.id))
    db.session.expire_all()
    if clean:
        db.session.add(Committee(dataset_id=dataset.id, name=clean))
        db.session.flush()
    history.record(
        "terms.committee", actor=actor, dataset=dataset, before={"committee": before}, after={"committee": clean}
    )


def add_decider(dataset: Dataset, email: str, *, actor: Account) -> Decider:
    """Let somebody with an account decide too."""
    _refuse(dataset, actor)
    account = accounts.by_email(str(email))
    if account is None or not account.is_active:
        raise errors.Invalid(
            fields={
                "email": say("decider_unknown", "Nobody here has this address. They register first, then you add them.")
            }
        )
    existing = db.session.get(Decider, (dataset.id, account.id))
    if existing is not None:
        return existing
    decider = Decider(dataset_id=dataset.id, account_id=account.id, added_by=actor.id, added_at=clock.now())
    db.session.add(decider)
    db.session.flush()
    history.record("terms.decider", actor=actor, dataset=dataset, after={"decider": account.email})
    return decider


def remove_decider(dataset: Dataset, account_id: int, *, actor: Account) -> None:
    """Harmless when they are none. A committee keeps its last member."""
    _refuse(dataset, actor)
    decider = db.session.get(Decider, (dataset.id, account_id))
    if decider is None:
        return
    if committee(dataset) and len(members(dataset)) == 1:
        raise errors.Conflict(
            say(
                "committee_last_member",
                "A committee keeps at least one member. Add another first, or let the submitter decide.",
            )
        )
    history.record("terms.decider", actor=actor, dataset=dataset, before={"decider": decider.account.email})
    db.session.delete(decider)
    db.session.flush()


def _refuse(dataset: Dataset, actor: Account) -> None:
    if not may_set(dataset, actor):
        raise errors.Forbidden(say("deciders_roles", "Only its submitter says who decides on a dataset."))
