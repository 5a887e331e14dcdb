"""Jobs are claimed once, fenced, handed back, tried again and given up; urgent ones never wait for bulk reading."""

import errno
import os
import socket
import threading

import pytest
from sqlalchemy import select

from portal import clock, db, errors, queue
from portal.domain.datasets import datasets
from portal.domain.shared import job_queue
from portal.jobs import periodic_tasks, worker
from portal.jobs.handlers.handler import Again, Handler, Progress, Stopped
from portal.jobs.registry import HANDLERS
from portal.jobs.scheduler import Scheduler
from portal.jobs.worker import Worker
from portal.messages import say
from portal.models import Counter, Job

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def handle(monkeypatch):
    """Let a function do the work of a kind."""

    def use(kind, run, **more):
        monkeypatch.setitem(HANDLERS, kind, Handler(run, **more))

    return use


def enqueue(kind="test", **more):
    with db.transaction():
        return job_queue.enqueue(kind, key=more.pop("key", f"{kind}:{more}"), **more).id


def row(job_id):
    db.end()
    return db.session.get_one(Job, job_id)


def done(lease, _progress):
    with db.transaction():
        job_queue.finish(lease)


def failing(error):
    def run(_lease, _progress):
        raise error

    return run


def test_due_job_is_run_once(handle):
    seen = []
    handle("test", lambda lease, progress: (seen.append(lease.id), done(lease, progress)))
    job_id = enqueue()

    Worker().drain()
    Worker().drain()

    assert seen == [job_id]
    assert (row(job_id).state, row(job_id).attempt) == ("done", 1)


def test_job_is_not_taken_before_its_time(handle):
    handle("test", done)
    job_id = enqueue(delay=5_000)
    Worker().drain()
    assert row(job_id).state == "queued"

    clock.shift(5_001)
    Worker().drain()
    assert row(job_id).state == "done"


