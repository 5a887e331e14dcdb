"""Linking: an identity opens an existing account only after its owner signed in to both; and the end of a link."""

from typing import Any

from flask import Response, flash, render_template, request

from portal import config, db, errors
from portal.domain.accounts import accounts, identities
from portal.models import Identity
from portal.web import forms, permissions, session
from portal.web.accounts import reauthentication
from portal.web.accounts.account import refused
from portal.web.accounts.sign_in import home_of
from portal.web.accounts.single_sign_on import pending
from portal.web.accounts.single_sign_on.blueprint import bp
from portal.web.accounts.single_sign_on.pages import leave
from portal.web.htmx import see_other
from portal.web.session import client_address, safe_next

OWN = "accounts/single_sign_on/link.html"
END = "accounts/single_sign_on/unlink.html"


@bp.get("/link")
def link_page() -> str:
    """Somebody signed on whose address has an account: its password comes next."""
    person, _go_on = pending.held()
    return render_template(OWN, email=identities.vouched(person), errors={})


@bp.post("/link")
def link() -> Response:
    person, go_on = pending.held()
    email = identities.vouched(person)
    try:
        account = accounts.authenticate(email, request.form.get("password", ""), address=client_address())
        with db.transaction():
            identities.link(account, person, actor=account)
            session.sign_in(account, by_provider=True)
    except errors.DomainError as error:
        return forms.refused(OWN, error, email=email)
    flash(f"You are signed in, and from now on {config.settings().oidc_name} opens this account too.", "ok")
    return see_other(safe_next(go_on, home_of(account)))


@bp.post("/more")
@permissions.signed_in
def more() -> Response:
    """From the account page: link what the provider calls me."""
    account = permissions.account()
    try:
        reauthentication.check(account, "proof")
    except (errors.Invalid, errors.Throttled) as error:
        return refused(error)
    return leave("link", "/account", account_id=account.id)


@bp.get("/<int:identity_id>/unlink")
@permissions.signed_in
def unlink_page(identity_id: int) -> str:
    return render_template(END, **ending(identities.own(permissions.account(), identity_id)), errors={})


def ending(identity: Identity) -> dict[str, Any]:
    return {"identity": identity, "present_until": reauthentication.until(identity.account)}


@bp.post("/<int:identity_id>/unlink")
@permissions.signed_in
def unlink(identity_id: int) -> Response:
    account = permissions.account()
    identity = identities.own(account, identity_id)
    try:
        reauthentication.check(account, "present")
        with db.transaction():
            identities.unlink(account, identity_id, actor=account)
            session.sign_in(account)
    except (errors.Invalid, errors.Throttled, errors.Conflict) as error:
        return forms.refused(END, error, **ending(identity))
    flash(f"{identity.email} no longer opens this account. Every other session has ended.", "ok")
    return see_other("/account#signon")
