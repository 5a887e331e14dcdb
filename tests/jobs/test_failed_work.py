"""A job that failed for good while something waits for it is told in every place, with its cause; run again, it is told
nowhere any more and what waited goes on."""

import pytest
from sqlalchemy import select

from portal import cli, clock, db, states
from portal.domain.accounts import tokens
from portal.domain.datasets import datasets, failed_work, releases, remarks
from portal.domain.shared import job_queue
from portal.jobs import periodic_tasks
from portal.jobs.handlers.handler import Handler
from portal.jobs.registry import HANDLERS
from portal.maintenance import fsck
from portal.maintenance.self_check import BAD, background_jobs
from portal.models import Dataset, Job, Mail
from tests import depositing as deposit
from tests.conftest import INES, RUTH
from tests.jobs.test_kinds import resume

pytestmark = pytest.mark.usefixtures("receiving")
CAUSE = "The disk of rack 7 is ill"
PROJECT = b'<PROJECT alias="p1"><TITLE>Serum</TITLE><DESCRIPTION>Lipids</DESCRIPTION></PROJECT>'


@pytest.fixture
def ill(monkeypatch):
    """Let every attempt of a kind fail; called again without one, all are well."""
    real = dict(HANDLERS)

    def fail(kind: str = "") -> None:
        def run(_lease, _progress):
            raise OSError(5, CAUSE)

        for name, handler in real.items():
            work = Handler(run, handler.give_up, handler.bulk, handler.alone, handler.outside)
            monkeypatch.setitem(HANDLERS, name, work if name == kind else handler)

    return fail


def change(dataset_id: int, verb, **values) -> None:
    with db.transaction():
        verb(db.session.get_one(Dataset, dataset_id), **values)


def pass_time(run_jobs, tens: int = 8) -> None:
    """Ten minutes go by so many times: by eight of them a job that fails has used up its attempts."""
    for _ in range(tens):
        with db.transaction():
            periodic_tasks.enqueue_releases()
        run_jobs()
        clock.shift(10 * clock.MINUTE)
    db.end()


def submitted(_run_jobs) -> int:
    return deposit.submit({"a.bin": b"one"})


def approved(run_jobs) -> int:
    dataset_id = submitted(run_jobs)
    deposit.run_until_idle(run_jobs, clock)
    deposit.approve(dataset_id)
    return dataset_id


def digest(run_jobs) -> int:
    dataset_id = deposit.submit({"a.bin": b"one"})
    deposit.run_until_idle(run_jobs, clock)
    change(dataset_id, deposit.files.add, rows=[{"name": "r.bin"}], actor=INES.account)
    resume("r.bin", b"x" * 1000, b"y" * 1000)
    return dataset_id


def fixity(run_jobs) -> int:
    dataset_id = approved(run_jobs)
    deposit.ask_release(dataset_id)
    return dataset_id


def move(run_jobs) -> int:
    dataset_id = approved(run_jobs)
    change(dataset_id, datasets.edit, changes={"access": "controlled"}, actor=INES.account)
    return dataset_id


def two_remarks(run_jobs) -> int:
    dataset_id = submitted(run_jobs)
    for text in ("Which bank?", "Which mice?"):
        change(dataset_id, remarks.add, text=text, actor=RUTH.account)
    return dataset_id


def mismatched(_run_jobs) -> int:
    return deposit.submit({"a.bin": b"one", "b.bin": b"two"}, declared={"a.bin": "0" * 32})


def withdrawn(run_jobs) -> int:
    dataset_id = approved(run_jobs)
    deposit.run_until_idle(run_jobs, clock)
    change(dataset_id, releases.withdraw, actor=INES.account, note="Wrong mice.")
    return dataset_id


# Each kind that something waits for: how one comes to be owed, once it fails.
STAGES = {
    "archive": submitted,
    "bag": approved,
    "components": submitted,
    "digest": digest,
    "fixity": fixity,
    "mismatches": mismatched,
    "move": move,
    "release": fixity,
    "remarks": two_remarks,
    "withdraw": withdrawn,
}


def told(dataset_id: int, ines, ruth) -> dict[str, str]:
    """What each place says to its submitter and to a curator."""
    dataset = deposit.get(dataset_id)
    with db.transaction():
        program = {"Authorization": f"Bearer {tokens.issue(INES.account, 'api')}"}
    said = ines.get(f"/api/v1/datasets/{dataset.accession}", headers=program).json
    return {
        "page": ines.get(f"/datasets/{dataset.accession}").text,
        "form": ines.get(f"/deposit/{dataset.accession}", follow_redirects=True).text,
        "review": ruth.get(f"/review/{dataset.accession}").text,
        "queue": ruth.get("/review").text,
        "api": " ".join(work["says"] for work in said["failed_work"]),
        "check": " ".join(one.says for one in background_jobs.jobs() if one.level == BAD),
        "fsck": "\n".join(fsck.check()),
    }


def mails() -> list[Mail]:
    with db.transaction():
        failed_work.mail()
    db.end()
    return list(db.session.scalars(select(Mail).where(Mail.key.like("failed_work:%"))))


def test_every_kind_that_something_waits_for_is_tried():
    """`drop` has no dataset yet and is tried by itself."""
    assert set(failed_work.KINDS) == {*STAGES, "drop"}
    assert set(failed_work.KINDS) <= set(HANDLERS)


