"""The webhook job: sends what waits for one address, in order, each message taken before the next one goes.

Killed after a message was taken and before that was recorded, it goes out again under the same webhook-id.
"""

import time
from contextlib import closing

from portal import clock, db, faults
from portal.domain.shared import job_queue
from portal.domain.shared.job_queue import Lease
from portal.domain.webhooks import deliveries, subscriptions
from portal.jobs.handlers.handler import Progress
from portal.jobs.handlers.messages import http_client
from portal.models import Job, Webhook

SLICE = 30.0


def run(lease: Lease, progress: Progress) -> None:
    """Send for a while, then let other addresses have their turn."""
    webhook_id, end = _webhook_id(lease), time.monotonic() + SLICE
    with closing(http_client.Client()) as client:
        emptied = _send_all(lease, progress, client, webhook_id, end)
    with db.transaction():
        job_queue.finish(lease)
        hook = None if emptied else db.session.get(Webhook, webhook_id)
        if hook is not None:
            subscriptions.enqueue(hook)  # a new job stands behind those that were owed meanwhile


def _send_all(lease: Lease, progress: Progress, client: http_client.Client, webhook_id: int, end: float) -> bool:
    """Whether nothing is left to send now."""
    while time.monotonic() < end:
        progress.check()
        with db.reading():
            job_queue.check_lease(lease)
            message = deliveries.following(webhook_id)
        if not (_send(lease, client, message) if message else _pass_over(lease, webhook_id)):
            return True
    return False


def _send(lease: Lease, client: http_client.Client, message: deliveries.Message) -> bool:
    answer = client.post(message.address, message.body, message.headers(clock.now()))
    faults.point("webhook.sent")
    with db.transaction():
        job_queue.check_lease(lease)
        return deliveries.record(message, status=answer.status, says=answer.says, took=answer.took)


def _pass_over(lease: Lease, webhook_id: int) -> bool:
    with db.transaction():
        job_queue.check_lease(lease)
        return deliveries.pass_over(webhook_id)


def give_up(lease: Lease, error: str) -> None:
    """A fault of our own: let the address rest for an hour, or every round would meet it again."""
    hook = db.session.get(Webhook, _webhook_id(lease))
    if hook is not None:
        hook.test_at, hook.next_at = None, clock.now() + clock.HOUR


def _webhook_id(lease: Lease) -> int:
    return int(db.session.get_one(Job, lease.id).key.partition(":")[2])
