"""Webhooks against a real server: every event once, in order, signed; refusals tried again; nobody inside is called."""

import time
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import select

from portal import clock, db, states
from portal.domain.datasets import datasets
from portal.domain.shared import job_queue, outbound_hosts
from portal.domain.webhooks import deliveries, subscriptions
from portal.jobs.handlers.messages import http_client
from portal.jobs.worker import Worker
from portal.models import Event, Job, Mail, Webhook, WebhookTry
from portal.queries.admin import event_log
from tests.conftest import COLLEAGUE, INES, RUTH
from tests.receiver import receiver
from tests.waiting import until

__all__ = ["receiver"]
pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _own_resolver():
    yield
    outbound_hosts.use(outbound_hosts.ask_system)


class Registered(NamedTuple):
    id: int
    secret: str


def register(address, person=INES, parsed=None) -> Registered:
    with db.transaction():
        hook = subscriptions.add(
            person.account, parsed or outbound_hosts.parse(address), label="LIMS", actor=person.account
        )
        return Registered(hook.id, hook.secret)


def happen(count=1, person=INES) -> list[str]:
    """Let events happen; the ids of their messages."""
    with db.transaction():
        before = subscriptions.newest_event()
        for n in range(count):
            datasets.create(actor=person.account, title=f"Höhe {n}")
        found = db.session.scalars(select(Event.id).where(Event.id > before).order_by(Event.id)).all()
    return [f"evt_{number}" for number in found]


def go_round(run_jobs) -> None:
    """What the clock of the worker does, then its jobs."""
    with db.transaction():
        deliveries.plan()
    run_jobs()


def row(hook) -> Webhook | None:
    db.end()
    return db.session.get(Webhook, hook.id)


def tries(hook) -> list[WebhookTry]:
    db.end()
    return list(db.session.scalars(select(WebhookTry).where(WebhookTry.webhook_id == hook.id).order_by(WebhookTry.id)))


def test_events_arrive_once_in_order_and_signed(receiver, run_jobs):
    happen()
    hook = register(receiver.url + "/omix?site=north")
    ids, began = happen(3), clock.now() // 1000
    go_round(run_jobs)
    go_round(run_jobs)
    assert receiver.ids == ids, "what happened before is not sent, nothing twice"
    assert all(one.is_signed_with(hook.secret) and one.path == "/omix?site=north" for one in receiver.received)
    assert not receiver.received[0].is_signed_with("whsec_" + "A" * 44)
    first = receiver.received[0]
    assert began <= int(first.headers["webhook-timestamp"]) <= clock.now() // 1000
    event = db.session.get(Event, int(ids[0].removeprefix("evt_")))
    assert first.document["type"] == first.document["data"]["action"] == event.action
    assert first.document["data"]["dataset"] == event.dataset_id
    assert [one.status for one in tries(hook)] == [204, 204, 204]


def test_account_gets_its_own_events_and_a_curator_all(receiver, run_jobs):
    register(receiver.url + "/ines")
    register(receiver.url + "/ruth", RUTH)
    own, others = happen(1), happen(1, COLLEAGUE)
    go_round(run_jobs)
    got = {path: [one.id for one in receiver.received if one.path == path] for path in ("/ines", "/ruth")}
    assert got == {"/ines": own, "/ruth": own + others}


def test_refused_event_is_tried_again_later_each_time_and_nothing_overtakes_it(receiver, run_jobs):
    hook = register(receiver.url)
    ids = happen(2)
    receiver.answers.extend([500, 503, 429])
    waits = []
    for _ in range(3):
        go_round(run_jobs)
        go_round(run_jobs)
        waits.append(round((row(hook).next_at - clock.now()) / 1000))
        clock.shift(waits[-1] * 1000 + 1000)
    assert waits == [5, 10, 20]
    assert receiver.ids == [ids[0]] * 3
    go_round(run_jobs)
    assert receiver.ids == [ids[0]] * 4 + [ids[1]]
    assert len({one.body for one in receiver.received[:4]}) == 1
    found = row(hook)
    assert (found.attempts, found.failing_since, found.next_at) == (0, None, None)


