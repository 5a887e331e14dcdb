"""Work owed, claimed, finished: the rows that outlive any worker. portal/jobs/ holds what the work is."""

from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, exists, or_, select, update
from sqlalchemy.orm import aliased

from portal import clock, db, errors, queue, states
from portal.domain.shared import history
from portal.domain.shared.transitions import transition, transition_all
from portal.messages import say
from portal.models import Account, Counter, Job

LEASE_MS = 60_000
ROUND, PERIOD = "round:release", clock.MINUTE  # the periodic task that comes most often: by it a worker is known
MOST_SILENT = 5 * PERIOD
CANCELLABLE = frozenset(("mail", "fixity", "watch", "diagnose", "expire", "prune", "webhook", "report", "selfcheck"))
BACKOFF_MS = (5_000, 30_000, 120_000, 600_000)


@dataclass(frozen=True)
class Lease:
    """A worker's claim on a job: the job's facts, and the fence that its writes must still match."""

    id: int
    kind: str
    fence: int
    attempt: int
    max_attempts: int
    dataset_id: int | None
    upload_id: int | None


def enqueue(
    kind: str,
    *,
    dataset_id: int | None = None,
    upload_id: int | None = None,
    key: str = "",
    priority: int = 5,
    delay: int = 0,
    max_attempts: int = 5,
) -> Job:
    """Write a job that is to be done, and wake a worker after the commit. One open job a key: a running one is asked to
    go again."""
    key = key or f"{kind}:{'d' if dataset_id else 'u'}{dataset_id or upload_id or 0}"
    job = db.session.scalar(select(Job).where(Job.key == key, Job.state.in_((states.QUEUED, states.RUNNING))))
    if job is None:
        job = Job(
            kind=kind,
            dataset_id=dataset_id,
            upload_id=upload_id,
            key=key,
            priority=priority,
            max_attempts=max_attempts,
            not_before=clock.now() + delay,
            created_at=clock.now(),
        )
        db.session.add(job)
        db.session.flush()
    elif job.state == states.RUNNING:
        job.again = True
    else:
        job.not_before = min(job.not_before, clock.now() + delay)
    job_id = job.id
    if not delay:
        db.on_commit(lambda: queue.wake(job_id))
    return job


def claim(job_id: int, *, owner: str) -> Lease | None:
    """Take a job that is due, or whose lease ran out. None: somebody else has it, or nothing is owed."""
    now = clock.now()
    taken = transition_all(
        Job,
        "claim",
        Job.id == job_id,
        _is_claimable(now),
        owner=owner,
        attempt=Job.attempt + 1,
        fence=Job.fence + 1,
        lease_until=now + LEASE_MS,
        done=0,
        total=0,
        rate=None,
        error="",
        again=False,
    )
    if taken != 1:
        return None
    job = db.session.get(Job, job_id, populate_existing=True)
    assert job is not None
    return Lease(job.id, job.kind, job.fence, job.attempt, job.max_attempts, job.dataset_id, job.upload_id)


def is_dead() -> ColumnElement[bool]:
    """Condition: a job failed for good, and nothing is owed or was tried of its key since."""
    other = aliased(Job)
    since = or_(other.state.in_((states.QUEUED, states.RUNNING)), other.ended_at > Job.ended_at)
    return and_(Job.state == states.FAILED, ~exists().where(other.key == Job.key, other.id != Job.id, since))


def gave_up(kind: str, dataset_id: int) -> bool:
    """Whether the last job of this kind on a dataset failed for good within a day: what comes round by itself leaves it
    to people for so long, who are told."""
    lately = Job.ended_at > clock.now() - clock.DAY
    query = select(Job.id).where(Job.key == f"{kind}:d{dataset_id}", is_dead(), lately)
    return db.session.scalar(query.limit(1)) is not None


def _is_claimable(now: int) -> ColumnElement[bool]:
    """Condition: a job is due, or the lease of its worker ran out."""
    return or_(
        and_(Job.state == states.QUEUED, Job.not_before <= now),
        and_(Job.state == states.RUNNING, Job.lease_until < now),
    )


def check_lease(lease: Lease) -> Job:
    """The job's row if this worker still holds it; Fenced when it lost its lease to another."""
    job = db.session.get(Job, lease.id, populate_existing=True)
    if job is None or job.fence != lease.fence or job.state != states.RUNNING:
        raise errors.Fenced(say("job_taken_over", "This job was taken over by another worker."))
    return job


def finish(lease: Lease) -> None:
    """Close a job in the transaction of its result; go again when that was asked meanwhile."""
    job = check_lease(lease)
    if job.again:
        transition(job, "repeat", again=False, attempt=0, lease_until=None, not_before=clock.now())
        db.on_commit(lambda: queue.wake(lease.id))
        return
    transition(job, "finish", ended_at=clock.now(), lease_until=None)


