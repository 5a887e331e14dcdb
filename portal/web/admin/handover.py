"""The datasets of somebody who leaves, handed to somebody else."""

from typing import Any

from flask import Response, flash, render_template, url_for

from portal import db, errors
from portal.domain.accounts import accounts
from portal.domain.datasets import handover
from portal.models import Account
from portal.queries.accounts import people
from portal.web import formats, forms, permissions
from portal.web.admin.blueprint import bp, row_or_404
from portal.web.htmx import see_other


def page(account: Account, **shown: object) -> dict[str, Any]:
    return {"person": account, "summary": people.summary(account), "values": {}, "stayed": {}, **shown}


@bp.get("/people/<int:account_id>/hand-over")
@permissions.curator_only
def hand_over_person_page(account_id: int) -> str:
    return render_template("admin/people/hand_over.html", errors={}, **page(row_or_404(Account, account_id)))


@bp.post("/people/<int:account_id>/hand-over")
@permissions.curator_only
def hand_over_person(account_id: int) -> Response | str:
    account, typed = row_or_404(Account, account_id), forms.values("email", "datasets", "stays")
    try:
        with db.transaction():
            done, stayed = handover.hand_over_all(
                account,
                heir(typed["email"]),
                actor=permissions.account(),
                accessions=typed["datasets"].upper().split(),
                stays=bool(typed["stays"]),
            )
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("admin/people/hand_over.html", error, **page(account, values=typed))
    if done:
        flash(f"{formats.plural(len(done), 'dataset')} handed over to {typed['email']}.", "ok")
    if stayed:
        return render_template("admin/people/hand_over.html", errors={}, **page(account, values=typed, stayed=stayed))
    return see_other(url_for("admin.person", account_id=account.id))


def heir(email: str) -> Account:
    """The account that takes the datasets over. Raises Invalid at the field of its address."""
    account = accounts.by_email(email)
    if account is None:
        raise errors.Invalid(fields={"email": accounts.unknown(email)})
    return account
