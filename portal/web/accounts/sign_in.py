"""Register, confirm, sign in and out, reset a password."""

from flask import Blueprint, Response, flash, make_response, render_template, request

from portal import db, errors
from portal.domain.accounts import accounts, passwords, tokens
from portal.models import Account
from portal.web import forms, session
from portal.web.htmx import see_other
from portal.web.session import client_address, safe_next

bp = Blueprint("accounts", __name__)


def home_of(account: Account) -> str:
    return "/review" if account.is_curator else "/deposit"


def unreferred(page: str | Response, status: int = 200) -> Response:
    """A page whose address holds a secret: no link from it tells where it was."""
    answer = make_response(page, status) if isinstance(page, str) else page
    answer.headers["Referrer-Policy"] = "no-referrer"
    answer.headers["Cache-Control"] = "no-store"
    return answer


@bp.get("/login")
def login_page() -> Response | str:
    account = session.actor()
    if account is not None:
        return see_other(safe_next(request.args.get("next"), home_of(account)))
    return render_template("accounts/login.html", values={"next": request.args.get("next", "")}, errors={})


@bp.post("/login")
def login() -> Response:
    typed = forms.values("email", "password", "next")
    try:
        account = accounts.authenticate(typed["email"], typed["password"], address=client_address())
    except errors.DomainError as error:
        return forms.refused("accounts/login.html", error, values=typed)
    with db.transaction():
        session.sign_in(account)
    return see_other(safe_next(typed["next"], home_of(account)))


@bp.post("/logout")
def logout() -> Response:
    afterwards = "/signon/left" if session.is_by_provider() else "/"
    with db.transaction():
        session.sign_out()
    return see_other(afterwards)


@bp.get("/register")
def register_page() -> str:
    """An invitation to a dataset brings the address along that it was sent to."""
    return render_template("accounts/register.html", values={"email": request.args.get("email", "")[:254]}, errors={})


@bp.post("/register")
def register() -> Response | str:
    typed = forms.values("name", "email", "password", "center")
    try:
        password = passwords.hashed(typed["password"])  # before the transaction: hashing takes its time
        with db.transaction():
            accounts.register(email=typed["email"], name=typed["name"], password=password, center=typed["center"])
    except errors.Invalid as error:
        return forms.refused("accounts/register.html", error, values=typed)
    return render_template("accounts/sent.html", kind="verify", email=typed["email"])


@bp.get("/verify/<secret>")
def verify_page(secret: str) -> Response:
    return unreferred(render_template("accounts/verify.html", email=tokens.email_of("verify", secret), errors={}))


@bp.post("/verify/<secret>")
def verify(secret: str) -> Response:
    try:
        account = accounts.confirm(secret, request.form.get("password", ""), address=client_address())
    except errors.SignInNeeded as error:
        email = tokens.email_of("verify", secret)
        return unreferred(forms.refused("accounts/verify.html", error, email=email))
    with db.transaction():
        session.sign_in(account)
    flash("Your address is confirmed, and you are signed in.", "ok")
    return unreferred(see_other(home_of(account)))


@bp.get("/reset")
def reset_page() -> str:
    return render_template("accounts/reset.html", values={"email": request.args.get("email", "")}, errors={})


@bp.post("/reset")
def start_reset() -> Response | str:
    typed = forms.values("email")
    try:
        with db.transaction():
            accounts.start_reset(typed["email"])
    except errors.Invalid as error:
        return forms.refused("accounts/reset.html", error, values=typed)
    return render_template("accounts/sent.html", kind="reset", email=typed["email"])


@bp.get("/reset/<secret>")
def new_password_page(secret: str) -> Response:
    email = tokens.email_of("reset", secret)
    return unreferred(render_template("accounts/new_password.html", email=email, errors={}))


@bp.post("/reset/<secret>")
def finish_reset(secret: str) -> Response:
    try:
        password = passwords.hashed(request.form.get("password", ""))
        with db.transaction():
            account = accounts.finish_reset(secret, password)
            session.sign_in(account)
    except errors.Invalid as error:
        email = tokens.email_of("reset", secret)
        return unreferred(forms.refused("accounts/new_password.html", error, email=email))
    flash("The password is set. Every other session of this account has ended.", "ok")
    return unreferred(see_other(home_of(account)))