def put_off(lease: Lease, error: str, *, delay: int | None = None, free: bool = False) -> bool:
    """Hand a job back for a later attempt; failed for good after its last. `free` attempts are not counted
    (waiting for space). Returns whether another attempt follows."""
    job = check_lease(lease)
    values = {"error": error[:2000], "owner": None, "lease_until": None, "attempt": job.attempt - free}
    if job.attempt - free >= job.max_attempts:
        transition(job, "fail", ended_at=clock.now(), **values)
        return False
    wait = BACKOFF_MS[min(lease.attempt, len(BACKOFF_MS)) - 1] if delay is None else delay
    transition(job, "put_off", not_before=clock.now() + wait, **values)
    return True


def retry(job: Job, *, actor: Account | None = None) -> None:
    """Owe a failed job once more, on an operator's word, with as many attempts as before."""
    if job.state not in (states.FAILED, states.CANCELLED):
        text = "This job is {state}; only a failed or cancelled one is run again."
        raise errors.Conflict(say("job_not_retryable", text, state=job.state))
    twin = select(Job.id).where(Job.key == job.key, Job.state.in_((states.QUEUED, states.RUNNING)))
    if db.session.scalar(twin.limit(1)) is not None:
        raise errors.Conflict(say("job_has_twin", "The same work is owed by a newer job already."))
    transition(job, "retry", attempt=0, ended_at=None, not_before=clock.now())
    _tell("job.retry", job, actor)
    job_id = job.id
    db.on_commit(lambda: queue.wake(job_id))


def retry_all(*, actor: Account | None, limit: int = 500) -> int:
    """Every failed job that no newer one has taken over, after a fault that met many."""
    failed = select(Job).where(Job.state == states.FAILED).order_by(Job.id).limit(limit)
    count = 0
    for job in db.session.scalars(failed).all():
        with suppress(errors.Conflict):
            retry(job, actor=actor)
            count += 1
    return count


def note_failure(job: Job) -> None:
    """Record that a job failed for good, so that pages which look at its subject ask again."""
    _tell("job.fail", job, None)


def cancel(job: Job, *, actor: Account | None) -> None:
    """Work that waits and comes round again by itself, or that nobody misses. What datasets wait for stays owed."""
    if job.kind not in CANCELLABLE:
        text = "A dataset or file waits for this work; it is not cancelled."
        raise errors.Conflict(say("job_kind_not_cancellable", text))
    if job.state != states.QUEUED:
        text = "This job is {state}; only one that waits is cancelled."
        raise errors.Conflict(say("job_not_waiting", text, state=job.state))
    transition(job, "cancel", ended_at=clock.now())
    _tell("job.cancel", job, actor)


def _tell(action: str, job: Job, actor: Account | None) -> None:
    event = {"actor_id": actor.id if actor else None, "dataset_id": job.dataset_id, "upload_id": job.upload_id}
    history.append(action, **event, after={"job": job.id, "kind": job.kind})


def renew_leases(leases: dict[int, tuple[int, int, int, int | None]]) -> None:
    """Renew leases and write progress: job id -> (fence, done, total, rate in bytes/s). Called by the heartbeat
    of the process."""
    until = clock.now() + LEASE_MS
    for job_id, (fence, done, total, rate) in leases.items():
        held = update(Job).where(Job.id == job_id, Job.fence == fence, Job.state == states.RUNNING)
        db.change(held.values(lease_until=until, done=done, total=total, rate=rate))


def due(limit: int = 200, *, without: frozenset[str] = frozenset()) -> list[int]:
    """Ids of jobs to wake a worker for, best first: queued and due, or held by a worker whose lease ran out."""
    query = (
        select(Job.id)
        .where(_is_claimable(clock.now()), Job.kind.not_in(without))
        .order_by(Job.priority, Job.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def silence() -> int | None:
    """How long the worker has been silent (ms); None: it never ran."""
    coming = db.session.scalar(select(Counter.next).where(Counter.name == ROUND))
    return None if coming is None else max(0, clock.now() - (coming - PERIOD))


def is_worker_down() -> bool:
    """Whether no worker runs: what is owed waits until one is started."""
    silent = silence()
    return silent is None or silent > MOST_SILENT


def is_held(dataset_id: int, kinds: frozenset[str]) -> bool:
    """Whether a worker holds a job of one of these kinds on a dataset now."""
    query = select(Job.id).where(
        Job.dataset_id == dataset_id, Job.state == states.RUNNING, Job.kind.in_(kinds), Job.lease_until >= clock.now()
    )
    return db.session.scalar(query.limit(1)) is not None
