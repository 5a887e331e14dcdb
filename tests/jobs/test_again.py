"""A job that an operator runs again after it gave up does the work, and what had failed with it stands again."""

import pytest
from sqlalchemy import select

from portal import clock, db, states
from portal.domain.shared import job_queue
from portal.models import Job
from tests import depositing as deposit
from tests.conftest import INES, RUTH
from tests.jobs.test_kinds import resume

pytestmark = pytest.mark.usefixtures("receiving")


def exhaust(run_jobs) -> Job:
    """Until the job has failed for good."""
    for _ in range(6):
        run_jobs()
        clock.shift(clock.HOUR)
    db.end()
    return db.session.scalars(select(Job).where(Job.state == states.FAILED)).one()


def test_digest_that_gave_up_is_read_when_its_job_runs_again(run_jobs):
    resume("a.bin", b"x" * 1000, b"y" * 1000)
    path = deposit.area_path("a.bin")
    aside = path.with_name("aside")
    path.rename(aside)
    path.mkdir()  # a disk that does not give the bytes
    job = exhaust(run_jobs)
    assert (job.kind, deposit.upload_of("a.bin").state) == ("digest", states.FAILED)
    path.rmdir()
    aside.rename(path)
    with db.transaction():
        job_queue.retry(db.session.get_one(Job, job.id), actor=RUTH.account)
    run_jobs()
    upload = deposit.upload_of("a.bin")
    assert (upload.state, upload.error) == (states.RECEIVED, None)
    assert upload.md5 == deposit.md5(b"x" * 1000 + b"y" * 1000)
    assert upload.account_id == INES.id
