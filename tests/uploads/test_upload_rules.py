"""Rules of the area: what goes is of one place and one name, and the earlier announcement of a name gives way."""

import itertools

import pytest
from sqlalchemy import select

from portal import db, errors
from portal.domain.uploads import folders, receipt_date, resumable
from portal.domain.uploads.uploads import Place
from portal.ingest import upload_session
from portal.models import Folder, Resumable, Upload
from tests.conftest import COLLEAGUE, INES, RUTH
from tests.reports import staged

PLACES = [Place("incoming", "open", "x"), Place("test", "open", "x"), Place("incoming", "protected", "x")]


def standing() -> list[tuple[str, str, str]]:
    db.end()
    return [(folder.area, folder.realm, folder.path) for folder in db.session.scalars(select(Folder))]


@pytest.mark.parametrize("gone", PLACES)
def test_folder_goes_in_its_own_area_and_realm_alone(database, gone):
    with db.transaction():
        for place in PLACES:
            folders.make_folder(INES.account, place)
        for place in PLACES:
            if place != gone:
                folders.make_folder(INES.account, Place(place.area, place.realm, "x/inner"))
        folders.remove_folder(INES.account, gone)

    kept = [place for place in PLACES if place != gone]
    names = [(place.area, place.realm, name) for place in kept for name in ("x", "x/inner")]
    assert sorted(standing()) == sorted(names)


def test_folder_that_holds_another_stays(database):
    with db.transaction():
        for name in ("x", "x/inner"):
            folders.make_folder(INES.account, Place("incoming", "open", name))
    with pytest.raises(errors.Conflict), db.transaction():
        folders.remove_folder(INES.account, PLACES[0])
    with pytest.raises(errors.NotFound), db.transaction():
        folders.remove_folder(INES.account, PLACES[1])


def test_name_that_is_not_there_is_not_removed(database):
    with db.transaction():
        staged.upload("x/a.txt")
    with pytest.raises(errors.NotFound), db.transaction():
        folders.remove(INES.account, PLACES[0])
    assert db.session.scalars(select(Upload.state)).all() == ["received"]


def test_earlier_announcement_of_the_same_name_and_realm_gives_way(receiving):
    announced = list(itertools.product((INES, COLLEAGUE), ("open", "protected"), ("a.txt", "b.txt")))
    with db.transaction():
        for person, realm, name in announced:
            first = resumable.announce(actor=person.account, name=name, realm=realm, length=5)
        again = resumable.announce(actor=COLLEAGUE.account, name="b.txt", realm="protected", length=6)

    rows = db.session.scalars(select(Resumable)).all()
    expected = [(person.id, realm, name) for person, realm, name in announced]
    assert sorted((row.account_id, row.realm, row.name) for row in rows) == sorted(expected)
    assert (first.key in {row.key for row in rows}, again.key in {row.key for row in rows}) == (False, True)


def test_whole_bytes_sent_again_take_a_cut_upload_of_the_name_away(send, ines):
    first = send("a.txt", b"same")
    session = upload_session.open(ines.id, realm="open", name="a.txt", via="ftp")
    session.write(b"sa")
    session.abort("connection reset")
    assert send("a.txt", b"same").upload_id == first.upload_id

    db.end()
    kept = db.session.execute(select(Upload.id, Upload.state).where(Upload.state != "obsolete"))
    assert [tuple(row) for row in kept] == [(first.upload_id, "received")]


@pytest.mark.parametrize(
    ("day", "fault"), [("1979-12-31", "receipt_day_range"), ("1980-01-01", None), ("1980-02-30", "receipt_day_format")]
)
def test_first_day_on_which_an_upload_may_have_come(database, day, fault):
    with db.transaction():
        upload = staged.upload("a.txt")
        staged.file(staged.dataset(1, "draft"), upload, "received")
        if fault is None:
            receipt_date.correct(upload, day, note="", actor=RUTH.account)
        else:
            with pytest.raises(errors.Invalid) as refused:
                receipt_date.correct(upload, day, note="", actor=RUTH.account)
            assert refused.value.field_messages["received"].code == fault
    assert (upload.received_at == staged.moment("1980-01-01")) is (fault is None)


def test_upload_that_is_not_whole_has_no_day(database):
    with db.transaction():
        upload = staged.upload("cut.bin", "incomplete", received_at=None)
        staged.file(staged.dataset(1, "draft"), upload, "waiting")
    with pytest.raises(errors.Conflict) as refused, db.transaction():
        receipt_date.correct(upload, "2021-05-04", note="", actor=RUTH.account)
    assert refused.value.codes == ["upload_not_whole"]