def test_after_twelve_hours_it_is_paused_and_its_owner_told_once(receiver, run_jobs):
    hook = register(receiver.url)
    ids = happen(2)
    receiver.usual = 500
    begun, moments = clock.now(), []
    while row(hook).state == states.ACTIVE:
        go_round(run_jobs)
        moments.append(clock.now() - begun)
        clock.shift(max(0, (row(hook).next_at or 0) - clock.now()))
    gaps = [(late - early) / clock.HOUR for early, late in pairwise(moments)]
    assert 11.99 < moments[-1] / clock.HOUR < 12.1 and max(gaps) < 1.01
    assert len(receiver.received) == len(moments) < 30
    found = row(hook)
    assert "12 hours" in found.why and "500" in found.why
    (mail,) = db.session.scalars(select(Mail).where(Mail.key.like("webhook-%")))
    assert mail.to == INES.email and "/account/webhooks" in mail.body and receiver.url in mail.body
    happen()
    clock.shift(clock.DAY)
    go_round(run_jobs)
    assert set(receiver.ids) == {ids[0]}, "a paused one is left alone"

    receiver.usual, receiver.received[:] = 200, []
    with db.transaction():
        subscriptions.resume(subscriptions.find(INES.account, hook.id), actor=INES.account)
    run_jobs()
    told = [one.document["type"] for one in receiver.received]
    assert receiver.ids[:2] == ids and len(told) == 4
    assert told[-1] == "webhook.resume", "what the owner did is told too"


def test_server_that_hangs_is_left_after_the_time(receiver, run_jobs, monkeypatch):
    monkeypatch.setattr(http_client, "TIMEOUT", 0.4)
    hook = register(receiver.url)
    happen()
    receiver.usual = receiver.hang
    go_round(run_jobs)
    assert receiver.hanging == 1, "it was left while it still hung"
    assert [(one.status, one.says) for one in tries(hook)] == [(None, "It did not answer within 0.4 seconds.")]


def test_server_that_answers_a_byte_at_a_time_is_left_too(receiver, run_jobs, monkeypatch):
    monkeypatch.setattr(http_client, "TIMEOUT", 0.6)
    hook = register(receiver.url)
    happen()

    sent = []

    def trickle(handler):
        for char in b"HTTP/1.1 200 OK\r\nX-Slow: " + b"a" * 1000:
            handler.wfile.write(bytes([char]))
            sent.append(char)
            if receiver.let_go.wait(0.1):
                return

    receiver.usual = trickle
    go_round(run_jobs)
    receiver.let_go.set()
    assert 1 < len(sent) < 1000, "it was left in the middle, and not at the first byte"
    assert tries(hook)[0].status is None and "did not answer" in tries(hook)[0].says


def test_redirect_is_followed_by_nobody(receiver, run_jobs):
    hook = register(receiver.url + "/first")
    happen()
    receiver.usual = 307
    go_round(run_jobs)
    assert [one.path for one in receiver.received] == ["/first"]
    assert "leads elsewhere" in tries(hook)[0].says and row(hook).next_at


@pytest.mark.parametrize("said", [b"SSH-2.0-door\r\n\r\n", b"", b"HTTP/1.1 2OO Fine\r\n\r\n", b"x" * 70_000])
def test_what_is_no_http_is_no_answer(receiver, run_jobs, said):
    hook = register(receiver.url)
    happen()
    receiver.usual = lambda handler: handler.wfile.write(said)
    go_round(run_jobs)
    assert tries(hook)[0].status is None and row(hook).attempts == 1


def test_interim_answer_is_passed_over(receiver, run_jobs):
    hook = register(receiver.url)
    happen()
    receiver.usual = lambda handler: handler.wfile.write(b"HTTP/1.1 103 Hints\r\n\r\nHTTP/1.1 202 Yes\r\n\r\n")
    go_round(run_jobs)
    assert [one.status for one in tries(hook)] == [202]


def test_gone_removes_it_and_tells_the_owner(receiver, run_jobs):
    hook = register(receiver.url + "/?token=of-the-receiver")
    happen(2)
    receiver.usual = 410
    go_round(run_jobs)
    go_round(run_jobs)
    assert row(hook) is None and tries(hook) == [] and len(receiver.received) == 1
    assert db.session.scalar(select(Mail.subject).where(Mail.key.like("webhook-gone%"))).endswith("LIMS")
    told = db.session.scalars(select(Event).where(Event.action == "webhook.remove")).one()
    assert "410" in told.note and "of-the-receiver" not in str(told.after) and told.center_id == INES.account.center_id
    assert [line.about.email for line in event_log.page(event_log.Filter(action="webhook.remove")).rows] == [INES.email]


