"""Who gets what from the operator's pages for people, centers and history."""

from sqlalchemy import select

from portal import db
from portal.domain.accounts import accounts, admin
from portal.domain.shared import job_queue, notifications
from portal.models import Center, Upload
from tests.web.matrix.rows import Row, curators, everyone
from tests.web.matrix.rows import people as people_only

GUEST = {"email": "nils.berg@example.org", "name": "Nils Berg", "role": "submitter", "center": ""}
KEPT = {"role": "submitter", "center": "Harbour Lab"}


def stage(state: str) -> dict[str, object]:
    """Somebody who is open, registered or closed, and a center."""
    with db.transaction():
        if state == "new":
            accounts.register(email="ada.holm@example.org", name="Ada Holm", password="a long enough one")
        else:
            admin.invite(email="ada.holm@example.org", name="Ada Holm", role="submitter", center="", actor=None)
        ada = accounts.by_email("ada.holm@example.org")
        assert ada is not None
        if state == "closed":
            accounts.close(ada, actor=None)
        job = job_queue.enqueue("prune", key="prune")
        mail = notifications.send("k", to="x@example.org", template="test", name="x")
        upload = Upload(
            token="t",
            account_id=ada.id,
            center_id=ada.center_id,
            realm="open",
            area="incoming",
            name="a.txt",
            base="a.txt",
            size=1,
            state="received",
            via="ftp",
            received_at=1,
            created_at=1,
            heard_at=1,
        )
        db.session.add(upload)
        db.session.flush()
        found = {"job": job.id, "mail": mail.id, "upload": upload.id}
    return found | {"ada": ada.id, "center": db.session.scalar(select(Center.id).where(Center.name == "Harbour Lab"))}


ROWS = [
    Row("admin.people_page", "GET", "/admin/people", curators(200, anonymous=303)),
    Row("admin.new_person", "GET", "/admin/people/new", curators(200, anonymous=303)),
    Row("admin.invite", "POST", "/admin/people/new", curators(200, anonymous=401), data=GUEST),
    Row(
        "admin.invite",
        "POST",
        "/admin/people/new",
        curators(422, anonymous=401),
        state="taken",
        data=GUEST | {"email": "ada.holm@example.org"},
    ),
    Row("admin.person", "GET", "/admin/people/{ada}", curators(200, anonymous=303)),
    Row("admin.change_person", "POST", "/admin/people/{ada}", curators(303, anonymous=303), data=KEPT),
    Row("admin.confirm_person", "POST", "/admin/people/{ada}/confirm", curators(303, anonymous=303), state="new"),
    Row("admin.confirm_person", "POST", "/admin/people/{ada}/confirm", curators(409, anonymous=303)),
    Row("admin.sign_out_person", "POST", "/admin/people/{ada}/sign-out", curators(303, anonymous=303)),
    Row("admin.reset_person", "POST", "/admin/people/{ada}/reset", curators(200, anonymous=303)),
    Row("admin.reset_person", "POST", "/admin/people/{ada}/reset", curators(409, anonymous=303), state="closed"),
    Row("admin.close_person_page", "GET", "/admin/people/{ada}/close", curators(200, anonymous=303)),
    Row("admin.close_person", "POST", "/admin/people/{ada}/close", curators(303, anonymous=303)),
    Row("admin.reopen_person", "POST", "/admin/people/{ada}/reopen", curators(303, anonymous=303), state="closed"),
    Row("admin.reopen_person", "POST", "/admin/people/{ada}/reopen", curators(409, anonymous=303)),
    Row("admin.hand_over_person_page", "GET", "/admin/people/{ada}/hand-over", curators(200, anonymous=303)),
    Row(
        "admin.hand_over_person",
        "POST",
        "/admin/people/{ada}/hand-over",
        curators(303, anonymous=303),
        data={"email": "mei.tanaka@example.org", "datasets": ""},
    ),
    Row("admin.upload", "GET", "/admin/uploads/{upload}", curators(200, anonymous=303)),
    Row(
        "admin.correct_upload",
        "POST",
        "/admin/uploads/{upload}",
        curators(409, anonymous=303),
        data={"received": "2020-01-01", "note": ""},
    ),
    Row("admin.centers_page", "GET", "/admin/centers", curators(200, anonymous=303)),
    Row("admin.make_center", "POST", "/admin/centers", curators(303, anonymous=303), data={"center": "Fjord Station"}),
    Row("admin.center", "GET", "/admin/centers/{center}", curators(200, anonymous=303)),
    Row(
        "admin.change_center",
        "POST",
        "/admin/centers/{center}",
        curators(303, anonymous=303),
        data={"center": "Harbour Institute", "quota_open": "5", "quota_protected": ""},
    ),
    Row("admin.events", "GET", "/admin/events", curators(200, anonymous=303)),
    Row("admin.run_failed_jobs_again", "POST", "/admin/jobs/again", curators(303, anonymous=303)),
    Row("admin.cancel_job", "POST", "/admin/jobs/{job}/cancel", curators(303, anonymous=303)),
    Row("admin.stop_mail", "POST", "/admin/outbox/{mail}/stop", curators(303, anonymous=303)),
    Row("quota_requests.ask_page", "GET", "/area/quota", people_only(200, anonymous=303)),
    Row("quota_requests.ask", "POST", "/area/quota", people_only(303, anonymous=401), data={"note": "2 TB more."}),
    Row("help.connection", "GET", "/help/doctor", everyone(200)),
    Row("admin.check_page", "GET", "/admin/check", curators(200, anonymous=303)),
    Row("admin.events_csv", "GET", "/admin/events.csv", curators(200, anonymous=303)),
]
