"""A fortnight of batch reports with a moved clock, read back by a parser of its own."""

import io
import tarfile
from datetime import datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from portal import cli, clock, db
from portal.domain.components import submissions
from portal.domain.components.submission_batch import Document
from portal.domain.datasets import actions
from portal.domain.reports import current, schedule
from portal.models import Center, Dataset, Job, Report
from tests import depositing
from tests.conftest import INES, RUTH
from tests.reports import metadata as xml
from tests.reports.reading import ACCESSIONS, FILES, Lims, dump, files, table
from tests.web.test_access_matrix import bearer

pytestmark = pytest.mark.usefixtures("receiving")
FOLDER = "outgoing/1/Files"


@pytest.fixture
def night(settings, run_jobs):
    """Let it be ten past three of a day, and the worker's clock go round."""

    def go(day: str, at: str = "03:10:00") -> list[str]:
        moment = int(datetime.fromisoformat(f"{day}T{at}+00:00").timestamp() * 1000)
        before = set(names(settings))
        clock.shift(moment - clock.now())
        with db.transaction():
            schedule.plan()
        run_jobs()
        assert not db.session.scalars(select(Job.id).where(Job.kind == "report", Job.state != "done")).all()
        return sorted(set(names(settings)) - before)

    clock.shift(int(datetime.fromisoformat("2031-03-20T12:00:00+00:00").timestamp() * 1000) - clock.now())
    leave_out_the_others()
    return go


def leave_out_the_others() -> None:
    """The centers that nothing is asked of here have their reports, and so has the mirror."""
    with db.transaction():
        others = db.session.scalars(select(Center.id).where(Center.id != INES.account.center_id)).all()
        for center_id in (*others, None):
            kind = "accessions" if center_id is None else "usage"
            db.session.add(
                Report(center_id=center_id, kind=kind, day="9999-12-31", path="none", size=0, upto_event=0, made_at=0)
            )


def names(settings) -> list[str]:
    folder = settings.instance / FOLDER
    return sorted(path.name for path in folder.iterdir() if path.name[0] != ".") if folder.exists() else []


def take(parts: dict[str, bytes] | None = None):
    documents = [Document(f"{name.lower()}.xml", data) for name, data in (parts or xml.parts()).items()]
    outcome = submissions.take(documents, actor=INES.account, via="api")
    assert outcome.success, outcome.receipt
    return outcome.batch.dataset.id


def act(dataset_id: int, action: str, note: str = "") -> None:
    with db.transaction():
        actions.act(db.session.get_one(Dataset, dataset_id), action, actor=RUTH.account, note=note)


def release(dataset_id: int, run_jobs) -> None:
    """Its day is long past: it opens once it is approved."""
    run_jobs()
    depositing.approve(dataset_id)
    for _ in range(4):
        run_jobs()
        clock.shift(60_000)
    assert depositing.get(dataset_id).state == "released"


def path(settings, name: str) -> Path:
    return settings.instance / FOLDER / name


def test_fortnight(settings, night, run_jobs):
    """First dump both, increments, quiet days, the 1st, a night off, a suppressed and a withdrawn dataset."""
    lims = Lims()

    def pick_up(made: list[str]) -> list[str]:
        for name in sorted(made, key=lambda one: "_Full_" in one):
            if name != "usage_report.txt":
                lims.take(path(settings, name))
        return [name for name in made if "Metadata" in name]

    assert night("2031-03-20") == ["usage_report.txt"]
    depositing.send("r1.fastq.gz", b"r1")
    first = take()
    assert pick_up(night("2031-03-21")) == [
        "OMIX_Metadata_Full_Northmere-Institute_20310321.tar.gz",
        "OMIX_Metadata_Northmere-Institute_20310321.tar.gz",
    ]
    assert lims.knows_all_xml() and len(lims.digests) == 5
    assert {row["status"] for row in lims.accessions.values()} == {"unpublished"}
    assert lims.uploads["1"][0]["file_status"] in ("Received", "Loaded")

    run_jobs()
    assert pick_up(night("2031-03-22")) == []  # nothing differs but the file, which was archived
    assert lims.uploads["1"][0]["file_status"] == "Loaded"
    assert night("2031-03-23") == ["OMIX_Files_Northmere-Institute_20310323.gz"]
    assert files(path(settings, "OMIX_Files_Northmere-Institute_20310323.gz")) == []

    take({"SAMPLE": xml.samples(xml.sample(title="Organoid one"))})
    made = pick_up(night("2031-03-24"))
    assert made == ["OMIX_Metadata_Northmere-Institute_20310324.tar.gz"]
    assert list(dump(path(settings, made[0])).digests) == ["OMIXS000001"]
    assert lims.knows_all_xml()

    release(first, run_jobs)
    assert pick_up(night("2031-03-25")) == ["OMIX_Metadata_Northmere-Institute_20310325.tar.gz"]
    assert {row["status"] for row in lims.accessions.values()} == {"live"}
    assert {row["published"] for row in lims.accessions.values()} == {"2031-03-24"}

    second = take(
        xml.parts(
            SUBMISSION=xml.submission("batch-2"),
            STUDY=xml.study("other"),
            SAMPLE=xml.samples(xml.sample("s2")),
            EXPERIMENT=xml.experiments(xml.experiment("x2", study="other", sample="s2")),
            RUN=xml.runs(xml.run("r2", experiment="x2")),
        )
    )
    depositing.send("r2.fastq.gz", b"r2")
    release(second, run_jobs)
    act(first, "suppress")
    # The night of the 26th the box is off.
    assert pick_up(night("2031-03-27")) == ["OMIX_Metadata_Northmere-Institute_20310327.tar.gz"]
    assert lims.accessions["OMIXR000001"]["status"] == "suppressed" and lims.knows_all_xml()
    assert lims.uploads["1"][0]["suppressed_runs"] == "OMIXR000001"
    assert lims.uploads["2"][0]["loaded_runs"] == "OMIXR000002"

    for day in ("28", "31"):
        assert pick_up(night(f"2031-03-{day}")) == []
    made = night("2031-04-01")
    assert pick_up(made) == ["OMIX_Metadata_Full_Northmere-Institute_20310401.tar.gz"]
    assert "OMIX_Files_Full_Northmere-Institute_20310401.gz" in made and lims.knows_all_xml()

    act(second, "withdraw", "Consent was withdrawn.")
    made = pick_up(night("2031-04-01"))  # at once, not only the next night
    assert made == ["OMIX_Metadata_Northmere-Institute_20310401.tar.gz"]
    assert lims.accessions["OMIXR000002"]["status"] == "withdrawn"
    kept = [name for name in names(settings) if "Metadata" in name]
    assert kept == ["OMIX_Metadata_Full_Northmere-Institute_20310401.tar.gz", *made]
    assert "OMIXR000002" not in dump(path(settings, kept[0])).digests
    assert pick_up(night("2031-04-02")) == []
    assert lims.uploads["2"][0]["file_status"] == "Obsolete"
    # Increments laid over each other are what stands in the archive.
    now = {kind: b"".join(current.text(kind, INES.account.center)).decode() for kind in ("files", "accessions")}
    assert [row for rows in lims.uploads.values() for row in rows] == table(now["files"], FILES)
    assert list(lims.accessions.values()) == table(now["accessions"], ACCESSIONS)


