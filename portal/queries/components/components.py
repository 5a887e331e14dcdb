"""Reads of components: one by accession, lists by key, their files and what they refer to, and deliveries of XML."""

from typing import Any

from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import joinedload, undefer

from portal import db, errors, states
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Account, Component, ComponentFile, ComponentRef, ComponentTally, Dataset, Delivery, File
from portal.queries.paging import keyset
from portal.queries.paging.keyset import Page

WHOLE = (joinedload(Component.dataset), joinedload(Component.center))
NOT_HERE = say("object_not_here", "There is no object of this accession, or it is not released yet.")


def status(component: Component) -> str:
    """The telemetry word: live, suppressed, unpublished, withdrawn. Its own where it has one, else its dataset's."""
    whole = states.STATUS[component.dataset.state]
    if component.status == "withdrawn" or whole in ("unpublished", "withdrawn"):
        return component.status if component.status == "withdrawn" else whole
    return component.status or whole


def load(accession: str, *, actor: Account | None, xml: bool = False) -> Component:
    """A component that the actor may see. Raises NotFound, or Gone for a withdrawn one."""
    query = select(Component).join(Component.dataset).options(*WHOLE)
    query = query.where(Component.accession == accession.upper(), access.visible(actor))
    component = db.session.scalar(query.options(undefer(Component.xml)) if xml else query)
    if component is None:
        raise errors.NotFound(NOT_HERE)
    if status(component) == "withdrawn" and not access.may_edit(component.dataset, actor):
        raise errors.Gone(say("object_withdrawn", "{accession} was withdrawn.", accession=component.accession))
    return component


def of_account(
    account: Account, *, after: int, limit: int, kind: str = "", state: str = "", dataset: str = "", alias: str = ""
) -> list[Component]:
    """In the order they came: of the datasets one edits, for curators of all that were submitted."""
    query = select(Component).join(Dataset, Dataset.id == Component.dataset_id).options(*WHOLE)
    mine = access.editable_by(account.id)
    query = query.where(or_(mine, access.SUBMITTED) if account.is_curator else mine)
    if dataset:
        whole = db.session.scalar(select(Dataset.id).where(Dataset.accession == dataset.upper()))
        query = query.where(Component.dataset_id == (whole or 0))
    for column, value in ((Component.type, kind.upper()), (Component.state, state), (Component.alias, alias)):
        if value:
            query = query.where(column == value)
    return list(db.session.scalars(query.where(Component.id > after).order_by(Component.id).limit(limit)))


def of_dataset(dataset: Dataset) -> Select[*tuple[Any, ...]]:
    living = Component.status != "withdrawn"
    return select(Component).where(Component.dataset_id == dataset.id, Component.type != "SUBMISSION", living)


def page(dataset: Dataset, *, state: str = "", kind: str = "", after: str = "", before: str = "") -> Page:
    """A page of a dataset's components, in the order they came."""
    query = of_dataset(dataset)
    if state in states.COMPONENT.states:
        query = query.where(Component.state == state)
    if kind:
        query = query.where(Component.type == kind)
    return keyset.fetch(query, [Component.id], lambda row: (row[0].id,), after=after, before=before, descending=False)


def counts(dataset: Dataset) -> dict[tuple[str, str], int]:
    """How many of each type stand in each state."""
    kept = ComponentTally
    query = select(kept.type, kept.state, func.sum(kept.number)).where(
        kept.dataset_id == dataset.id, kept.type != "SUBMISSION", kept.status != "withdrawn", kept.number > 0
    )
    rows = db.session.execute(query.group_by(kept.type, kept.state))
    return {(kind, state): int(count) for kind, state, count in rows}


def files(component: Component) -> list[File]:
    query = (
        select(File)
        .join(ComponentFile, ComponentFile.file_id == File.id)
        .where(ComponentFile.component_id == component.id, File.state.not_in(states.DEAD_FILES))
    )
    return list(db.session.scalars(query.order_by(File.n).limit(1000)).unique())


def references(component: Component) -> list[str]:
    """Accessions of what it refers to."""
    query = (
        select(Component.accession)
        .join(ComponentRef, ComponentRef.ref_id == Component.id)
        .where(ComponentRef.component_id == component.id, Component.accession.is_not(None))
    )
    return [accession or "" for accession in db.session.scalars(query.order_by(Component.id).limit(1000))]


def deliveries(account: Account, *, after: str = "", before: str = "") -> Page:
    """What somebody sent as XML, newest first."""
    query = select(Delivery).options(joinedload(Delivery.dataset)).where(Delivery.account_id == account.id)
    return keyset.fetch(query, [Delivery.id], lambda row: (row[0].id,), after=after, before=before, limit=20)


def delivery(account: Account, delivery_id: int) -> Delivery:
    query = select(Delivery).options(undefer(Delivery.receipt), joinedload(Delivery.dataset))
    row = db.session.scalar(query.where(Delivery.id == delivery_id, Delivery.account_id == account.id))
    if row is None:
        raise errors.NotFound(say("no_such_delivery", "You sent nothing of this number."))
    return row
