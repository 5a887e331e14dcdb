"""Co-submitters: people whom the owner of a dataset invites, by address, to edit it and to send into it. Submitting,
withdrawing and handing over stay the owner's."""

from urllib.parse import urlencode

from sqlalchemy import delete, func, or_, select

from portal import clock, db, errors, states
from portal.domain.accounts import accounts
from portal.domain.permissions import access
from portal.domain.shared import history, notifications
from portal.messages import say
from portal.models import Account, Dataset, Editor, Event

MOST = 50
MOST_MAILS = 20  # invitations of one person within a day: no more letters leave this house at a stranger's word
OWNER_ALONE = say("invite_owner", "Only the owner of a dataset invites people to it.")


def of(dataset: Dataset) -> list[Editor]:
    """Who was invited to a dataset, in that order."""
    query = select(Editor).where(Editor.dataset_id == dataset.id).order_by(Editor.id)
    return list(db.session.scalars(query).unique())


def people(dataset: Dataset) -> list[Account]:
    """The owner and the co-submitters who accepted, as far as their accounts are open: whom mails go to."""
    query = select(Account).where(Account.id.in_(access.editors(dataset)), Account.state == "active")
    return sorted(db.session.scalars(query).unique(), key=lambda person: (person.id != dataset.account_id, person.id))


def mailed(dataset: Dataset, key: str) -> list[tuple[str, Account]]:
    """people(), each with the key that keeps a mail from being sent to them twice."""
    return [(key if person.id == dataset.account_id else f"{key}:{person.id}", person) for person in people(dataset)]


def invite(dataset: Dataset, email: str, *, actor: Account) -> Editor:
    """Invite somebody by their address, who may have no account yet. One who is invited already is mailed no second
    time. Raises Forbidden, Invalid, and Conflict for a withdrawn dataset."""
    if not access.is_owner(dataset, actor):
        raise errors.Forbidden(OWNER_ALONE)
    if dataset.state == states.WITHDRAWN:
        raise errors.Conflict(say("invite_withdrawn", "This dataset is withdrawn."))
    address = accounts.clean_email(email)
    if address == dataset.account.email:
        raise errors.Invalid(fields={"email": say("invite_self", "This is your own address.")})
    there = of(dataset)
    known = next((editor for editor in there if editor.email == address), None)
    if known is not None:
        return known
    if len(there) >= MOST:
        text = "At most {most} people edit a dataset with its owner. Remove one first."
        raise errors.Invalid(fields={"email": say("invite_too_many", text, most=MOST)})
    _refuse_flood(actor)
    editor = Editor(dataset_id=dataset.id, email=address, invited_by=actor.id, invited_at=clock.now())
    db.session.add(editor)
    db.session.flush()
    history.record("invite", actor=actor, dataset=dataset, after={"email": address})
    _mail(editor, dataset, actor)
    return editor


def _refuse_flood(actor: Account) -> None:
    """Counted in the history: an invitation that was taken back was mailed too."""
    since = clock.now() - clock.DAY
    sent = select(func.count()).where(Event.actor_id == actor.id, Event.action == "invite", Event.at > since)
    if (db.session.scalar(sent) or 0) >= MOST_MAILS:
        text = "You invited {most} people within a day. Go on tomorrow."
        raise errors.Throttled(say("invite_flood", text, most=MOST_MAILS))


def _mail(editor: Editor, dataset: Dataset, actor: Account) -> None:
    known = accounts.by_email(editor.email)
    notifications.send(
        f"invited:{editor.id}",
        to=editor.email,
        template="invited",
        name=known.name if known is not None else "",
        inviter=actor.name,
        title=dataset.title,
        has_account=known is not None,
        url="/deposit" if known is not None else f"/register?{urlencode({'email': editor.email})}",
    )


def invitations(account: Account) -> list[Editor]:
    """What somebody is invited to and has not answered."""
    query = select(Editor).where(Editor.email == account.email, Editor.accepted_at.is_(None)).order_by(Editor.id)
    return list(db.session.scalars(query).unique())


def shared_with(account: Account, *, limit: int = 200) -> list[Dataset]:
    """The datasets of others that somebody edits, those changed last first."""
    query = select(Dataset).join(Editor, Editor.dataset_id == Dataset.id).where(Editor.account_id == account.id)
    return list(db.session.scalars(query.order_by(Dataset.updated_at.desc(), Dataset.id.desc()).limit(limit)).unique())


def answer(editor_id: int, *, accept: bool, actor: Account) -> Dataset:
    """Accept or decline an invitation to one's own address. Raises NotFound."""
    editor = next((row for row in invitations(actor) if row.id == editor_id), None)
    if editor is None:
        raise errors.NotFound(say("invitation_unknown", "There is no such invitation for you; it may be taken back."))
    dataset = editor.dataset
    if accept:
        editor.account_id, editor.accepted_at = actor.id, clock.now()
        db.session.flush()
        history.record("accept_invitation", actor=actor, dataset=dataset, after={"email": editor.email})
        return dataset
    db.session.delete(editor)
    db.session.flush()
    history.record("decline_invitation", actor=actor, dataset=dataset, before={"email": editor.email})
    return dataset


def replace(dataset: Dataset, owner: Account, former: Account | None, *, actor: Account | None) -> None:
    """After a handover: the new owner is no co-submitter any more, nor asked to be one; `former` becomes one."""
    theirs = or_(Editor.account_id == owner.id, Editor.email == owner.email)
    db.session.execute(delete(Editor).where(Editor.dataset_id == dataset.id, theirs))
    if former is None:
        return
    now, by = clock.now(), actor or owner
    db.session.add(
        Editor(
            dataset_id=dataset.id,
            email=former.email,
            account_id=former.id,
            invited_by=by.id,
            invited_at=now,
            accepted_at=now,
        )
    )
    db.session.flush()


def remove(dataset: Dataset, editor_id: int, *, actor: Account) -> Editor:
    """Take somebody off a dataset: its owner anybody, a co-submitter themselves. What they sent for it stays in it.
    Raises NotFound, Forbidden."""
    editor = db.session.scalar(select(Editor).where(Editor.id == editor_id, Editor.dataset_id == dataset.id))
    if editor is None:
        raise errors.NotFound(say("editor_unknown", "Nobody of this number edits this dataset."))
    leaves = editor.account_id == actor.id
    if not leaves and not access.is_owner(dataset, actor):
        raise errors.Forbidden(OWNER_ALONE)
    person = editor.account
    db.session.delete(editor)
    db.session.flush()
    history.record("leave" if leaves else "remove_editor", actor=actor, dataset=dataset, before={"email": editor.email})
    if person is not None and not leaves:
        notifications.send(
            f"uninvited:{editor.id}",
            to=person.email,
            template="uninvited",
            name=person.name,
            title=dataset.title,
            accession=dataset.accession or "",
            url="/deposit",
        )
    return editor
