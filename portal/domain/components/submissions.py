"""Metadata in bulk: one delivery of XML taken, whichever door it came through.

take() brings its own short transactions: texts and digests are made between them, outside the write lock.
"""

from dataclasses import dataclass, replace

from portal import clock, db, errors
from portal.domain.components import action_targets, components, load, receipts, resolve, submission_batch
from portal.domain.components.submission_batch import Document, Parcel
from portal.models import Account, Delivery, DeliveryUpload

ATTEMPTS = 3
PORTION = 5_000


@dataclass(frozen=True)
class Outcome:
    """What the sender is told."""

    parcel: Parcel
    receipt: bytes
    delivery_id: int | None

    @property
    def success(self) -> bool:
        return self.parcel.success


def take(
    documents: list[Document],
    *,
    actor: Account,
    via: str,
    action: str = "",
    hold: str = "",
    uploads: tuple[int, ...] = (),
    dry: bool = False,
    protect: bool = False,
) -> Outcome:
    """Load what can be loaded, keep what cannot with the reason, and say so in a RECEIPT; `dry` only says so, `protect`
    makes a new dataset a controlled one. Call it outside any transaction."""
    for attempt in range(1, ATTEMPTS + 1):
        parcel = submission_batch.read(documents, actor=actor, action=action, hold=hold)
        parcel.orders.validate |= dry
        parcel.orders.protect |= protect
        _resolve(parcel)
        if parcel.orders.validate:
            return Outcome(parcel, receipts.write(parcel), None)
        with db.transaction():
            fresh = components.reserve(resolve.wanting(parcel))
        resolve.annotate(parcel, fresh)
        resolve.project(parcel)
        try:
            _load(parcel)
        except load.Raced:
            if attempt < ATTEMPTS:
                continue
            raise
        with db.transaction():
            load.close(parcel)
            action_targets.act(parcel)
            return _record(parcel, receipts.write(parcel), via=via, uploads=uploads)
    raise AssertionError("unreachable")


def _resolve(parcel: Parcel) -> None:
    if parcel.items and not parcel.orders.validate:
        resolve.retry(parcel)
    resolve.find(parcel)
    if any(fault for fault in parcel.faults if parcel.submission and fault.startswith("SUBMISSION")):
        parcel.items = []
    resolve.refer(parcel)


def _load(parcel: Parcel) -> None:
    """Portion by portion, so that nobody waits long for the write lock. A portion that is refused is told of."""
    for start in range(0, len(parcel.items), PORTION):
        part = replace(parcel, items=parcel.items[start : start + PORTION])
        try:
            with db.transaction():
                load.load(part)
        except load.Raced:
            raise
        except errors.DomainError as error:
            parcel.faults.append(" ".join([error.sentence, *list(error.fields.values())[:20]]))
            for item in part.items:
                item.refusal = item.refusal or "It was not loaded."
            continue
        parcel.dataset = part.dataset or parcel.dataset
        parcel.home = parcel.dataset.id if parcel.dataset is not None else parcel.home


def answered(outcome: Outcome, *, via: str, uploads: tuple[int, ...]) -> Outcome:
    """Keep the RECEIPT of a delivery that stored nothing, so that what was dropped is read once."""
    with db.transaction():
        return _record(outcome.parcel, outcome.receipt, via=via, uploads=uploads)


def _record(parcel: Parcel, receipt: bytes, *, via: str, uploads: tuple[int, ...]) -> Outcome:
    row = Delivery(
        account_id=parcel.actor.id,
        dataset_id=parcel.dataset.id if parcel.dataset else None,
        via=via,
        action=" ".join(parcel.orders.words) or parcel.orders.action,
        loaded=len([item for item in parcel.sent_items if item.is_good]),
        refused=len([item for item in parcel.sent_items if not item.is_good]) + len(parcel.faults),
        receipt=receipt,
        at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(DeliveryUpload(upload_id=upload_id, delivery_id=row.id) for upload_id in uploads)
    db.session.flush()
    return Outcome(parcel, receipt, row.id)
