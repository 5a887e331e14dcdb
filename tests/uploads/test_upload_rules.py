"""Rules of the area: what goes is of one place and one name, and the earlier announcement of a name gives way."""

import pytest
from sqlalchemy import select

from portal import db, errors
from portal.domain.uploads import folders, resumable
from portal.domain.uploads.uploads import Place
from portal.ingest import upload_session
from portal.models import Folder, Resumable, Upload
from tests.conftest import COLLEAGUE, INES
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
    announced = [
        (person.id, realm, name)
        for person in (INES, COLLEAGUE)
        for realm in ("open", "protected")
        for name in ("a.txt", "b.txt")
    ]
    with db.transaction():
        for person in (INES, COLLEAGUE):
            for realm in ("open", "protected"):
                for name in ("a.txt", "b.txt"):
                    first = resumable.announce(actor=person.account, name=name, realm=realm, length=5)
        again = resumable.announce(actor=COLLEAGUE.account, name="b.txt", realm="protected", length=6)

    rows = db.session.scalars(select(Resumable)).all()
    assert sorted((row.account_id, row.realm, row.name) for row in rows) == sorted(announced)
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
