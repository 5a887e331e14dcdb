"""Who reads what was found in an upload: its owner, and curators once a submitted dataset claims it."""

from portal import clock, db
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets
from portal.models import File, Member, Upload
from tests.web.matrix.rows import Row, owner


def stage(state: str) -> dict[str, object]:
    """A package of Ines with one member; `submitted`: claimed by a dataset that she handed in."""
    ines = accounts.by_email("ines.okafor@example.org")
    assert ines is not None
    with db.transaction():
        upload = Upload(
            token="token",
            account_id=ines.id,
            center_id=ines.center_id,
            name="a.tar",
            base="a.tar",
            size=9,
            state="received",
            file_type="TAR",
            inspection="inspected",
            inspected_at=1,
            member_count=1,
            error="tar_error",
            detail="Cause. Remedy.",
            heard_at=1,
            created_at=clock.now(),
        )
        db.session.add(upload)
        db.session.flush()
        db.session.add(Member(upload_id=upload.id, n=1, name="x.txt", size=3, md5="0" * 32, file_type="TEXT"))
        if state == "submitted":
            made = datasets.create(actor=ines, title="T", description="D", species="S", files=[{"name": "a.tar"}])
            datasets.submit(made, actor=ines)
            db.session.query(File).update({"upload_id": upload.id})
    return {"upload": upload.id}


MINE, API = owner(200, anonymous=303), owner(200, anonymous=401)
SEEN, API_SEEN = owner(200, anonymous=303, ruth=200), owner(200, anonymous=401, ruth=200)

ROWS = [
    Row("members.listing", "GET", "/area/{upload}/members", MINE),
    Row("members.listing", "GET", "/area/{upload}/members?view=faults", SEEN, state="submitted"),
    Row("api.show_upload", "GET", "/api/v1/uploads/{upload}", API, bearer=True),
    Row("api.show_upload", "GET", "/api/v1/uploads/{upload}", API_SEEN, bearer=True, state="submitted"),
    Row("api.list_members", "GET", "/api/v1/uploads/{upload}/members", API, bearer=True),
    Row("api.list_members", "GET", "/api/v1/uploads/{upload}/members", API_SEEN, bearer=True, state="submitted"),
]
