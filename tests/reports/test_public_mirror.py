"""The public mirror: what never was open is not in it, what was taken back has no XML; older dumps forget it too."""

import gzip

import pytest

from portal import clock, db
from portal.domain.reports import schedule
from portal.models import Dataset, Event
from tests.reports import staged
from tests.reports.reading import dump

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def night(settings, run_jobs):
    def go(day: str):
        clock.shift(staged.moment(f"{day}T03:00:00") - clock.now())
        with db.transaction():
            schedule.plan()
        run_jobs()
        return settings.instance / "outgoing-public"

    return go


def put(dataset_id: int, state: str, action: str) -> None:
    with db.transaction():
        db.session.get_one(Dataset, dataset_id).state = state
        db.session.add(Event(at=clock.now(), action=action, dataset_id=dataset_id, center_id=1))


def test_mirror_shows_what_is_released(client, night):
    with db.transaction():
        staged.objects()
    night("2031-03-21")
    page = client.get("/reports").text
    assert "OMIX_Accessions" in page and "OMIX_Metadata_Full_20310321.tar.gz" in page
    listing = client.get("/reports/OMIX_Accessions", buffered=True)
    assert listing.mimetype == "text/tab-separated-values"
    assert "OMIX000001" not in listing.text and "OMIX000007" in listing.text
    assert client.get("/reports/.metadata-2031-03-21.seen").status_code == 404
    assert client.get("/reports/..%2Fportal.db").status_code == 404


def test_xml_of_what_was_taken_back_is_gone_from_older_dumps(settings, night):
    with db.transaction():
        made = {name: one.id for name, one in staged.objects().items()}
    folder = night("2031-03-21")
    assert list(dump(folder / "OMIX_Metadata_Full_20310321.tar.gz").digests) == ["OMIX000003", "OMIXS000001"]
    put(made["released"], "approved", "unpublish")
    night("2031-03-22")
    left = sorted(path.name for path in folder.iterdir() if path.name[0] != ".")
    assert left == ["OMIX_Accessions", "OMIX_Metadata_20310322.tar.gz", "OMIX_Metadata_Full_20310322.tar.gz"]
    for name in left[1:]:
        read = dump(folder / name)
        assert read.digests == {} and read.accessions["OMIX000003"]["status"] == "unpublished"


def test_what_is_taken_back_by_day_does_not_wait_for_the_night(settings, night):
    with db.transaction():
        made = {name: one.id for name, one in staged.objects().items()}
    night("2031-03-21")
    put(made["released"], "withdrawn", "withdraw")
    folder = night("2031-03-21")
    assert dump(folder / "OMIX_Metadata_Full_20310321.tar.gz").digests == {}
    inside = settings.instance / "outgoing" / "1" / "Files" / "OMIX_Metadata_Full_Northmere-Institute_20310321.tar.gz"
    assert "OMIX000003" not in dump(inside).digests


def test_files_are_never_in_the_mirror(night):
    with db.transaction():
        staged.uploads()
    folder = night("2031-03-21")
    held = b"".join(
        gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes() for path in folder.iterdir()
    )
    assert b"r1.fastq.gz" not in held and b"upload_id" not in held