def test_two_workers_share_no_job(handle):
    ran, lock = [], threading.Lock()

    def run(lease, progress):
        with lock:
            ran.append(lease.id)
        done(lease, progress)

    handle("test", run)
    wanted = [enqueue(key=f"test:{n}") for n in range(40)]
    threads = [threading.Thread(target=Worker().drain) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(ran) == wanted


def test_worker_that_lost_its_lease_cannot_record(handle):
    def slow(lease, _progress):
        clock.shift(job_queue.LEASE_MS + 1)
        with db.transaction():
            assert job_queue.claim(lease.id, owner="another") is not None
        done(lease, None)

    handle("test", slow)
    job_id = enqueue()

    Worker().drain()

    assert (row(job_id).state, row(job_id).owner, row(job_id).fence) == ("running", "another", 2)


def test_failure_is_tried_again_later_each_time_and_given_up(handle):
    told = []
    handle(
        "test",
        failing(errors.StorageFault(say("disk_ill", "The disk is ill."))),
        give_up=lambda lease, words: told.append(words),
    )
    job_id = enqueue(max_attempts=3)
    waits = []
    for _ in range(3):
        Worker().drain()
        found = row(job_id)
        waits.append(found.not_before - clock.now())
        clock.shift(1_000_000)

    assert (found.state, found.attempt, found.error) == ("failed", 3, "The disk is ill.")
    assert 0 < waits[0] < waits[1]
    assert told == ["The disk is ill."]


def test_full_disk_waits_and_costs_no_attempt(handle):
    handle("test", failing(OSError(errno.ENOSPC, "No space left on device")))
    job_id = enqueue(max_attempts=1)
    for _ in range(4):
        Worker().drain()
        clock.shift(61_000)
    assert (row(job_id).state, row(job_id).error) == ("queued", "waiting for space")

    handle("test", done)
    Worker().drain()
    assert row(job_id).state == "done"


def test_failing_disk_is_counted(handle):
    handle("test", failing(OSError(errno.EIO, "Input/output error")))
    job_id = enqueue(max_attempts=1)

    Worker().drain()

    assert (row(job_id).state, row(job_id).error) == ("failed", "Input/output error")


def test_job_that_kills_its_workers_ends(handle):
    told = []
    handle("test", done, give_up=lambda lease, words: told.append(lease.id))
    job_id = enqueue(max_attempts=3)
    for _ in range(3):
        with db.transaction():
            assert job_queue.claim(job_id, owner="killed") is not None
        clock.shift(job_queue.LEASE_MS + 1)

    Worker().drain()

    assert row(job_id).state == "failed"
    assert told == [job_id]


def test_unknown_kind_is_told(caplog):
    job_id = enqueue("unheard", max_attempts=1)
    Worker().drain()
    assert "does not know" in row(job_id).error
    assert row(job_id).state == "failed"


def test_asked_again_while_running_runs_again(handle):
    runs = []

    def run(lease, progress):
        runs.append(lease.id)
        if len(runs) == 1:
            enqueue(key="same")
        done(lease, progress)

    handle("test", run)
    job_id = enqueue(key="same")

    Worker().drain()

    assert runs == [job_id, job_id]
    assert row(job_id).state == "done"


def test_come_again_is_no_failure(handle):
    handle("test", failing(Again(3_000, "Its files are read first.")))
    job_id = enqueue(max_attempts=1)

    Worker().drain()

    found = row(job_id)
    assert (found.state, found.attempt, found.error) == ("queued", 0, "Its files are read first.")


def test_stop_hands_the_job_back_at_once(handle):
    begun = threading.Event()

    def run(_lease, progress):
        begun.set()
        while True:
            progress(1)

    handle("test", run)
    job_id = enqueue()
    one = Worker()
    thread = threading.Thread(target=one.drain)
    thread.start()
    assert begun.wait(5)
    one.stop.set()
    thread.join(5)

    found = row(job_id)
    assert not thread.is_alive()
    assert (found.state, found.attempt, found.owner) == ("queued", 0, None)


def test_best_job_first(handle):
    order = []
    for kind in ("test", "other"):
        handle(kind, lambda lease, progress: (order.append(lease.kind), done(lease, progress)))
    enqueue("other", priority=9)
    enqueue("test", priority=1)

    Worker().drain()

    assert order == ["test", "other"]


def test_bulk_reading_leaves_a_thread_free(handle):
    release, reading = threading.Event(), threading.Event()

    def bulk(lease, progress):
        reading.set()
        release.wait(10)
        done(lease, progress)

    handle("fixity", bulk, bulk=True)
    handle("test", done)
    one = Worker(threads=2)
    first, second = enqueue("fixity", key="f1"), enqueue("fixity", key="f2")
    thread = threading.Thread(target=one.drain)
    thread.start()
    assert reading.wait(5)
    urgent = enqueue("test", priority=9)

    one.drain()

    assert (row(urgent).state, row(second).state) == ("done", "queued")
    release.set()
    thread.join(5)
    assert (row(first).state, row(second).state) == ("done", "done")


def test_two_jobs_on_one_bag_never_run_at_once(monkeypatch, run_jobs, ines):
    with db.transaction():
        dataset_id = datasets.create(actor=ines.account, title="Counts").id
    archive, bag = enqueue("archive", dataset_id=dataset_id), enqueue("bag", dataset_id=dataset_id)
    with db.transaction():
        assert job_queue.claim(archive, owner="another") is not None

    assert Worker().take() is None

    clock.shift(job_queue.LEASE_MS + 1)
    assert Worker().take().id == archive
    assert row(bag).state == "queued"


def test_jobs_of_a_dead_process_are_due_at_once(handle):
    handle("test", done)
    gone, here = enqueue(key="gone"), enqueue(key="here")
    pid = os.spawnlp(os.P_NOWAIT, "true", "true")
    os.waitpid(pid, 0)
    with db.transaction():
        job_queue.claim(gone, owner=f"{socket.gethostname()}:{pid}:x")
        job_queue.claim(here, owner=f"{socket.gethostname()}:{os.getppid()}:x")
    one = Worker()

    assert one.release_dead() == 1
    one.drain()

    assert (row(gone).state, row(here).state) == ("done", "running")


def test_stopped_progress_raises():
    stop = threading.Event()
    progress = Progress(stop)
    progress(5)
    progress.next()
    progress(2)
    assert progress.read() == (7, 0)
    stop.set()
    with pytest.raises(Stopped):
        progress(3)


def test_sweep_rings_for_what_the_queue_forgot():
    enqueue(key="a")
    queue.queue.storage.flush_queue()
    scheduler = Scheduler(threading.Event(), threads=2)

    scheduler.wake_due()
    assert queue.queue.pending_count() == 1
    scheduler.wake_due()
    assert queue.queue.pending_count() == 1


def test_round_is_taken_by_one_worker(monkeypatch):
    ran = []
    monkeypatch.setattr(
        "portal.jobs.scheduler.PERIODIC_TASKS", (("daily", clock.DAY, lambda: ran.append(clock.now())),)
    )
    both = [Scheduler(threading.Event(), threads=1) for _ in range(2)]
    for one in both:
        one.run_due()
    assert len(ran) == 1

    clock.shift(clock.DAY + 1)
    for one in both:
        one.run_due()
    assert len(ran) == 2
    coming = db.session.scalar(select(Counter.next).where(Counter.name == "round:daily"))
    assert 0 <= ran[1] + clock.DAY - coming < 1_000


def test_round_that_fails_comes_again(monkeypatch):
    ran = []

    def ill():
        ran.append(1)
        if len(ran) == 1:
            raise RuntimeError("ill")

    monkeypatch.setattr("portal.jobs.scheduler.PERIODIC_TASKS", (("daily", clock.DAY, ill),))
    one = Scheduler(threading.Event(), threads=1)
    one.run_due()
    one.run_due()
    one.run_due()

    assert len(ran) == 2


def test_each_kind_of_work_has_its_handler():
    assert {"archive", "bag", "digest", "diagnose", "fixity", "mail", "release", "withdraw", "expire"} <= set(HANDLERS)
    assert sorted(worker.ALONE) == ["archive", "bag", "move", "withdraw"]
    names = [name for name, _period, _verb in periodic_tasks.PERIODIC_TASKS]
    assert {"release", "cut", "fixity", "expire", "prune", "edits", "waits"} <= set(names)
    assert len(names) == len(set(names))
