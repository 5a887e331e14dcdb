"""What was found in an upload, on its pages and by API."""

import gzip

import pytest

from portal import clock, db
from portal.inspection import ERRORS
from portal.models import Job, Member
from portal.queries.tracking import upload_filter
from tests import depositing as deposit
from tests.conftest import RUTH
from tests.inspection import files
from tests.state_guard import states_unguarded
from tests.web.api.test_api import Program

pytestmark = pytest.mark.usefixtures("app", "receiving")
CUT = gzip.compress(files.READS)[:-30]


@pytest.fixture
def found(run_jobs):
    """A package with a faulty member, and a file with the bytes of an earlier one."""
    deposit.send("reads.tar", files.tar({"run/a.fastq": files.READS, "run/b.fastq.gz": CUT, "c.txt": b""}))
    deposit.send("counts.tsv", b"gene\t1\n")
    deposit.send("again.tsv", b"gene\t1\n")
    run_jobs()
    return deposit.upload_of("reads.tar").id


def test_uploads_show_type_members_and_faults(sign_in, ines, found):
    page = sign_in(ines).get("/area").text

    assert "3 members" in page
    assert "gunzip_error" in page
    assert "run/b.fastq.gz is faulty" in page
    assert f"duplicate_to_upload_{deposit.upload_of('counts.tsv').id}" in page


def test_members_are_listed_with_what_is_told_of_them(sign_in, ines, found):
    browser = sign_in(ines)
    page = browser.get(f"/area/{found}/members").text
    told = browser.get(f"/area/{found}/members?view=faults").text

    assert [name in page for name in ("a.<wbr>fastq", "b.<wbr>fastq.<wbr>gz", "c.<wbr>txt")] == [True] * 3
    assert deposit.md5(CUT)[:16] in page
    assert [name in told for name in ("a.<wbr>fastq", "b.<wbr>fastq.<wbr>gz", "c.<wbr>txt")] == [False, True, True]


def test_members_come_a_hundred_at_a_time(sign_in, ines, found):
    with db.transaction() as session:
        session.add_all(Member(upload_id=found, n=n, name=f"more{n}", size=1, file_type="TEXT") for n in range(4, 251))
    browser = sign_in(ines)

    first = browser.get(f"/area/{found}/members").text
    second = browser.get(f"/area/{found}/members?after=100").text

    assert ("more100" in first, "more101" in first) == (True, False)
    assert ("more101" in second, "more200" in second, "more201" in second) == (True, True, False)
    assert "before=101" in second


def test_curator_reads_it_once_the_dataset_is_handed_in(sign_in, ruth, found):
    browser = sign_in(RUTH)
    assert browser.get(f"/area/{found}/members").status_code == 404

    with db.transaction():
        dataset = deposit.datasets.create(
            actor=deposit.INES.account, title="T", description="D", species="S", files=[{"name": "reads.tar"}]
        )
        deposit.datasets.submit(dataset, actor=deposit.INES.account)

    assert browser.get(f"/area/{found}/members").status_code == 200


def test_fault_stands_with_the_file_and_does_not_hold_it_up(app, sign_in, ines, run_jobs):
    dataset_id = deposit.submit({"a.gz": CUT})
    call = Program(app, ines)
    run_jobs()

    (file,) = call("GET", f"/datasets/{dataset_id}").json["files"]
    assert (file["state"], file["error"], file["file_type"], file["file_error"]) == (
        "archived",
        None,
        "GZ",
        "gunzip_error",
    )
    assert "ends in the middle" in file["comment"]
    assert "gunzip_error" in sign_in(ines).get(f"/deposit/{dataset_id}").text


def test_draft_shows_the_fault_with_its_remedy(sign_in, ines, run_jobs):
    deposit.send("a.gz", CUT)
    with db.transaction():
        dataset_id = deposit.datasets.create(actor=ines.account, title="T", files=[{"name": "a.gz"}]).id
    run_jobs()

    page = sign_in(ines).get(f"/deposit/{dataset_id}").text
    assert "gzip -t" in page
    assert "1 of 1 file in which a fault was found" in sign_in(ines).get(f"/deposit/{dataset_id}/actions/submit").text


def test_api_tells_upload_and_members(app, ines, found):
    call = Program(app, ines)
    upload = call("GET", f"/uploads/{found}").json
    assert (upload["file_type"], upload["error"], upload["inspection"], upload["members"]) == (
        "TAR",
        "gunzip_error",
        "inspected",
        3,
    )
    assert upload["inspected"]

    first = call("GET", f"/uploads/{found}/members?limit=2").json
    rest = call("GET", first["next"].partition("/api/v1")[2]).json
    told = call("GET", f"/uploads/{found}/members?faults=1").json

    assert first["items"][0] == {
        "number": 1,
        "name": "run/a.fastq",
        "size": len(files.READS),
        "file_type": "FASTQ",
        "md5": deposit.md5(files.READS),
        "error": None,
    }
    assert ([row["number"] for row in rest["items"]], rest["next"]) == ([3], None)
    assert [row["error"] for row in told["items"]] == ["gunzip_error", "empty_file"]


def test_help_explains_every_word(client):
    page = client.get("/help/inspection").text

    assert [word for word in ERRORS if word.replace("<", "&lt;").replace(">", "&gt;") not in page] == []


def test_running_inspection_shows_how_far_it_is(sign_in, ines):
    deposit.send("a.gz", CUT)
    upload = deposit.upload_of("a.gz").id
    with states_unguarded() as session:
        dataset_id = deposit.datasets.create(actor=ines.account, title="T", files=[{"name": "a.gz"}]).id
        session.add(
            Job(
                kind="inspect",
                key="inspect:u",
                upload_id=upload,
                state="running",
                done=30,
                total=100,
                not_before=1,
                created_at=1,
                lease_until=clock.now() + 60_000,
            )
        )
    browser = sign_in(ines)

    assert "Inspecting 30 %" in browser.get(f"/deposit/{dataset_id}").text
    assert "Inspecting 30 %" in browser.get("/area").text


def test_tracking_counts_a_fault_in_the_bytes_among_the_problems(sign_in, ines, found):
    browser = sign_in(ines)
    ways = ("problems=1", "problems=1&text=tar", "problems=1&sort=name", "problems=1&type=TAR")

    pages = [browser.get(f"/tracking?{way}").text for way in ways]
    told = browser.get("/tracking/files.tsv?state=all").text.splitlines()

    assert [("reads.<wbr>tar" in page, "again.<wbr>tsv" in page) for page in pages] == [(True, False)] * 4
    status = {line.split("\t")[3]: line.split("\t")[6] for line in told[1:]}
    assert status == {"reads.tar": "Error", "counts.tsv": "Received", "again.tsv": "Received"}


def test_faults_in_the_bytes_are_found_by_their_index(ines, database):
    query = str(
        upload_filter.whole_but_faulty(ines.account, 10).compile(db.engine(), compile_kwargs={"literal_binds": True})
    )
    with db.engine().connect() as connection:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query}")]

    assert any("ix_upload_faulty" in step for step in plan)
