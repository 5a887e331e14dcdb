"""A worker killed after an event was taken and before that was recorded: it comes again, with the same id, in order."""

from portal import clock, db
from portal.domain.datasets import datasets
from portal.domain.shared import outbound_hosts
from portal.domain.webhooks import deliveries, subscriptions
from portal.models import Event
from tests.conftest import INES
from tests.killed import work_until_killed
from tests.receiver import Receiver


def test_event_taken_by_a_killed_worker_comes_again_under_its_id(settings, database, run_jobs, monkeypatch):
    settings.webhook_private = True
    monkeypatch.setenv("OMIX_WEBHOOK_PRIVATE", "1")
    receiver = Receiver()
    with db.transaction():
        hook = subscriptions.add(INES.account, outbound_hosts.parse(receiver.url), label="", actor=INES.account)
        for n in range(3):
            datasets.create(actor=INES.account, title=f"Peat {n}")
        events = db.session.query(Event).filter(Event.id > hook.cursor).order_by(Event.id).all()
        ids = [f"evt_{event.id}" for event in events]
        deliveries.plan()

    work_until_killed(settings, "webhook.sent:2:kill")
    assert receiver.ids == ids[:2]

    clock.shift(2 * clock.MINUTE)
    run_jobs()
    receiver.stop()
    assert receiver.ids == [ids[0], ids[1], ids[1], ids[2]]
    assert receiver.received[1].body == receiver.received[2].body
