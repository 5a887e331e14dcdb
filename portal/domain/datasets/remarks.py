"""What submitter and curators say to each other about a dataset: remarks on its sections and files, answers, done or
open. A private remark is for curators alone: it leaves no trace in the dataset's history, feed or mails."""

from sqlalchemy import func, select

from portal import clock, db, errors
from portal.domain.files import files
from portal.domain.permissions import access
from portal.domain.shared import history, job_queue, notifications, text_rules
from portal.models import Account, Dataset, Look, Remark
from portal.models.reviews import SECTIONS

WORDS = {
    "whole": "The whole dataset",
    "info": "Data Info",
    "bioproject": "BioProject Info",
    "release": "Release Date",
    "files": "Files",
    "filing": "Filing number",
}
# A second remark of one side within this time joins the third and fourth in one mail.
QUIET = 10 * clock.MINUTE
TWICE = clock.MINUTE


def may_read_private(dataset: Dataset, actor: Account | None) -> bool:
    """Curators; not the one whose dataset it is."""
    return access.may_review(dataset, actor) and not access.is_owner(dataset, actor)


def visible(dataset: Dataset, actor: Account | None):
    """Query of the remarks that somebody may read, the oldest first."""
    query = select(Remark).where(Remark.dataset_id == dataset.id).order_by(Remark.id)
    return query if may_read_private(dataset, actor) else query.where(Remark.public)


def find(dataset: Dataset, remark_id: int, *, actor: Account) -> Remark:
    """A remark that the actor may read; to others there is none."""
    remark = db.session.scalar(visible(dataset, actor).where(Remark.id == remark_id))
    if remark is None:
        raise errors.NotFound("There is no such remark on this dataset.")
    return remark


def say(
    dataset: Dataset,
    text: str,
    *,
    actor: Account,
    section: str = "whole",
    file: int | None = None,
    public: bool = True,
    answers: int | None = None,
    turn: str = "",
) -> Remark:
    """Make a remark, or answer one: an answer lies where that one lies and is read by whoever reads that one."""
    said = _clean(dataset, text, actor)
    if section not in SECTIONS:
        raise errors.Invalid(fields={"section": f"A section is one of {', '.join(SECTIONS)}."})
    above = find(dataset, answers, actor=actor) if answers else None
    if above is not None:
        above = above if above.answers_id is None else db.session.get_one(Remark, above.answers_id)
        section, public = above.section, above.public
    if not public and not may_read_private(dataset, actor):
        raise errors.Forbidden("Only curators keep private remarks.")
    place = above.file_id if above is not None else files.by_number(dataset, file).id if file else None
    remark = Remark(
        dataset_id=dataset.id,
        account_id=actor.id,
        text=said,
        version=dataset.version,
        public=public,
        section="files" if place else section,
        file_id=place,
        turn=turn,
        created_at=clock.now(),
        answers_id=above.id if above else None,
    )
    if said_twice := _same(remark):
        return said_twice
    db.session.add(remark)
    db.session.flush()
    _record("remark", remark, dataset, actor)
    if public and not turn:
        _mail_soon(dataset, actor)
    return remark


def _same(remark: Remark) -> Remark | None:
    """The same words of the same person at the same place a moment ago: a button pressed twice, a call sent again."""
    alike = ("dataset_id", "account_id", "text", "public", "section", "file_id", "answers_id", "turn", "version")
    query = select(Remark).where(*(getattr(Remark, name) == getattr(remark, name) for name in alike))
    return db.session.scalar(query.where(Remark.created_at > clock.now() - TWICE).limit(1))


def _clean(dataset: Dataset, text: str, actor: Account) -> str:
    if not access.may_discuss(dataset, actor):
        raise errors.Forbidden("Only its submitter and curators talk about a dataset.")
    if dataset.accession is None:
        raise errors.Conflict("Remarks begin when the dataset is submitted.")
    said = text_rules.prose(text)
    if not said:
        raise errors.Invalid(fields={"text": "Write the remark first."})
    return said


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
    if not access.may_discuss(dataset, actor):
        raise errors.Forbidden("Only its submitter and curators talk about a dataset.")
    head = remark if remark.answers_id is None else db.session.get_one(Remark, remark.answers_id)
    if (head.done_at is not None) != done:
        head.done_at, head.done_by = (clock.now(), actor.id) if done else (None, None)
        db.session.flush()
        _record("remark.done" if done else "remark.open", head, dataset, actor)
    return head


def curators() -> list[Account]:
    query = select(Account).where(Account.role == "curator", Account.state == "active").order_by(Account.id)
    return list(db.session.scalars(query).unique())


def concerned(dataset: Dataset) -> list[Account]:
    """The curators who looked at a dataset or spoke of it; all of them where nobody did. Never its submitter."""
    others = [curator for curator in curators() if curator.id != dataset.account_id]
    seen = set(db.session.scalars(select(Look.account_id).where(Look.dataset_id == dataset.id)))
    spoke = set(db.session.scalars(select(Remark.account_id).where(Remark.dataset_id == dataset.id)))
    return [curator for curator in others if curator.id in seen | spoke] or others


def _mail_soon(dataset: Dataset, actor: Account) -> None:
    """The first remark of a side goes out at once; more that follow go together, at the latest with the next turn."""
    last = db.session.scalar(
        select(func.max(Remark.mailed_at)).where(
            Remark.dataset_id == dataset.id, _side(dataset, own=access.is_owner(dataset, actor))
        )
    )
    rest = (last or 0) + QUIET - clock.now()
    if rest <= 0:
        mail(dataset)
    else:
        job_queue.enqueue("remarks", dataset_id=dataset.id, priority=6, delay=rest)


def _side(dataset: Dataset, *, own: bool):
    mine = Remark.account_id == dataset.account_id
    return mine if own else ~mine


def unmailed(dataset: Dataset, *, own: bool) -> list[Remark]:
    """What one side said and no mail has carried yet: the submitter's own remarks, or the curators'."""
    query = select(Remark).where(Remark.dataset_id == dataset.id, Remark.public, Remark.mailed_at.is_(None))
    return list(db.session.scalars(query.where(_side(dataset, own=own)).order_by(Remark.id)))


def told(dataset: Dataset, *, own: bool) -> None:
    """What one side said so far stands in a mail to the other."""
    for remark in unmailed(dataset, own=own):
        remark.mailed_at = clock.now()
    db.session.flush()


def mail(dataset: Dataset) -> None:
    """Send what was said and not mailed yet to the other side."""
    for own in (True, False):
        side = unmailed(dataset, own=own)
        people = concerned(dataset) if own else [dataset.account] if dataset.account.is_active else []
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
        told(dataset, own=own)


def about(remark: Remark) -> str:
    """Where a remark lies, in the words of the form."""
    return f"File -{remark.file.n:02d}, {remark.file.name}" if remark.file else WORDS[remark.section]


def lines(said: list[Remark]) -> list[dict[str, str]]:
    """Remarks as a mail lists them."""
    return [{"about": about(remark), "who": remark.account.name, "text": remark.text} for remark in said]
