"""Remarks of submitter and curators on a dataset, its sections and files: written, answered, done or open again. A
private remark is for curators alone: it leaves no trace in the dataset's history, feed or mails."""

from sqlalchemy import ColumnElement, Select, func, select

from portal import clock, db, errors
from portal.domain.accounts import editors
from portal.domain.files import files
from portal.domain.permissions import access
from portal.domain.shared import history, job_queue, notifications, text_rules
from portal.messages import say
from portal.models import Account, Dataset, Look, Remark
from portal.models.reviews import SECTIONS

SECTION_TITLES = {
    "whole": "The whole dataset",
    "info": "Data Info",
    "bioproject": "BioProject Info",
    "release": "Release Date",
    "files": "Files",
    "filing": "Filing number",
}
# A second remark of one side within this time joins the third and fourth in one mail.
MAIL_INTERVAL = 10 * clock.MINUTE
# The same remark within this time is one that was sent twice.
DUPLICATE_WITHIN = clock.MINUTE


def may_read_private(dataset: Dataset, actor: Account | None) -> bool:
    """Curators; not the one whose dataset it is."""
    return access.may_review(dataset, actor) and not access.may_edit(dataset, actor)


def visible(dataset: Dataset, actor: Account | None) -> Select[Remark]:
    """Query of the remarks that somebody may read, the oldest first."""
    query = select(Remark).where(Remark.dataset_id == dataset.id).order_by(Remark.id)
    return query if may_read_private(dataset, actor) else query.where(Remark.public)


def find(dataset: Dataset, remark_id: int, *, actor: Account) -> Remark:
    """A remark that the actor may read; to others there is none."""
    remark: Remark | None = db.session.scalar(visible(dataset, actor).where(Remark.id == remark_id))
    if remark is None:
        raise errors.NotFound(say("remark_unknown", "There is no such remark on this dataset."))
    return remark


def add(
    dataset: Dataset,
    text: str,
    *,
    actor: Account,
    section: str = "whole",
    file: int | None = None,
    public: bool = True,
    answers: int | None = None,
    decision: str = "",
) -> Remark:
    """Add a remark, or answer one: an answer has the place and the readers of what it answers. `decision` is the action
    (submit, return ...) whose note it is."""
    cleaned = _clean(dataset, text, actor)
    if section not in SECTIONS:
        text = "A section is one of {sections}."
        raise errors.Invalid(fields={"section": say("section_unknown", text, sections=", ".join(SECTIONS))})
    above = find(dataset, answers, actor=actor) if answers else None
    if above is not None:
        above = above if above.answers_id is None else db.session.get_one(Remark, above.answers_id)
        section, public = above.section, above.public
    if not public and not may_read_private(dataset, actor):
        raise errors.Forbidden(say("remark_private_by", "Only curators keep private remarks."))
    place = above.file_id if above is not None else files.by_number(dataset, file).id if file else None
    remark = Remark(
        dataset_id=dataset.id,
        account_id=actor.id,
        text=cleaned,
        version=dataset.version,
        public=public,
        section="files" if place else section,
        file_id=place,
        turn=decision,
        created_at=clock.now(),
        answers_id=above.id if above else None,
    )
    if earlier := _same(remark):
        return earlier
    db.session.add(remark)
    db.session.flush()
    _record("remark", remark, dataset, actor)
    if public and not decision:
        _mail_soon(dataset, actor)
    return remark


def _same(remark: Remark) -> Remark | None:
    """The same words of the same person at the same place a moment ago: a button pressed twice, a call sent again."""
    alike = ("dataset_id", "account_id", "text", "public", "section", "file_id", "answers_id", "turn", "version")
    query = select(Remark).where(*(getattr(Remark, name) == getattr(remark, name) for name in alike))
    return db.session.scalar(query.where(Remark.created_at > clock.now() - DUPLICATE_WITHIN).limit(1))


def _refuse_outsiders(dataset: Dataset, actor: Account) -> None:
    if not access.may_discuss(dataset, actor):
        raise errors.Forbidden(say("remark_by", "Only its submitter and curators talk about a dataset."))


def refuse_unsubmitted(dataset: Dataset) -> None:
    """Raises Conflict for a draft that was never submitted: nobody but its submitter reads it."""
    if dataset.accession is None:
        raise errors.Conflict(say("remark_too_early", "Remarks begin when the dataset is submitted."))


