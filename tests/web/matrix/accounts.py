"""Who gets what from accounts, the account page and the operator's pages."""

from sqlalchemy import select

from portal import db
from portal.domain.accounts import accounts, tokens
from portal.domain.shared import job_queue
from portal.models import Job, Mail
from tests.state_guard import states_unguarded
from tests.web.matrix.rows import Row, curators, everyone, people


def stage(state: str) -> dict[str, object]:
    """A token of Ines, a link of each kind, one mail and one failed job."""
    with states_unguarded():
        ines = accounts.by_email("ines.okafor@example.org")
        assert ines is not None
        tokens.issue(ines, "api", label="sequencer")
        found: dict[str, object] = {"token": tokens.api_tokens(ines)[0].id}
        found |= {kind: tokens.issue(ines, kind, lifetime=60_000) for kind in ("verify", "reset")}
        accounts.start_reset("mei.tanaka@example.org")
        job = job_queue.enqueue("mail", key="mail:0")
        job.state = "failed"
    job_id = db.session.scalar(select(Job.id).where(Job.state == "failed"))
    return found | {"job": job_id, "mail": db.session.scalar(select(Mail.id))}


NEW = {"name": "Nils Berg", "email": "nils.berg@example.org", "password": "a long enough one"}
HERE = {"email": "mei.tanaka@example.org", "password": "correct horse battery"}
PRESENT = {"present": "correct horse battery", "password": "another long one"}

ROWS = [
    Row("site_css", "GET", "/site.css", everyone(200)),
    Row("accounts.login_page", "GET", "/login", people(303, anonymous=200)),
    Row("accounts.login", "POST", "/login", everyone(303), data=HERE),
    Row("accounts.logout", "POST", "/logout", everyone(303)),
    Row("accounts.register_page", "GET", "/register", everyone(200)),
    Row("accounts.register", "POST", "/register", everyone(200), data=NEW),
    Row("accounts.verify_page", "GET", "/verify/{verify}", everyone(200)),
    Row("accounts.verify", "POST", "/verify/{verify}", everyone(303), data=PRESENT | {"password": PRESENT["present"]}),
    Row("accounts.verify", "POST", "/verify/{verify}", everyone(422), state="wrong", data={"password": "not this one"}),
    Row("accounts.reset_page", "GET", "/reset", everyone(200)),
    Row("accounts.start_reset", "POST", "/reset", everyone(200), data=HERE),
    Row("accounts.new_password_page", "GET", "/reset/{reset}", everyone(200)),
    Row("accounts.finish_reset", "POST", "/reset/{reset}", everyone(303), data=NEW),
    Row("account.show", "GET", "/account", people(200, anonymous=303)),
    Row("account.rename", "POST", "/account/name", people(303, anonymous=401), data=NEW),
    Row("account.set_password", "POST", "/account/password", people(303, anonymous=303), data=PRESENT),
    Row("account.sign_out_everywhere", "POST", "/account/sign-out-everywhere", people(303, anonymous=303)),
    Row("account.make_ftp_password", "POST", "/account/ftp-password", people(200, anonymous=303)),
    Row("account.remove_ftp_password", "POST", "/account/ftp-password/remove", people(303, anonymous=303)),
    Row("account.make_token", "POST", "/account/tokens", people(200, anonymous=401), data={"label": "robot"}),
    Row(
        "account.revoke_token",
        "POST",
        "/account/tokens/{token}/revoke",
        everyone(404) | {"anonymous": 303, "ines": 303},
    ),
    Row("account.close_page", "GET", "/account/close", people(200, anonymous=303)),
    Row("account.close", "POST", "/account/close", people(303, anonymous=303) | {"ruth": 409}, data=PRESENT),
    Row("account.theme", "POST", "/account/theme", everyone(303), data={"theme": "dark"}),
    Row("admin.overview", "GET", "/admin", curators(200, anonymous=303)),
    Row("admin.outbox", "GET", "/admin/outbox", curators(200, anonymous=303)),
    Row("admin.mail", "GET", "/admin/outbox/{mail}", curators(200, anonymous=303)),
    Row("admin.send_test", "POST", "/admin/outbox/test", curators(303, anonymous=303)),
    Row("admin.send_again", "POST", "/admin/outbox/{mail}/again", curators(303, anonymous=303)),
    Row("admin.jobs_page", "GET", "/admin/jobs", curators(200, anonymous=303)),
    Row("admin.run_again", "POST", "/admin/jobs/{job}/again", curators(303, anonymous=303)),
]
