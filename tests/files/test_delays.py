"""What is checked for longer than it should is said to be delayed wherever it is shown, and the operator is told."""

import pytest

from portal import clock, db, ingest
from portal.domain.accounts import tokens
from portal.domain.datasets import datasets
from portal.domain.files import files
from portal.domain.shared import job_queue
from portal.maintenance import self_check
from portal.maintenance.self_check import background_jobs
from portal.models import Counter, Job, Upload
from tests import depositing
from tests.conftest import INES, RUTH


@pytest.fixture
def running(database):
    ingest.start("test")
    yield
    ingest.stop()


def states_shown(sign_in, accession: str) -> dict[str, str]:
    """What each place says of the file."""
    ines, ruth = sign_in(INES), sign_in(RUTH)
    with db.transaction():
        token = tokens.issue(INES.account, "api")
    answer = ines.get(f"/api/v1/datasets/{accession}", headers={"Authorization": f"Bearer {token}"})
    return {
        "deposit": ines.get(f"/deposit/{accession}").text,
        "tracking": ines.get("/tracking?state=all&from=2000-01-01").text,
        "area": ines.get("/area").text,
        "review": ruth.get(f"/review/{accession}").text,
        "api": answer.json["files"][0]["comment"],
    }


def test_file_checked_for_a_day_is_delayed_everywhere_and_the_operator_is_told(running, sign_in, settings):
    made = depositing.submit({"a.txt": b"a"})
    accession = depositing.get(made).accession
    with db.transaction():
        db.session.query(Job).filter_by(kind="archive").one().error = "The archive has no room for this now."
    clock.shift(clock.DAY - clock.MINUTE)
    assert [place for place, text in states_shown(sign_in, accession).items() if "elayed" in text] == []
    assert [one.level for one in background_jobs.checks()] == [self_check.OK]

    clock.shift(2 * clock.MINUTE)

    told = "Delayed: it has been checked for more than a day. The archive has no room for this now."
    found = states_shown(sign_in, accession)
    assert [place for place, text in found.items() if told not in text or settings.contact not in text] == []
    assert [place for place, text in found.items() if place != "api" and "Checking, delayed" not in text] == []
    (finding,) = background_jobs.checks()
    assert finding.level == self_check.BAD and f"{accession}-01" in finding.says


def test_third_lease_in_vain_is_a_delay_at_once(running, sign_in):
    made = depositing.submit({"a.txt": b"a"})
    accession = depositing.get(made).accession
    for attempt in range(3):
        with db.transaction():
            job = db.session.query(Job).filter_by(kind="archive").one()
            lease = job_queue.claim(job.id, owner="test")
            job_queue.put_off(lease, "The disk is read-only.", delay=0)
        shown = states_shown(sign_in, accession)["deposit"]
        assert ("Checking, delayed" in shown) == (attempt == 2)
    assert "Delayed: it has been checked and 3 attempts came to nothing. The disk is read-only." in shown


def test_digest_that_is_never_read_is_a_delay(running, sign_in):
    depositing.send("b.txt", b"b")
    with db.transaction():
        upload = db.session.query(Upload).one()
        upload.md5 = upload.sha256 = None
        job_queue.enqueue("digest", upload_id=upload.id)
    clock.shift(clock.DAY + clock.MINUTE)
    ines = sign_in(INES)
    for page in ("/area", "/tracking?state=all&from=2000-01-01"):
        assert "Delayed: it has been checked for more than a day." in ines.get(page).text
    assert [one.level for one in background_jobs.checks()] == [self_check.BAD]


def test_checked_file_says_its_place_in_the_queue_and_a_worker_that_is_down(running, sign_in, run_jobs):
    with db.transaction():
        db.session.add(Counter(name="round:release", next=clock.now() + clock.MINUTE))
    first, second = (depositing.submit({f"{n}.txt": b"a"}) for n in range(2))
    with db.transaction():
        for job in db.session.query(Job).filter(Job.kind != "archive"):
            job.not_before = clock.now() + clock.DAY
    for n, made in enumerate((first, second), start=1):
        shown = states_shown(sign_in, depositing.get(made).accession)
        sentence = f"Number {n} in the queue of background jobs."
        assert [place for place, text in shown.items() if sentence not in text] == []

    clock.shift(7 * clock.MINUTE)
    shown = states_shown(sign_in, depositing.get(first).accession)
    down = "The worker is down; checking goes on when it runs again."
    assert [place for place, text in shown.items() if down not in text] == []
    run_jobs()
    shown = states_shown(sign_in, depositing.get(first).accession)
    assert [place for place, text in shown.items() if down in text] == []


def test_job_that_is_tried_again_says_why(running, sign_in):
    made = depositing.submit({"a.txt": b"a"})
    with db.transaction():
        db.session.add(Counter(name="round:release", next=clock.now() + clock.MINUTE))
        job = db.session.query(Job).filter_by(kind="archive").one()
        job_queue.put_off(job_queue.claim(job.id, owner="test"), "waiting for space", delay=60_000)
    shown = states_shown(sign_in, depositing.get(made).accession)
    assert [place for place, text in shown.items() if "Tried again soon: waiting for space." not in text] == []


def test_waiting_file_says_for_what(running, sign_in):
    accession = depositing.get(depositing.submit({"a.txt": b"a"})).accession
    for name in ("b.txt", "c.txt"):
        depositing.send(f"one/{name}", b"1")
    depositing.send("two/c.txt", b"2")
    with db.transaction():
        rows = [{"name": f"x/{name}"} for name in ("a.txt", "b.txt", "c.txt", "d.txt")]
        waiting = datasets.create(actor=INES.account, title="T")
        files.declare(waiting, [files.check(row)[0] for row in rows])
        dataset_id = waiting.id
    sentences = [
        f"The upload of this name went to {accession}. Send it again, or choose another",
        "An upload of this name is in no dataset: choose one",
        "2 uploads of this name are in no dataset: choose one",
        "No upload of this name",
    ]
    with db.transaction():
        token = tokens.issue(INES.account, "api")
    ines = sign_in(INES)
    answer = ines.get(f"/api/v1/datasets/{dataset_id}", headers={"Authorization": f"Bearer {token}"})
    assert [file["comment"].rstrip(".") for file in answer.json["files"]] == sentences
    page = ines.get(f"/deposit/{dataset_id}").text
    assert [sentence for sentence in sentences if sentence not in page] == []
