"""The reports byte by byte, against golden files, which are changed by hand: others' programs read them."""

import io
import socket
import tarfile
from pathlib import Path

import pytest
from sqlalchemy import select

from portal import clock, db
from portal.domain.reports import accessions, current, files, metadata, tsv, usage
from portal.models import Center, Dataset
from tests.conftest import INES
from tests.reports import staged
from tests.reports.reading import ACCESSIONS, FILES, table

GOLDEN = Path(__file__).parent / "golden"
pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def fixed_moment():
    clock.shift(staged.AT - clock.now())


def center() -> Center:
    db.end()
    return INES.account.center


def text(kind: str, **more) -> str:
    return b"".join(current.text(kind, center(), **more)).decode()


def golden(name: str) -> str:
    return (GOLDEN / name).read_text()


def test_accessions():
    with db.transaction():
        staged.objects()
    assert text("accessions") == golden("accessions.tsv")
    assert len(table(text("accessions"), ACCESSIONS)) == 10


def test_public_accessions_leave_out_what_was_never_open():
    with db.transaction():
        staged.objects()
    found = accessions.head() + "".join(line.text for line in accessions.lines(None))
    assert found == golden("accessions-public.tsv")
    assert [line.accession for line in accessions.lines(None) if line.shows] == ["OMIX000003", "OMIXS000001"]


def test_files():
    with db.transaction():
        staged.uploads()
    assert text("files") == golden("files.tsv")
    assert {row["realm"] for row in table(text("files"), FILES)} == {"Open", "Protected"}


def test_since_leaves_out_what_did_not_change():
    with db.transaction():
        staged.objects()
    assert text("accessions", since=staged.AT) == accessions.head()
    assert len(table(text("accessions", since=staged.AT - 2 * staged.DAY), ACCESSIONS)) == 10
    assert text("files", since=staged.AT) == files.head()


def test_dates_are_those_of_the_site(settings):
    settings.timezone = "Asia/Kolkata"
    with db.transaction():
        staged.upload("late.txt", received_at=staged.moment("2031-03-20T18:31:00"))
        staged.upload("early.txt", received_at=staged.moment("2031-03-20T18:29:00"))
    assert [row["upload_date"] for row in table(text("files"), FILES)] == ["2031-03-21", "2031-03-20"]


def test_packages_are_read_in_portions(monkeypatch):
    monkeypatch.setattr(files, "MEMBERS", 4)
    with db.transaction():
        for n in range(6):
            package = staged.upload(f"p{n}.tar", file_type="TAR")
            staged.members(package, *[(f"m{m}", 1, "d" * 32, "TEXT", None) for m in range(n)])
    found = [(row["upload_name"], row["file_name"]) for row in table(text("files"), FILES)]
    assert found == [("=", "p0.tar")] + [(f"p{n}.tar", f"m{m}") for n in range(6) for m in range(n)]


def test_dump_has_the_xml_by_dataset_and_type():
    with db.transaction():
        staged.objects()
    packed = io.BytesIO()
    current.dump(center(), packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as tar:
        names = tar.getnames()
        whole = {name: tar.extractfile(name).read().decode() for name in names}
    assert names == [
        "OMIX_Accessions",
        "OMIX000001/OMIX000001.submission.xml",
        "OMIX000001/OMIX000001.study.xml",
        "OMIX000003/OMIX000003.submission.xml",
        "OMIX000003/OMIX000003.sample.xml",
        "OMIX000004/OMIX000004.submission.xml",
        "OMIX000007/OMIX000007.submission.xml",
    ]
    assert whole["OMIX_Accessions"] == golden("accessions.tsv")
    assert whole["OMIX000003/OMIX000003.sample.xml"] == golden("samples.xml")


def test_dump_is_the_same_twice():
    with db.transaction():
        staged.objects()
    dumps = [io.BytesIO(), io.BytesIO()]
    for one in dumps:
        current.dump(center(), one)
    assert dumps[0].getvalue() == dumps[1].getvalue()


@pytest.mark.parametrize("realm", ["open", "protected"])
def test_usage(realm):
    with db.transaction():
        own = db.session.get_one(Center, INES.account.center_id)
        own.quota_open, own.quota_protected = 10 << 30, 1 << 20
        staged.upload("run1/a.fastq.gz", size=1_789_376_627, file_type="GZ")
        staged.upload("b.txt", size=1, received_at=staged.AT - 300 * staged.DAY)
        staged.upload("run1/deep/c.txt", size=2048, area="test")
        staged.upload("kept.txt", "archived", size=1 << 40)
        staged.upload("secret.vcf", size=999, realm="protected")
    found = text("usage", realm=realm)
    host = socket.gethostname().partition(".")[0]
    assert found.replace(f"created on {host}:", "created on HOST:") == golden(f"usage-{realm}.txt")


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0"),
        (999, "999"),
        (1024, "1.0K"),
        (1025, "1.1K"),
        (10 * 1024, "10K"),
        (1 << 20, "1.0M"),
        (191 << 30, "191G"),
        (10_005_533_313_024, "9.1T"),
        ((1 << 30) - 1, "1.0G"),
    ],
)
def test_sizes_are_those_of_df(size, words):
    assert usage.human(size) == words


def test_survey_of_a_spool_on_disk(monkeypatch):
    """Nothing depends on the texts fitting into memory."""
    monkeypatch.setattr(metadata, "SPOOL", 1)
    monkeypatch.setattr(metadata, "FEW", 1)
    with db.transaction():
        staged.objects()
    packed = io.BytesIO()
    current.dump(center(), packed)
    packed.seek(0)
    with tarfile.open(fileobj=packed) as tar:
        assert tar.extractfile("OMIX000003/OMIX000003.sample.xml").read().decode() == golden("samples.xml")


@pytest.mark.parametrize(("count", "plain"), [(4, False), (5, True)])
def test_rows_come_in_portions_each_once(count, plain):
    with db.transaction():
        ids = [staged.dataset(n, "submitted").id for n in range(1, count + 1)]
    portions = list(tsv.portions(select(Dataset.id), Dataset.id, size=2, plain=plain))

    assert [len(portion) for portion in portions] == [2, 2, 1][: len(portions)]
    assert [row[0] for portion in portions for row in portion] == ids
