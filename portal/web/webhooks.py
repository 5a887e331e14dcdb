"""Webhooks of one's account: added, tested, paused, resumed, deleted, with what came of the last attempts.

The secret is shown once, in the answer to the form that made it."""

from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.config import settings
from portal.domain import hosts, webhooks
from portal.models import Webhook
from portal.queries import webhooks as read
from portal.web import forms, guards, htmx
from portal.web.htmx import see_other

bp = Blueprint("webhooks", __name__, url_prefix="/account/webhooks")


def mine(webhook_id: int) -> Webhook:
    return webhooks.find(guards.account(), webhook_id)


def listed() -> dict[str, Any]:
    hooks = [(hook, read.shown(hook)) for hook in webhooks.of(guards.account())]
    return {"hooks": hooks, "most": webhooks.MOST, "private": settings().webhook_private}


@bp.get("")
@guards.signed_in
def listing() -> str:
    return render_template("webhooks/list.html", **listed(), values={}, errors={})


@bp.post("")
@guards.signed_in
def add() -> Response:
    account, values = guards.account(), forms.values("address", "label")
    try:
        address = hosts.check(values["address"])
        with db.transaction():
            hook = webhooks.add(account, address, label=values["label"], actor=account)
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("webhooks/list.html", error, **listed(), values=values)
    answer = make_response(render_template("webhooks/list.html", **listed(), values={}, errors={}, fresh=hook))
    answer.headers["Cache-Control"] = "no-store"
    return answer


def shown(hook: Webhook) -> dict[str, Any]:
    tries = read.tries(hook)
    rev = f"{tries[0].id if tries else 0}-{hook.test_at or 0}-{hook.state}"
    return {
        "hook": hook,
        "shown": read.shown(hook),
        "waiting": read.waiting(hook),
        "testing": read.is_testing(hook),
        "tries": tries,
        "rev": rev,
    }


@bp.get("/<int:webhook_id>")
@guards.signed_in
def show(webhook_id: int) -> Response:
    """The page; for htmx its log, once something is new."""
    context = shown(mine(webhook_id))
    if htmx.is_htmx() and request.args.get("rev") == context["rev"] and context["testing"]:
        return htmx.unchanged()
    return htmx.fragment_or_page("webhooks/_log.html", "webhooks/show.html", **context)


@bp.post("/<int:webhook_id>/test")
@guards.signed_in
def test(webhook_id: int) -> Response:
    with db.transaction():
        webhooks.ask_test(mine(webhook_id), actor=guards.account())
    return see_other(url_for("webhooks.show", webhook_id=webhook_id))


@bp.post("/<int:webhook_id>/pause")
@guards.signed_in
def pause(webhook_id: int) -> Response:
    with db.transaction():
        webhooks.pause(mine(webhook_id), actor=guards.account())
    return see_other(url_for("webhooks.show", webhook_id=webhook_id))


@bp.post("/<int:webhook_id>/resume")
@guards.signed_in
def resume(webhook_id: int) -> Response:
    with db.transaction():
        webhooks.resume(mine(webhook_id), actor=guards.account())
    return see_other(url_for("webhooks.show", webhook_id=webhook_id))


@bp.get("/<int:webhook_id>/delete")
@guards.signed_in
def delete_page(webhook_id: int) -> str:
    return render_template("webhooks/delete.html", hook=mine(webhook_id))


@bp.post("/<int:webhook_id>/delete")
@guards.signed_in
def delete(webhook_id: int) -> Response:
    with db.transaction():
        hook = mine(webhook_id)
        webhooks.remove(hook, actor=guards.account())
    flash(f"The webhook “{hook.label}” is deleted; nothing is sent there any more.", "ok")
    return see_other(url_for("webhooks.listing"))