def test_one_changed_sample_is_the_one_difference(app, night):
    """The round trip of a LIMS: what it read back yesterday against today, by call."""
    first = take()
    night("2031-03-21")
    headers, address = bearer("ines"), "/api/v1/reports/changed?since=2031-03-21"
    assert app.test_client().get(address, headers=headers, buffered=True).json == {"items": [], "next": None}
    take({"SAMPLE": xml.samples(xml.sample(title="Organoid one"))})
    (found,) = app.test_client().get(address, headers=headers, buffered=True).json["items"]
    text = app.test_client().get("/api/v1/components/OMIXS000001.xml", headers=headers, buffered=True).data
    assert (found["accession"], found["change"], found["md5_now"]) == ("OMIXS000001", "changed", depositing.md5(text))
    (name,) = [name for name in night("2031-03-22") if "Metadata" in name]
    packed = app.test_client().get(f"/api/v1/reports/metadata/{name}", headers=headers, buffered=True).data
    with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
        assert text in tar.extractfile(f"{depositing.get(first).accession}/OMIX000001.sample.xml").read()


def test_reports_of_a_day_are_the_same_again(settings, night):
    depositing.send("r1.fastq.gz", b"r1")
    take()
    night("2031-03-21")
    take({"SAMPLE": xml.samples(xml.sample(title="Organoid one"))})
    night("2031-03-22")
    whole = {name: path(settings, name).read_bytes() for name in names(settings) if "0322" in name}
    with db.transaction():
        db.session.query(Report).filter(Report.day == "2031-03-22").delete()
    night("2031-03-22", "05:20:17")
    assert {name: path(settings, name).read_bytes() for name in whole} == whole


def test_full_of_a_missed_first_is_made_up(settings, night):
    take()
    night("2031-03-30")
    assert "OMIX_Metadata_Full_Northmere-Institute_20310403.tar.gz" in night("2031-04-03")
    assert night("2031-04-04") == []  # a full report of a quiet day is no increment


def test_last_increment_is_kept_for_the_next(settings, night):
    settings.report_days = 2
    take()
    night("2031-03-21")
    night("2031-03-31")
    assert night("2031-04-01") == ["OMIX_Metadata_Full_Northmere-Institute_20310401.tar.gz"]
    take({"SAMPLE": xml.samples(xml.sample(title="Organoid one"))})
    (name,) = night("2031-04-02")
    assert list(dump(path(settings, name)).digests) == ["OMIXS000001"]


def test_accessions_of_a_day_stand_in_the_dump_of_it_or_before(settings, night, capfd):
    take()
    night("2031-03-21")
    night("2031-03-22")
    words = ["report", "accessions", "--center", "Northmere Institute", "--date"]
    assert cli.main([*words, "2031-03-22"]) == 0
    assert capfd.readouterr().out.count("OMIX") == 10
    assert cli.main([*words, "2031-03-20"]) == 1


def test_old_reports_are_pruned_and_the_newest_full_one_stays(settings, night):
    settings.report_days = 2
    depositing.send("r1.fastq.gz", b"r1")
    take()
    for day in (21, 23, 24, 25, 26):
        night(f"2031-03-{day}")
    kept = names(settings)
    assert "OMIX_Metadata_Full_Northmere-Institute_20310321.tar.gz" in kept
    assert "OMIX_Files_Northmere-Institute_20310323.gz" not in kept
    assert "OMIX_Files_Northmere-Institute_20310324.gz" in kept
    notes = [one.name for one in (settings.instance / FOLDER).iterdir() if one.name.endswith(".seen")]
    assert len([name for name in notes if "files" in name]) == 2


def test_only_centers_without_their_report_are_due(night):
    """The mirror's report, which has no center, does not stand for one."""
    with db.transaction():
        schedule.plan()
        keys = list(db.session.scalars(select(Job.key).where(Job.kind == "report")))

    assert keys == [f"report:{INES.account.center_id}"]
