"""One person: the summary of their account, and what a curator can do for them. A link is shown once, to be handed
over."""

from typing import Any

from flask import Response, flash, make_response, render_template, url_for

from portal import db, errors
from portal.domain.accounts import accounts
from portal.domain.accounts import admin as verbs
from portal.models import Account
from portal.queries.accounts import ftp_faults, people
from portal.queries.admin import event_log
from portal.web import forms, permissions
from portal.web.admin.blueprint import bp, row_or_404
from portal.web.htmx import see_other

LATEST = 20


def page(account: Account, **shown: object) -> dict[str, Any]:
    """What the page of a person shows."""
    values = {"role": account.role, "center": account.center.name}
    latest = event_log.page(event_log.Filter(person=account.id), limit=LATEST)
    return {
        "person": account,
        "summary": people.summary(account),
        "faults": ftp_faults.summaries(account),
        "events": latest.rows,
        "values": values,
        "centers": people.center_names(),
        **shown,
    }


@bp.get("/people/<int:account_id>")
@permissions.curator_only
def person(account_id: int) -> str:
    return render_template("admin/people/person.html", errors={}, **page(row_or_404(Account, account_id)))


@bp.post("/people/<int:account_id>")
@permissions.curator_only
def change_person(account_id: int) -> Response:
    """Set the role and the center of an account."""
    account, typed = row_or_404(Account, account_id), forms.values("role", "center")
    try:
        with db.transaction():
            verbs.set_role(account, typed["role"], actor=permissions.account())
            verbs.move(account, verbs.existing(typed["center"]), actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("admin/people/person.html", error, **page(account, values=typed))
    return done(account, "Saved.")


def done(account: Account, sentence: str) -> Response:
    flash(sentence, "ok")
    return see_other(url_for("admin.person", account_id=account.id))


@bp.post("/people/<int:account_id>/confirm")
@permissions.curator_only
def confirm_person(account_id: int) -> Response:
    account = row_or_404(Account, account_id)
    with db.transaction():
        verbs.confirm(account, actor=permissions.account())
    return done(account, f"The address of {account.name} is confirmed.")


@bp.post("/people/<int:account_id>/sign-out")
@permissions.curator_only
def sign_out_person(account_id: int) -> Response:
    account = row_or_404(Account, account_id)
    with db.transaction():
        accounts.end_sessions(account, actor=permissions.account())
    return done(account, f"Every session of {account.name} has ended, on the web and over FTP.")


@bp.post("/people/<int:account_id>/reset")
@permissions.curator_only
def reset_person(account_id: int) -> Response:
    """A link to set a new password, for when mail does not arrive."""
    account = row_or_404(Account, account_id)
    with db.transaction():
        secret = verbs.reset_link(account, actor=permissions.account())
    return show_link(account, secret)


def show_link(account: Account, secret: str) -> Response:
    """The page with the link, whose secret stands in this one answer and nowhere else."""
    text = render_template("admin/link.html", person=account, path=url_for("accounts.new_password_page", secret=secret))
    answer = make_response(text)
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/people/<int:account_id>/close")
@permissions.curator_only
def close_person_page(account_id: int) -> str:
    return render_template("admin/people/close_person.html", person=row_or_404(Account, account_id))


@bp.post("/people/<int:account_id>/close")
@permissions.curator_only
def close_person(account_id: int) -> Response:
    account = row_or_404(Account, account_id)
    with db.transaction():
        accounts.close(account, actor=permissions.account())
    return done(account, f"The account of {account.name} is closed. What it deposited stays.")


@bp.post("/people/<int:account_id>/reopen")
@permissions.curator_only
def reopen_person(account_id: int) -> Response:
    account = row_or_404(Account, account_id)
    with db.transaction():
        verbs.reopen(account, actor=permissions.account())
    return done(account, f"The account of {account.name} is open again. It needs a link to set a password.")
