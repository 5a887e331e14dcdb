"""Who gets what from the API, by bearer token."""

from portal import db
from portal.domain.accounts import accounts
from portal.domain.datasets import datasets
from portal.domain.uploads import uploads
from portal.domain.uploads.uploads import Arrival, Place
from portal.models import Upload
from tests.state_guard import states_unguarded
from tests.web.matrix.rows import Row, curators, everyone, owner, people


def stage(state: str) -> dict[str, object]:
    """A dataset of Ines, a draft or as `state` says, with one file; and an upload of hers."""
    ines, ruth = accounts.by_email("ines.okafor@example.org"), accounts.by_email("ruth.adeyemi@example.org")
    with states_unguarded():
        made = datasets.create(actor=ines, title="T", description="D", species="S", files=[{"name": "a.txt"}])
        if state in ("submitted", "approved"):
            datasets.submit(made, actor=ines)
        if state == "approved":
            made.state, made.approved_version = "approved", made.version
        if state == "released":
            made.state, made.accession, made.released_at = "released", "OMIX000009", 1
        place = Place("incoming", "open", "b.txt")
        arrival = Arrival(place, ines.id, ines.center_id, "token", 1, "api", None, 1, None, 1, 1)
        uploads.cut(arrival, length=1, reason="staged")
        upload = db.session.query(Upload).one().id
    assert ruth is not None and ines is not None
    return {"id": made.id, "upload": upload, "center": ines.center_id}


def row(endpoint, method, path, expect, **more):
    return Row(f"api.{endpoint}", method, f"/api/v1{path}", expect, bearer=True, **more)


MINE = owner(200, anonymous=404)
ACT = "/datasets/{id}/actions/"
FIELDS = {"title": "T", "access": "open"}

