"""The day an upload came is corrected by a curator; reports follow, the history keeps both."""

from datetime import date

import pytest

from portal import clock, config, db
from portal.models import Event, File, Upload
from tests import depositing as deposit

pytestmark = pytest.mark.usefixtures("receiving")


def test_day_of_receipt_is_corrected_and_both_days_are_kept(sign_in, ruth):
    deposit.submit({"a.txt": b"a"})
    upload, touched = deposit.upload_of("a.txt"), deposit.files_of(1)[0].updated_at
    clock.shift(5_000)
    client = sign_in(ruth)
    here = f"/admin/uploads/{upload.id}"
    assert here in client.get("/admin/events?action=receive").text
    client.get(here)
    assert client.send(here, received="2021-05-04", note="As at the old archive.").status_code == 303
    zone = config.settings().timezone
    assert deposit.upload_of("a.txt").received_at == clock.midnight(date(2021, 5, 4), zone)
    event = db.session.query(Event).filter(Event.action == "upload.date").one()
    assert (event.before, event.after) == ({"received": f"{clock.today(zone)}"}, {"received": "2021-05-04"})
    assert event.note == "As at the old archive."
    assert db.session.query(File).one().updated_at > touched


@pytest.mark.parametrize("typed", ["yesterday", "1900-01-01", "2900-01-01", ""])
def test_day_that_cannot_be_is_refused(sign_in, ruth, typed):
    deposit.submit({"a.txt": b"a"})
    before = deposit.upload_of("a.txt").received_at
    client = sign_in(ruth)
    here = f"/admin/uploads/{deposit.upload_of('a.txt').id}"
    client.get(here)
    assert client.send(here, received=typed, note="x").status_code == 422
    assert deposit.upload_of("a.txt").received_at == before


def test_unclaimed_upload_keeps_its_day_or_it_would_expire(sign_in, ruth):
    deposit.send("a.txt", b"a")
    here = f"/admin/uploads/{deposit.upload_of('a.txt').id}"
    client = sign_in(ruth)
    assert "No dataset claims this upload" in client.get(here).text
    assert client.send(here, received="2021-05-04", note="").status_code == 409
    assert db.session.query(Upload).one().received_at > clock.now() - clock.HOUR
