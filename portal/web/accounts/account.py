"""The account page: name, password, sign-on, FTP-only password, API tokens, theme, closing.

Secrets are shown once, in the answer to the form that made them."""

from typing import Any

from flask import Blueprint, Response, flash, render_template, request, url_for

from portal import config, db, errors
from portal.domain.accounts import accounts, identities, passwords, tokens
from portal.models import Account
from portal.web import forms, permissions, session, shell
from portal.web.accounts import reauthentication
from portal.web.htmx import see_other
from portal.web.session import safe_next

TOKENS = 50
bp = Blueprint("account", __name__, url_prefix="/account")


def shown(account: Account) -> dict[str, Any]:
    """What the page shows of an account, whatever was done."""
    links = identities.of(account)
    before = request.args.get("before", 0, type=int)
    listed = tokens.api_tokens(account, before=before, limit=TOKENS + 1)
    only_way = [link.id for link in links if not identities.has_other_way(account, link)]
    return {
        "account": account,
        "tokens": listed[:TOKENS],
        "identities": links,
        "only_way": only_way,
        "before": before,
        "older": listed[TOKENS - 1].id if len(listed) > TOKENS else 0,
        "present_until": reauthentication.until(account),
        "errors": {},
        "fresh": {},
        "values": {"name": account.name},
    }


def page(account: Account, **more: object) -> str:
    return render_template("accounts/account.html", **{**shown(account), **more})


@bp.get("")
@permissions.signed_in
def show() -> str:
    return page(permissions.account())


@bp.post("/name")
@permissions.signed_in
def rename() -> Response:
    typed = forms.values("name")
    try:
        with db.transaction():
            accounts.rename(permissions.account(), typed["name"], actor=permissions.account())
    except errors.Invalid as error:
        return refused(error, values=typed)
    return see_other(url_for("account.show"))


def refused(error: errors.DomainError, values: dict[str, str] | None = None) -> Response:
    context = shown(permissions.account()) | ({"values": values} if values else {})
    del context["errors"]
    return forms.refused("accounts/account.html", error, **context)


@bp.post("/password")
@permissions.signed_in
def set_password() -> Response:
    account = permissions.account()
    try:
        reauthentication.check(account, "present")
        chosen = passwords.hashed(request.form.get("password", ""))
    except (errors.Invalid, errors.Throttled) as error:
        return refused(error)
    with db.transaction():
        accounts.set_password(account, chosen, actor=account)
        session.sign_in(account)
    flash("The password is changed. Every other session has ended, on the web and over FTP.", "ok")
    return see_other(url_for("account.show"))


@bp.post("/sign-out-everywhere")
@permissions.signed_in
def sign_out_everywhere() -> Response:
    account = permissions.account()
    with db.transaction():
        accounts.end_sessions(account, actor=account)
        session.sign_in(account)
    flash("Every other session has ended, on the web and over FTP.", "ok")
    return see_other(url_for("account.show"))


@bp.post("/ftp-password")
@permissions.signed_in
def make_ftp_password() -> str:
    account = permissions.account()
    with db.transaction():
        password = accounts.make_ftp_password(account, actor=account)
    return page(account, fresh={"ftp": password})


@bp.post("/ftp-password/remove")
@permissions.signed_in
def remove_ftp_password() -> Response:
    with db.transaction():
        accounts.remove_ftp_password(permissions.account(), actor=permissions.account())
    return see_other(url_for("account.show") + "#ftp")


@bp.post("/tokens")
@permissions.signed_in
def make_token() -> str:
    account = permissions.account()
    with db.transaction():
        secret = tokens.make_api_token(account, label=request.form.get("label", ""), actor=account)
    return page(account, fresh={"token": secret})


@bp.post("/tokens/<int:token_id>/revoke")
@permissions.signed_in
def revoke_token(token_id: int) -> Response:
    with db.transaction():
        tokens.revoke(permissions.account(), token_id, actor=permissions.account())
    return see_other(url_for("account.show") + "#api")


@bp.get("/close")
@permissions.signed_in
def close_page() -> str:
    return render_template(
        "accounts/close.html", errors={}, present_until=reauthentication.until(permissions.account())
    )


@bp.post("/close")
@permissions.signed_in
def close() -> Response:
    account = permissions.account()
    try:
        reauthentication.check(account, "present")
        with db.transaction():
            accounts.close(account, actor=account)
            session.sign_out()
    except (errors.Invalid, errors.Throttled, errors.Conflict) as error:
        return forms.refused("accounts/close.html", error, present_until=reauthentication.until(account))
    flash(f"The account is closed. Write to {config.settings().contact} to open it again.", "ok")
    return see_other(url_for("accounts.login_page"))


@bp.post("/theme")
def theme() -> Response:
    """Light, dark or as the system: kept in a cookie, for people without an account too."""
    chosen = request.form.get("theme", "auto")
    answer = see_other(safe_next(request.form.get("next")))
    if chosen in shell.THEMES:
        answer.set_cookie("theme", chosen, max_age=31_536_000, samesite="Lax", secure=session.is_https(), httponly=True)
    return answer
