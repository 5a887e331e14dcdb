"""Webhooks of one's account: added, tested, paused, resumed, deleted, with what came of the last attempts.

The secret is shown once, in the answer to the form that made it."""

from typing import Any

from flask import Blueprint, flash, make_response, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.config import settings
from portal.domain.shared import outbound_hosts
from portal.domain.webhooks import subscriptions
from portal.models import Webhook
from portal.queries.webhooks import webhooks as read
from portal.web import forms, htmx, permissions
from portal.web.htmx import see_other

bp = Blueprint("webhooks", __name__, url_prefix="/account/webhooks")


def mine(webhook_id: int) -> Webhook:
    return subscriptions.find(permissions.account(), webhook_id)


def listed() -> dict[str, Any]:
    hooks = [(hook, read.shown(hook)) for hook in subscriptions.of(permissions.account())]
    return {"hooks": hooks, "most": subscriptions.MOST, "private": settings().webhook_private}


@bp.get("")
@permissions.signed_in
def listing() -> str:
    return render_template("webhooks/list.html", **listed(), values={}, errors={})


@bp.post("")
@permissions.signed_in
def add() -> Response:
    account, values = permissions.account(), forms.values("address", "label")
    try:
        address = outbound_hosts.check(values["address"])
        with db.transaction():
            hook = subscriptions.add(account, address, label=values["label"], actor=account)
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
@permissions.signed_in
def show(webhook_id: int) -> Response:
    """The page; for htmx its log, once something is new."""
    context = shown(mine(webhook_id))
    if htmx.is_htmx() and request.args.get("rev") == context["rev"] and context["testing"]:
        return htmx.unchanged()
    return htmx.fragment_or_page("webhooks/_log.html", "webhooks/show.html", **context)


@bp.post("/<int:webhook_id>/test")
@permissions.signed_in
def test(webhook_id: int) -> Response:
    with db.transaction():
        subscriptions.ask_test(mine(webhook_id), actor=permissions.account())
    return see_other(url_for("webhooks.show", webhook_id=webhook_id))


@bp.post("/<int:webhook_id>/pause")
@permissions.signed_in
def pause(webhook_id: int) -> Response:
    with db.transaction():
        subscriptions.pause(mine(webhook_id), actor=permissions.account())
    return see_other(url_for("webhooks.show", webhook_id=webhook_id))


@bp.post("/<int:webhook_id>/resume")
@permissions.signed_in
def resume(webhook_id: int) -> Response:
    with db.transaction():
        subscriptions.resume(mine(webhook_id), actor=permissions.account())
    return see_other(url_for("webhooks.show", webhook_id=webhook_id))


@bp.get("/<int:webhook_id>/delete")
@permissions.signed_in
def delete_page(webhook_id: int) -> str:
    return render_template("webhooks/delete.html", hook=mine(webhook_id))


@bp.post("/<int:webhook_id>/delete")
@permissions.signed_in
def delete(webhook_id: int) -> Response:
    with db.transaction():
        hook = mine(webhook_id)
        subscriptions.remove(hook, actor=permissions.account())
    flash(f"The webhook “{hook.label}” is deleted; nothing is sent there any more.", "ok")
    return see_other(url_for("webhooks.listing"))