ROWS = [
    row("describe", "GET", "/openapi.json", everyone(200)),
    row("list_datasets", "GET", "/datasets", people(200, anonymous=401)),
    row("create_dataset", "POST", "/datasets", people(201, anonymous=401), json=FIELDS),
    row("create_dataset", "POST", "/datasets", people(422, anonymous=401), json={"access": "secret"}),
    row("show_dataset", "GET", "/datasets/{id}", MINE),
    row("show_dataset", "GET", "/datasets/{id}", owner(200, anonymous=404, ruth=200), state="submitted"),
    row("show_dataset", "GET", "/datasets/{id}", everyone(200), state="released"),
    row("change_dataset", "PATCH", "/datasets/{id}", owner(200, anonymous=401), json={"title": "X"}),
    row(
        "change_dataset",
        "PATCH",
        "/datasets/{id}",
        owner(409, anonymous=401, others=403, ruth=200),
        json={"title": "X"},
        state="released",
    ),
    row("list_files", "GET", "/datasets/{id}/files", MINE),
    row("list_files", "GET", "/datasets/{id}/files", everyone(200), state="released"),
    row("add_files", "POST", "/datasets/{id}/files", owner(201, anonymous=401), json={"name": "c.txt"}),
    row(
        "add_files",
        "POST",
        "/datasets/{id}/files",
        owner(409, anonymous=401, others=403),
        json={"name": "c.txt"},
        state="released",
    ),
    row("change_file", "PATCH", "/datasets/{id}/files/1", owner(200, anonymous=401), json={"title": "X"}),
    row("change_file", "PATCH", "/datasets/{id}/files/7", owner(404, anonymous=401), json={"title": "X"}),
    row("replace_file", "POST", "/datasets/{id}/files/1/replacement", owner(201, anonymous=401), json={"name": "b"}),
    row("remove_file", "DELETE", "/datasets/{id}/files/1", owner(204, anonymous=401)),
    row("remove_file", "DELETE", "/datasets/{id}/files/1", owner(409, anonymous=401, others=403), state="released"),
    row("act", "POST", f"{ACT}submit", owner(200, anonymous=401), json={}),
    row("act", "POST", f"{ACT}discard", owner(204, anonymous=401), json={}),
    row("act", "POST", f"{ACT}recall", owner(200, anonymous=401, ruth=403), json={}, state="submitted"),
    row("act", "POST", f"{ACT}approve", owner(403, anonymous=401, ruth=200), json={"version": 1}, state="submitted"),
    row("act", "POST", f"{ACT}return", owner(403, anonymous=401, ruth=200), json={"note": "N"}, state="submitted"),
    row("act", "POST", f"{ACT}return", owner(422, anonymous=401, ruth=422), json={"note": ""}, state="submitted"),
    row("act", "POST", f"{ACT}release", owner(409, anonymous=401, ruth=409), json={}, state="approved"),
    row("act", "POST", f"{ACT}suppress", curators(200, anonymous=401), json={}, state="released"),
    row("act", "POST", f"{ACT}unpublish", curators(200, anonymous=401), json={"note": "N"}, state="released"),
    row("act", "POST", f"{ACT}withdraw", curators(200, anonymous=401), json={"note": "N"}, state="released"),
    row("act", "POST", f"{ACT}explode", owner(404, anonymous=401), json={}),
    row("list_remarks", "GET", "/datasets/{id}/remarks", owner(200, anonymous=401)),
    row("list_remarks", "GET", "/datasets/{id}/remarks", owner(200, anonymous=401, ruth=200), state="submitted"),
    row(
        "list_remarks",
        "GET",
        "/datasets/{id}/remarks",
        owner(200, anonymous=401, others=403, ruth=200),
        state="released",
    ),
    row("add_remark", "POST", "/datasets/{id}/remarks", owner(409, anonymous=401), json={"text": "X"}),
    row(
        "add_remark",
        "POST",
        "/datasets/{id}/remarks",
        owner(201, anonymous=401, ruth=201),
        json={"text": "X"},
        state="submitted",
    ),
    row(
        "add_remark",
        "POST",
        "/datasets/{id}/remarks",
        owner(403, anonymous=401, ruth=201),
        json={"text": "X", "private": True},
        state="submitted",
    ),
    row(
        "change_remark",
        "PATCH",
        "/datasets/{id}/remarks/7",
        owner(404, anonymous=401, ruth=404),
        json={"done": True},
        state="submitted",
    ),
    row("list_uploads", "GET", "/uploads", people(200, anonymous=401)),
    row("judge_name", "GET", "/names?name=a b", people(200, anonymous=401)),
    row("send_upload", "PUT", "/uploads/open/x.txt", people(503, anonymous=401), raw=b"x"),
    row("list_people", "GET", "/datasets/{id}/people", owner(200, anonymous=404)),
    row("invite", "POST", "/datasets/{id}/people", owner(201, anonymous=404), json={"email": "new@example.org"}),
    row("remove_editor", "DELETE", "/datasets/{id}/people/1", owner(404, anonymous=404)),
    row("list_invitations", "GET", "/invitations", people(200, anonymous=401)),
    row("answer_invitation", "POST", "/invitations/1/accept", people(404, anonymous=401)),
    row("send_for_dataset", "PUT", "/datasets/{id}/uploads/x.txt", owner(503, anonymous=401), raw=b"x"),
    row("use_upload", "PUT", "/datasets/{id}/files/1/upload", owner(404, anonymous=401), json={"upload": 0}),
    row("rename_upload", "PATCH", "/uploads/{upload}", owner(200, anonymous=401), json={"name": "z.txt"}),
    row("remove_upload", "DELETE", "/uploads/{upload}", owner(204, anonymous=401)),
    row(
        "correct_receipt",
        "PUT",
        "/uploads/{upload}/received",
        curators(409, anonymous=401),
        json={"received": "2026-01-02"},
    ),
    row("correct_receipt", "PUT", "/uploads/777/received", curators(404, anonymous=401), json={}),
    row("list_history", "GET", "/datasets/{id}/history", owner(200, anonymous=401)),
    row("list_history", "GET", "/datasets/{id}/history", owner(200, anonymous=401, ruth=200), state="submitted"),
    row(
        "list_history",
        "GET",
        "/datasets/{id}/history",
        owner(200, anonymous=401, others=403, ruth=200),
        state="released",
    ),
    row("show_quota", "GET", "/area/quota", people(200, anonymous=401)),
    row("ask_quota", "POST", "/area/quota", people(201, anonymous=401), json={"note": "2 TB for images."}),
    row("ask_quota", "POST", "/area/quota", people(422, anonymous=401), json={}),
    row("list_centers", "GET", "/centers", curators(200, anonymous=401)),
    row("create_center", "POST", "/centers", curators(201, anonymous=401), json={"name": "Coastal Lab"}),
    row("show_center", "GET", "/centers/{center}", curators(200, anonymous=401)),
    row("show_center", "GET", "/centers/777", curators(404, anonymous=401)),
    row("change_center", "PATCH", "/centers/{center}", curators(200, anonymous=401), json={"quota_gib": {"open": 9}}),
    row("change_center", "PATCH", "/centers/{center}", curators(422, anonymous=401), json={"quota_gib": {"open": -1}}),
    row("list_due", "GET", "/releases", curators(200, anonymous=401), state="approved"),
    row("search", "GET", "/search?q=t", everyone(200)),
    row("search", "GET", "/search?q=t", everyone(200), state="released"),
    row("list_events", "GET", "/events", people(200, anonymous=401)),
]
