"""Webhooks over TLS and through trouble: the certificate is that of the name, and whatever the server and the workers
do, what it takes is every event once and in order."""

import random
import threading

import pytest

from portal import clock, db
from portal.domain.shared import outbound_hosts
from portal.domain.webhooks import deliveries
from portal.jobs.worker import Worker
from tests.certificates import identity
from tests.receiver import receiver
from tests.webhooks.test_deliveries import _own_resolver, go_round, happen, register, row, tries

__all__ = ["_own_resolver", "receiver"]
pytestmark = pytest.mark.usefixtures("database")
NAME = "lims.example.org"


@pytest.mark.parametrize(
    ("named", "trusted", "says"),
    [
        (NAME, True, "It answered 204."),
        ("other.example.org", True, "certificate is not trusted: Hostname mismatch"),
        (NAME, False, "certificate is not trusted: self"),
    ],
)
def test_certificate_is_that_of_the_name(receiver, run_jobs, tmp_path, monkeypatch, named, trusted, says):
    context, file = identity(tmp_path, named)
    if trusted:
        monkeypatch.setenv("SSL_CERT_FILE", str(file))
    receiver.encrypt(context)
    outbound_hosts.use(lambda _host, _port: ["127.0.0.1"])
    hook = register(f"https://{NAME}:{receiver.port}/omix")
    happen()
    go_round(run_jobs)
    assert says in tries(hook)[0].says
    assert [one.path for one in receiver.received] == (["/omix"] if "204" in says else [])


@pytest.mark.parametrize("seed", range(3))
def test_trouble_loses_nothing_and_changes_no_order(receiver, seed):
    """Two workers, a server that refuses, breaks off and forgets to answer; a clock that goes on."""
    dice, taken = random.Random(seed), []

    def moody(handler):
        act, last = dice.choice(("take", "take", "refuse", "drop", "half")), receiver.received[-1].id
        if act == "take":
            taken.append(last)
        if act in ("take", "refuse"):
            handler.wfile.write(b"HTTP/1.1 %d X\r\n\r\n" % (200 if act == "take" else 503))
        if act == "half":
            handler.wfile.write(b"HTTP/1.1 2")

    receiver.usual = moody
    hook = register(receiver.url)
    wanted: list[str] = []
    for _ in range(100):
        if len(wanted) < 12 and dice.random() < 0.5:
            wanted += happen(dice.randint(1, 3))
        with db.transaction():
            deliveries.plan()
        db.end()
        threads = [threading.Thread(target=Worker().drain) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        clock.shift(max(0, (row(hook).next_at or 0) - clock.now()))
        if len(wanted) >= 12 and taken == wanted:
            break
    assert taken == wanted
    assert row(hook).failing_since is None


def framed(status: int, fields: bytes, body: bytes = b""):
    return lambda handler: handler.wfile.write(b"HTTP/1.1 %d X\r\n%s\r\n\r\n%s" % (status, fields, body))


def test_connection_is_kept_for_what_follows(receiver, run_jobs):
    receiver.keep()
    hook = register(receiver.url)
    ids = happen(4)
    receiver.answers.extend([framed(200, b"Content-Length: 5", b"taken"), framed(204, b"X: y"), 202, 201])
    go_round(run_jobs)
    assert receiver.ids == ids and [one.status for one in tries(hook)] == [200, 204, 202, 201]
    assert len({one.peer for one in receiver.received}) == 1


@pytest.mark.parametrize(
    "first",
    [
        framed(200, b"Connection: close\r\nContent-Length: 0"),
        framed(200, b"Content-Length: 3", b"much more than three"),
        framed(200, b"Content-Length: 70000"),
        framed(200, b"Transfer-Encoding: chunked", b"0\r\n\r\n"),
        lambda handler: handler.wfile.write(b"HTTP/1.0 200 X\r\nContent-Length: 0\r\n\r\n"),
    ],
)
def test_connection_whose_end_is_not_plain_is_closed(receiver, run_jobs, first):
    receiver.keep()
    register(receiver.url)
    ids = happen(2)
    receiver.answers.append(first)
    go_round(run_jobs)
    assert receiver.ids == ids
    assert len({one.peer for one in receiver.received}) == 2


def test_kept_connection_that_was_closed_is_no_refusal(receiver, run_jobs):
    receiver.keep()
    hook = register(receiver.url)
    ids = happen(2)

    def take_and_leave(handler):
        framed(200, b"Content-Length: 0")(handler)
        handler.close_connection = True

    receiver.answers.append(take_and_leave)
    go_round(run_jobs)
    assert receiver.ids == ids and [one.status for one in tries(hook)] == [200, 204]
    assert len({one.peer for one in receiver.received}) == 2


def test_new_connection_without_an_answer_is_a_refusal(receiver, run_jobs):
    hook = register(receiver.url)
    happen(1)
    receiver.answers.append(lambda _handler: None)
    go_round(run_jobs)
    assert "closed the connection without an answer" in tries(hook)[0].says and len(receiver.received) == 1