@pytest.mark.parametrize(
    "kind", [kind if kind in ("bag", "archive") else pytest.param(kind, marks=pytest.mark.full) for kind in STAGES]
)
def test_dead_job_is_told_everywhere_and_no_more_once_it_runs_again(kind, ill, run_jobs, sign_in):
    if kind not in ("archive", "remarks"):
        ill(kind)
    dataset_id = STAGES[kind](run_jobs)
    ill(kind)
    pass_time(run_jobs)
    dead = db.session.scalars(select(Job).where(Job.state == states.FAILED)).one()
    assert (dead.kind, dead.error) == (kind, CAUSE)

    sentence = str(failed_work.of(deposit.get(dataset_id))[0].message)
    assert f"{CAUSE}." in sentence
    people = sign_in(INES), sign_in(RUTH)
    places = told(dataset_id, *people)
    if deposit.get(dataset_id).state == states.WITHDRAWN:
        del places["form"], places["review"]  # it has none any more
    assert [place for place, text in places.items() if sentence not in text.replace("&#39;", "'")] == []
    (mail,) = mails()
    assert mail.to == RUTH.email
    assert sentence in mail.body
    assert deposit.get(dataset_id).accession in mail.body

    ill()
    with db.transaction():
        job_queue.retry(db.session.get_one(Job, dead.id), actor=RUTH.account)
    assert failed_work.everywhere() == []
    pass_time(run_jobs)
    assert [place for place, text in told(dataset_id, *people).items() if CAUSE in text] == []
    assert len(mails()) == 1


def test_release_goes_on_by_itself_when_its_bag_is_written_again(ill, run_jobs):
    dataset_id = approved(run_jobs)
    ill("bag")
    deposit.ask_release(dataset_id)
    pass_time(run_jobs)
    dead = db.session.scalars(select(Job).where(Job.state == states.FAILED)).one()
    assert dead.kind == "bag"
    waiting = [str(message) for message in releases.obstacles(deposit.get(dataset_id))]
    assert waiting == [str(failed_work.of(deposit.get(dataset_id))[0].message)]
    assert "Its release waits for this." in waiting[0]

    ill()
    with db.transaction():
        job_queue.retry(db.session.get_one(Job, dead.id))
    run_jobs()
    assert deposit.get(dataset_id).state == states.RELEASED


def test_text_that_kills_its_bag_is_mended_by_an_edit(run_jobs):
    """A title of before the rule: the cause names it, and the bag is written again as soon as the title changes."""
    dataset_id = deposit.submit({"a.bin": b"one"})
    change(dataset_id, lambda dataset: setattr(dataset, "title", "Serum\uffff lipids"))
    pass_time(run_jobs)
    (work,) = failed_work.of(deposit.get(dataset_id))
    assert work.job.kind == "bag"
    assert "XML" in work.cause
    change(dataset_id, datasets.edit, changes={"title": "Serum lipids"}, actor=INES.account)
    assert failed_work.of(deposit.get(dataset_id)) == []
    pass_time(run_jobs, tens=2)
    assert deposit.is_valid_bag(deposit.bag_of(dataset_id))
    assert list(fsck.check()) == []


def test_work_that_a_newer_job_did_is_told_no_more(ill, run_jobs):
    ill("fixity")
    dataset_id = fixity(run_jobs)
    pass_time(run_jobs)
    assert [work.job.kind for work in failed_work.everywhere()] == ["fixity"]
    ill()
    with db.transaction():
        job_queue.enqueue("fixity", dataset_id=dataset_id)
    assert failed_work.everywhere() == []
    run_jobs()
    assert failed_work.everywhere() == []


def test_what_comes_round_leaves_a_dead_job_to_people_for_a_day(ill, run_jobs):
    ill("release")
    dataset_id = fixity(run_jobs)
    pass_time(run_jobs, tens=20)
    query = select(Job).where(Job.kind == "release")
    assert [job.state for job in db.session.scalars(query)].count(states.FAILED) == 1
    ill()
    clock.shift(clock.DAY)
    pass_time(run_jobs, tens=2)
    assert deposit.get(dataset_id).state == states.RELEASED


def test_many_that_fail_at_once_are_one_mail(ill, run_jobs):
    ill("bag")
    for n in range(5):
        deposit.submit({f"{n}.bin": b"one"})
    pass_time(run_jobs)
    (mail,) = mails()
    assert mail.subject == "5 background jobs failed for good"
    assert mail.body.count(CAUSE) == 5
    deposit.submit({"late.bin": b"one"})
    pass_time(run_jobs)
    assert [one.subject for one in mails()] == [mail.subject, "6 background jobs failed for good"]
    assert len(mails()) == 2


def test_job_is_run_again_by_command(ill, run_jobs, capsys, settings):
    ill("bag")
    deposit.submit({"a.bin": b"one"})
    pass_time(run_jobs)
    (work,) = failed_work.everywhere()
    number = work.job.id
    assert cli.main(["check", "--quiet"]) == 2
    assert cli.main(["fsck"]) == 1
    assert capsys.readouterr().out.count(CAUSE) == 2

    assert cli.main(["job", "again", str(number)]) == 0
    assert cli.main(["job", "again", "999"]) == 1
    assert cli.main(["job", "again"]) == 0
    said = capsys.readouterr()
    assert said.out.splitlines() == ["1 job queued again.", "0 jobs queued again."]
    assert "There is no job 999." in said.err
    assert failed_work.everywhere() == []


def test_metadata_dropped_by_ftp_that_could_not_be_taken_is_told(ill, run_jobs, sign_in):
    ill("drop")
    session = deposit.upload_session.open(INES.id, realm="open", area="incoming", name="x/p.xml", via="ftp")
    session.write(PROJECT)
    session.finish()
    pass_time(run_jobs)
    (work,) = failed_work.everywhere()
    assert "The XML sent by FTP with x/p.xml could not be taken" in str(work.message)
    assert CAUSE in sign_in(RUTH).get("/review").text
    assert CAUSE in mails()[0].body
    assert CAUSE in sign_in(INES).get("/area").text, "its sender, whom no dataset's page would tell"
