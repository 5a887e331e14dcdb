"""The terms of a dataset, to read and to set; who decides; the site's default."""

from typing import Any

from flask import flash, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import db, errors
from portal.domain.access_requests import duo, terms
from portal.domain.accounts import rate_limit
from portal.models import Dataset, Terms
from portal.web import forms, htmx, permissions
from portal.web.access_requests.blueprint import bp, ref
from portal.web.permissions import dataset_or_404

VERSIONS = 50


@bp.get("/datasets/<ref>/agreement")
def agreement(ref: str) -> str:
    """The whole agreement, for everybody who sees the dataset; `?version=` an earlier one of its own."""
    dataset = dataset_or_404(ref)
    version_id = request.args.get("version", type=int)
    chosen = terms.of(dataset)
    if version_id is not None and version_id != chosen.id:
        chosen = terms.version(dataset, version_id) or chosen
    return render_template("access_requests/agreement.html", dataset=dataset, ref=ref, terms=chosen, codes=duo.CODES)


def settable(ref: str) -> Dataset:
    dataset = dataset_or_404(ref)
    terms.require_setter(dataset, permissions.account())
    return dataset


@bp.get("/datasets/<ref>/terms")
@permissions.signed_in
def terms_page(ref: str) -> str:
    dataset = settable(ref)
    return render_template("access_requests/terms.html", **context(dataset), values=shown(terms.of(dataset)), errors={})


def context(dataset: Dataset | None) -> dict[str, Any]:
    values: dict[str, Any] = {
        "dataset": dataset,
        "permissions": duo.PERMISSIONS,
        "modifiers": duo.MODIFIERS,
        "versions": terms.versions(dataset, limit=VERSIONS),
        "own": dataset is None,
    }
    if dataset is not None:
        values |= {
            "ref": ref(dataset),
            "members": terms.members(dataset),
            "committee": terms.committee(dataset),
            "own": terms.own(dataset) is not None,
        }
    return values


def shown(chosen: Terms) -> dict[str, Any]:
    questions = (question["text"] + ("" if question["needed"] else " (optional)") for question in chosen.questions)
    return {
        "agreement": chosen.agreement,
        "questions": "\n".join(questions),
        "longest_days": chosen.longest_days,
        "uses": chosen.uses,
    }


def typed() -> dict[str, Any]:
    return forms.values("agreement", "questions", "longest_days") | {"uses": request.form.getlist("uses")}


@bp.post("/datasets/<ref>/terms")
@permissions.signed_in
def write(ref: str) -> Response:
    """Make a new version of the terms; requests keep the version that was agreed to."""
    dataset = settable(ref)
    return _write(dataset, url_for("access_requests.terms_page", ref=ref))


def _write(dataset: Dataset | None, back: str) -> Response:
    try:
        with db.transaction():
            new = terms.write(dataset, typed(), actor=permissions.account())
    except (errors.Invalid, errors.Conflict) as error:
        return forms.refused("access_requests/terms.html", error, **context(dataset), values=typed())
    flash(f"Version {new.version} of the terms holds from now on.", "ok")
    return htmx.go_to(back)


@bp.get("/requests/terms")
@permissions.curator_only
def default_page() -> str:
    return render_template("access_requests/terms.html", **context(None), values=shown(terms.default()), errors={})


@bp.post("/requests/terms")
@permissions.curator_only
def write_default() -> Response:
    """The site's default, for datasets without terms of their own."""
    return _write(None, url_for("access_requests.default_page"))


@bp.post("/datasets/<ref>/deciders")
@permissions.signed_in
def add_decider(ref: str) -> Response:
    """Somebody who decides too, by e-mail; or the name of the committee."""
    dataset, form = settable(ref), request.form
    me = permissions.account()
    try:
        if "committee" in form:
            with db.transaction():
                terms.set_committee(dataset, form["committee"], actor=me)
        else:
            with rate_limit.guessing("decider", me.id), db.transaction():
                terms.add_decider(dataset, form.get("email", ""), actor=me)
    except (errors.Invalid, errors.Conflict, errors.Throttled) as error:
        values = shown(terms.of(dataset)) | forms.values("email", "committee")
        return forms.refused("access_requests/terms.html", error, **context(dataset), values=values)
    return htmx.go_to(url_for("access_requests.terms_page", ref=ref, _anchor="deciders"))


@bp.post("/datasets/<ref>/deciders/<int:account_id>/remove")
@permissions.signed_in
def remove_decider(ref: str, account_id: int) -> Response:
    dataset = settable(ref)
    with db.transaction():
        terms.remove_decider(dataset, account_id, actor=permissions.account())
    return htmx.go_to(url_for("access_requests.terms_page", ref=ref, _anchor="deciders"))