def test_result_of_a_worker_that_lost_its_lease_is_dropped(receiver, run_jobs):
    """Another has the job: the event goes out again under the same id, and the cursor is moved once."""
    hook = register(receiver.url)
    ids = happen(1)

    def taken_over(handler):
        with db.transaction():
            db.session.scalars(select(Job).where(Job.kind == "webhook")).one().fence += 1
        handler.send_response(200)
        handler.end_headers()

    receiver.answers.append(taken_over)
    go_round(run_jobs)
    assert tries(hook) == []
    clock.shift(job_queue.LEASE_MS + 1000)
    go_round(run_jobs)
    assert receiver.ids == ids * 2 and len(tries(hook)) == 1


def test_test_message_goes_out_while_events_wait(receiver, run_jobs):
    hook = register(receiver.url)
    ids = happen(1)
    receiver.answers.append(500)
    go_round(run_jobs)
    with db.transaction():
        subscriptions.ask_test(subscriptions.find(INES.account, hook.id), actor=INES.account)
    run_jobs()
    assert receiver.ids[1].startswith(f"test_{hook.id}_") and receiver.received[1].is_signed_with(hook.secret)
    assert receiver.received[1].document["type"] == "webhook.test"
    assert receiver.ids[2:] == ids, "a server that takes the test is back, and what waits follows at once"
    assert row(hook).test_at is None and [one.event_id is None for one in tries(hook)] == [False, True, False]


def test_closed_account_gets_nothing_until_it_is_open_again(receiver, run_jobs):
    register(receiver.url)
    ids = happen(1)
    with db.transaction():
        INES.account.state = "closed"
    go_round(run_jobs)
    assert receiver.received == []
    with db.transaction():
        INES.account.state = "active"
    go_round(run_jobs)
    assert receiver.ids == ids


def test_log_keeps_the_last_attempts_only(receiver, run_jobs, monkeypatch):
    monkeypatch.setattr(deliveries, "KEPT", 5)
    hook, other = register(receiver.url), register(receiver.url, COLLEAGUE)
    happen(1, COLLEAGUE)
    ids = happen(9)
    go_round(run_jobs)
    assert [one.message for one in tries(hook)] == ids[-5:]
    assert len(tries(other)) == 1


def test_what_does_not_concern_it_is_passed_over_without_a_job(receiver):
    hook = register(receiver.url)
    happen(3, COLLEAGUE)
    with db.transaction():
        deliveries.plan()
    assert row(hook).cursor == subscriptions.newest_event()
    assert db.session.scalar(select(Job.id).where(Job.kind == "webhook")) is None


def test_busy_webhook_lets_others_have_their_turn(receiver, monkeypatch):
    register(receiver.url + "/busy")
    register(receiver.url + "/quiet", COLLEAGUE)
    happen(3)
    happen(1, COLLEAGUE)
    monkeypatch.setattr("portal.jobs.handlers.messages.webhook.SLICE", 0.001)
    with db.transaction():
        deliveries.plan()
    Worker().drain()
    assert [one.path for one in receiver.received].index("/quiet") == 1
    assert len(receiver.received) == 4


def test_hanging_servers_leave_the_house_its_threads(receiver):
    """What comes by the bell is done by threads that never wait for somebody else's server."""
    register(receiver.url)
    happen()
    with db.transaction():
        deliveries.plan()
        job_queue.enqueue("prune", key="prune")
    worker = Worker(threads=1)
    worker.answer()
    assert receiver.received == []
    assert dict(db.session.execute(select(Job.kind, Job.state)).all()) == {"webhook": "queued", "prune": "done"}
    worker.outbound_threads.start()
    until(lambda: receiver.received)
    worker.stop.set()
    worker.outbound_threads.join(5)
    assert len(receiver.received) == 1


def test_name_that_turns_inward_later_reaches_nobody(receiver, run_jobs, settings):
    """DNS rebinding: public when registered, loopback when called."""
    outbound_hosts.use(lambda _host, _port: ["93.184.215.14"])
    settings.webhook_private = False
    address = outbound_hosts.check(f"https://rebinding.example.org:{receiver.port}/")
    hook = register("", parsed=address)
    happen()
    outbound_hosts.use(lambda _host, _port: ["127.0.0.1"])
    go_round(run_jobs)
    assert receiver.received == []
    assert "inside a network" in tries(hook)[0].says and row(hook).attempts == 1