def _clean(dataset: Dataset, text: str, actor: Account) -> str:
    _refuse_outsiders(dataset, actor)
    refuse_unsubmitted(dataset)
    cleaned = text_rules.prose(text)
    if not cleaned:
        raise errors.Invalid(fields={"text": say("remark_empty", "Write the remark first.")})
    return cleaned


def _record(action: str, remark: Remark, dataset: Dataset, actor: Account) -> None:
    """A private remark belongs to its author's events only, and says nothing there."""
    if not remark.public:
        history.append(f"{action}.private", actor_id=actor.id, after={"remark": remark.id})
    elif not remark.turn:
        note = remark.text if action == "remark" else ""
        history.record(
            action,
            actor=actor,
            dataset=dataset,
            file=remark.file,
            note=note,
            after={"remark": remark.id, "section": remark.section},
        )


def set_done(dataset: Dataset, remark: Remark, *, done: bool, actor: Account) -> Remark:
    """Mark a remark as done, or open it again. Answers go with what they answer."""
    _refuse_outsiders(dataset, actor)
    head = remark if remark.answers_id is None else db.session.get_one(Remark, remark.answers_id)
    if (head.done_at is not None) != done:
        head.done_at, head.done_by = (clock.now(), actor.id) if done else (None, None)
        db.session.flush()
        _record("remark.done" if done else "remark.open", head, dataset, actor)
    return head


def curators() -> list[Account]:
    """The active accounts of curators."""
    query = select(Account).where(Account.role == "curator", Account.state == "active").order_by(Account.id)
    return list(db.session.scalars(query).unique())


def concerned(dataset: Dataset) -> list[Account]:
    """The curators who looked at a dataset or spoke of it; all of them where nobody did. Never its submitter."""
    others = [curator for curator in curators() if curator.id not in access.editors(dataset)]
    seen = set(db.session.scalars(select(Look.account_id).where(Look.dataset_id == dataset.id)))
    spoke = set(db.session.scalars(select(Remark.account_id).where(Remark.dataset_id == dataset.id)))
    return [curator for curator in others if curator.id in seen | spoke] or others


def _mail_soon(dataset: Dataset, actor: Account) -> None:
    """The first remark of a side goes out at once; more that follow go together, at the latest with the next turn."""
    last = db.session.scalar(
        select(func.max(Remark.mailed_at)).where(
            Remark.dataset_id == dataset.id, _side(dataset, own=access.may_edit(dataset, actor))
        )
    )
    rest = (last or 0) + MAIL_INTERVAL - clock.now()
    if rest <= 0:
        mail(dataset)
    else:
        job_queue.enqueue("remarks", dataset_id=dataset.id, priority=6, delay=rest)


def _side(dataset: Dataset, *, own: bool) -> ColumnElement[bool]:
    """Condition of the remarks of one side: the submitters' own, or the curators'."""
    mine = Remark.account_id.in_(access.editors(dataset))
    return mine if own else ~mine


def unmailed(dataset: Dataset, *, own: bool) -> list[Remark]:
    """Public remarks of one side that no mail has carried yet: the submitter's own, or the curators'."""
    query = select(Remark).where(Remark.dataset_id == dataset.id, Remark.public, Remark.mailed_at.is_(None))
    return list(db.session.scalars(query.where(_side(dataset, own=own)).order_by(Remark.id)))


def mark_mailed(dataset: Dataset, *, own: bool) -> None:
    """Note that the remarks of one side stand in a mail to the other."""
    for remark in unmailed(dataset, own=own):
        remark.mailed_at = clock.now()
    db.session.flush()


def mail(dataset: Dataset) -> None:
    """Mail the remarks of each side that were not mailed yet to the other side."""
    for own in (True, False):
        side = unmailed(dataset, own=own)
        people = concerned(dataset) if own else editors.people(dataset)
        for person in people if side else []:
            page = f"/review/{dataset.accession}#thread" if own else f"/deposit/{dataset.accession}#thread"
            notifications.send(
                f"remark:{side[-1].id}:{person.id}",
                to=person.email,
                template="remarked",
                name=person.name,
                title=dataset.title,
                accession=dataset.accession,
                who=side[-1].account.name,
                remarks=lines(side),
                url=page,
            )
        mark_mailed(dataset, own=own)


def about(remark: Remark) -> str:
    """The section or file that a remark is about, in the words of the form."""
    return f"File -{remark.file.n:02d}, {remark.file.name}" if remark.file else SECTION_TITLES[remark.section]


def lines(shown: list[Remark]) -> list[dict[str, str]]:
    """Remarks as a mail lists them."""
    return [{"about": about(remark), "who": remark.account.name, "text": remark.text} for remark in shown]
