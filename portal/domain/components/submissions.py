"""Metadata in bulk: one delivery of XML taken, whichever door it came through.

take() brings its own short transactions: texts and digests are made between them, outside the write lock.
"""

from dataclasses import dataclass, replace

from portal import clock, db, errors
from portal.domain.components import action_targets, components, load, receipts, resolve, submission_batch
from portal.domain.components.submission_batch import Batch, Document
from portal.messages import joined, say
from portal.models import Account, Delivery, DeliveryUpload

ATTEMPTS = 3
PORTION = 5_000
TOLD_FIELDS = 20  # of a portion that is refused
NOT_LOADED = say("object_not_loaded", "It was not loaded.")


@dataclass(frozen=True)
class Outcome:
    """What the sender is told."""

    batch: Batch
    receipt: bytes
    delivery_id: int | None

    @property
    def success(self) -> bool:
        return self.batch.success


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
        batch = submission_batch.read(documents, actor=actor, action=action, hold=hold)
        batch.actions.validate |= dry
        batch.actions.protect |= protect
        _resolve(batch)
        if batch.actions.validate:
            return Outcome(batch, receipts.write(batch), None)
        with db.transaction():
            fresh = components.reserve(resolve.wanting(batch))
        resolve.annotate(batch, fresh)
        resolve.project(batch)
        try:
            _load(batch)
        except load.Raced:
            if attempt < ATTEMPTS:
                continue
            raise
        with db.transaction():
            load.close(batch)
            action_targets.act(batch)
            return _record(batch, receipts.write(batch), via=via, uploads=uploads)
    raise AssertionError("unreachable")


def _resolve(batch: Batch) -> None:
    if batch.items and not batch.actions.validate:
        resolve.retry(batch)
    resolve.find(batch)
    if batch.submission is not None and batch.submission.refusal:
        batch.items = []
    resolve.refer(batch)


def _load(batch: Batch) -> None:
    """Portion by portion, so that nobody waits long for the write lock. A portion that is refused is told of."""
    for start in range(0, len(batch.items), PORTION):
        part = replace(batch, items=batch.items[start : start + PORTION])
        try:
            with db.transaction():
                load.load(part)
        except load.Raced:
            raise
        except errors.DomainError as error:
            fields = list(error.field_messages.values())[:TOLD_FIELDS]
            batch.faults.append(joined(error.message.code, [*error.messages, *fields]))
            for item in part.items:
                item.refusal = item.refusal or NOT_LOADED
            continue
        batch.dataset = part.dataset or batch.dataset
        batch.home = batch.dataset.id if batch.dataset is not None else batch.home


def answered(outcome: Outcome, *, via: str, uploads: tuple[int, ...]) -> Outcome:
    """Keep the RECEIPT of a delivery that stored nothing, so that what was dropped is read once."""
    with db.transaction():
        return _record(outcome.batch, outcome.receipt, via=via, uploads=uploads)


def _record(batch: Batch, receipt: bytes, *, via: str, uploads: tuple[int, ...]) -> Outcome:
    row = Delivery(
        account_id=batch.actor.id,
        dataset_id=batch.dataset.id if batch.dataset else None,
        via=via,
        action=" ".join(batch.actions.words) or batch.actions.action,
        loaded=len([item for item in batch.sent_items if item.is_good]),
        refused=len([item for item in batch.sent_items if not item.is_good]) + len(batch.faults),
        receipt=receipt,
        at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    db.session.add_all(DeliveryUpload(upload_id=upload_id, delivery_id=row.id) for upload_id in uploads)
    db.session.flush()
    return Outcome(batch, receipt, row.id)