def test_connection_goes_to_the_address_that_was_checked(receiver, run_jobs):
    """The name is asked once: a second answer, which would mean another machine, is never wanted."""
    asked = []

    def once(host, _port):
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    outbound_hosts.use(once)
    hook = register(f"http://lims.invalid:{receiver.port}/")
    happen()
    go_round(run_jobs)
    assert asked == ["lims.invalid"] and tries(hook)[0].status == 204
    assert receiver.received[0].headers["host"] == f"lims.invalid:{receiver.port}"


def test_second_address_of_a_name_stands_in_for_a_dead_one(receiver, run_jobs):
    outbound_hosts.use(lambda _host, _port: ["127.0.0.77", "127.0.0.1"])
    hook = register(f"http://lims.invalid:{receiver.port}/")
    happen()
    go_round(run_jobs)
    assert tries(hook)[0].status == 204


def test_server_without_a_trusted_certificate_gets_nothing(receiver, run_jobs):
    hook = register(receiver.url.replace("http:", "https:"))
    happen()
    go_round(run_jobs)
    assert receiver.received == [] and tries(hook)[0].status is None


def test_example_of_the_docs_verifies_what_is_sent(receiver, run_jobs):
    clock.reset()  # the example asks the clock of its machine
    page = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()
    code = page.partition("```python\n")[2].partition("```")[0]
    known: dict = {}
    exec(code, known)
    hook = register(receiver.url)
    happen()
    go_round(run_jobs)
    one = receiver.received[0]
    assert known["verify"](hook.secret, one.headers, one.body)["type"] == one.document["type"]
    with pytest.raises(ValueError, match="signature"):
        known["verify"](hook.secret, one.headers, one.body + b" ")
    late = one.headers | {"webhook-timestamp": str(int(time.time()) - 3600)}
    with pytest.raises(ValueError, match="old"):
        known["verify"](hook.secret, late, one.body)


def test_long_quiet_stretch_is_passed_over_piece_by_piece(receiver, run_jobs, monkeypatch):
    """Much of others between two events of one's own: nothing is skipped, nothing is sent that is not one's own."""
    monkeypatch.setattr(deliveries, "SPAN", 3)
    hook = register(receiver.url)
    ids = happen(1)
    happen(10, COLLEAGUE)
    ids += happen(1)
    happen(7, COLLEAGUE)
    go_round(run_jobs)
    assert receiver.ids == ids
    assert row(hook).cursor == subscriptions.newest_event()


def test_paused_while_passing_over_loses_nothing(receiver, run_jobs, monkeypatch):
    monkeypatch.setattr(deliveries, "SPAN", 3)
    hook = register(receiver.url)
    with db.transaction():
        subscriptions.pause(subscriptions.find(INES.account, hook.id), actor=INES.account)
    ids = happen(2)
    with db.transaction():
        assert not deliveries.pass_over(hook.id)
        subscriptions.resume(subscriptions.find(INES.account, hook.id), actor=INES.account)
    run_jobs()
    assert [one for one in receiver.ids if one in ids] == ids


def test_fault_of_our_own_lets_the_address_rest(receiver, run_jobs):
    hook, other = register(receiver.url + "/broken"), register(receiver.url + "/whole")
    ids = happen(1)
    with db.transaction():
        db.session.get_one(Webhook, hook.id).secret = "whsec_x"
    for _ in range(8):
        go_round(run_jobs)
        clock.shift(11 * clock.MINUTE)
    assert [one.id for one in receiver.received if one.path == "/whole"] == ids and tries(hook) == []
    failed = db.session.scalars(select(Job.key).where(Job.state == states.FAILED)).all()
    assert failed == [f"webhook:{hook.id}"] and row(hook).next_at and not row(other).next_at


def test_address_that_the_setting_no_longer_allows_is_not_called(receiver, run_jobs, settings):
    hook = register(receiver.url)
    happen()
    settings.webhook_private = False
    go_round(run_jobs)
    assert receiver.received == [] and "https://" in tries(hook)[0].says
