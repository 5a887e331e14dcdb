"""The request for access to one dataset, as it is typed and as it is sent."""

from contextlib import closing
from typing import Any

from flask import flash, jsonify, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import clock, db, errors, states
from portal.config import settings
from portal.domain.access_requests import attachments, requests, terms
from portal.messages import Message
from portal.models import Dataset, Request, Terms
from portal.web import formats, forms, htmx, permissions
from portal.web.access_requests.blueprint import address, asking, bp, ref
from portal.web.permissions import dataset_or_404

# These do not save themselves: a name is typed when one agrees, and a file is sent with the form.
NAME, LETTER = "typed-name", "letter-file"


@bp.get("/datasets/<ref>/request")
@permissions.signed_in
def form_page(ref: str) -> Response | str:
    """The form, or the request where one is open already."""
    dataset, me = dataset_or_404(ref), permissions.account()
    existing = requests.open_one(dataset, me)
    if existing is not None and existing.state != states.DRAFT:
        return htmx.see_other(address(existing))
    if blocking := requests.obstacle(dataset, me):
        raise errors.Conflict(blocking, accession=dataset.accession)
    return render_template(
        "access_requests/form.html", **context(dataset, existing), values=shown(dataset, existing), errors={}
    )


def context(dataset: Dataset, existing: Request | None) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "ref": ref(dataset),
        "known": existing,
        "way": asking(dataset),
        "field_of": requests.field_of,
        "largest": attachments.LARGEST,
    }


def shown(dataset: Dataset, existing: Request | None) -> dict[str, str]:
    """What the fields hold: what was typed, or said in an earlier request."""
    if existing:
        stored, answered = {name: str(getattr(existing, name)) for name in requests.FIELDS}, existing.answers
    else:
        stored, answered = requests.said_before(dataset, permissions.account())
    answers = {item["question"]: item["answer"] for item in answered}
    questions = enumerate(terms.of(dataset).questions)
    return stored | {requests.field_of(n): answers.get(item["text"], "") for n, item in questions}


def typed(chosen: Terms) -> dict[str, Any]:
    """The fields of the form, and its answers in the order of the questions."""
    names = [requests.field_of(n) for n in range(len(chosen.questions))]
    return forms.values(*requests.FIELDS) | {"answers": [request.form.get(name, "") for name in names]}


@bp.post("/datasets/<ref>/request/field")
@permissions.signed_in
def save_field(ref: str) -> Response:
    """One field as it is typed; the first makes the draft, which only its writer sees."""
    dataset, form = dataset_or_404(ref), request.form
    name, value = form.get("field", ""), form.get("value", "")
    with db.transaction():
        existing = requests.begin(dataset, actor=permissions.account())
        values = shown(dataset, existing) | {name: value}
        answers = [values[requests.field_of(n)] for n in range(len(terms.of(dataset).questions))]
        fields = {"answers": answers} if name.startswith("answer_") else {name: value}
        fault = str(requests.save(existing, fields, actor=permissions.account()).get(name, ""))
    saved = formats.moment(clock.now(), zone=settings().timezone).rpartition(" ")[2]
    return jsonify(
        {"saved": saved, "fault": fault, "value": value, "address": url_for("access_requests.form_page", ref=ref)}
    )


@bp.post("/datasets/<ref>/request")
@permissions.signed_in
def ask(ref: str) -> Response:
    """Send the request, or keep it as a draft. What was typed stays when it is refused."""
    dataset, me, form = dataset_or_404(ref), permissions.account(), request.form
    existing = requests.open_one(dataset, me)
    if existing is not None and existing.state != states.DRAFT:
        return htmx.go_to(address(existing))
    chosen = terms.of(dataset)
    values = typed(chosen)
    try:
        faults = keep(dataset, values)
        if form.get("then") == "save" and faults:
            raise errors.Invalid(fields=faults)
        if form.get("then") == "save":
            flash("Your draft is kept. Only you see it.", "ok")
            return htmx.go_to(url_for("access_requests.form_page", ref=ref))
        with db.transaction():
            draft = requests.begin(dataset, actor=me)
            requests.ask(draft, values, agreement=form.get(NAME, ""), version=form.get("terms", type=int), actor=me)
    except (errors.Invalid, errors.Conflict) as error:
        return refused(dataset, error)
    flash("Your request is sent. You get a mail at each step.", "ok")
    return htmx.go_to(address(draft))


def keep(dataset: Dataset, values: dict[str, Any]) -> dict[str, Message]:
    """What was typed, and the letter, are a draft first: nothing is lost by a refusal. Returns what is not kept."""
    name, content = attached()
    token = attachments.store(content) if content else None
    former: str | None = None
    try:
        with db.transaction():
            draft = requests.begin(dataset, actor=permissions.account())
            faults = requests.save(draft, values, actor=permissions.account())
            if token or request.form.get("no-letter"):
                former = requests.attach(draft, token=token, name=name, size=len(content), actor=permissions.account())
    except BaseException:
        attachments.remove(token)
        raise
    attachments.remove(former)
    return faults


def attached() -> tuple[str, bytes]:
    """The name and the bytes of the file that came with the form, if one did."""
    sent = request.files.get(LETTER)
    if sent is None or not sent.filename:
        return "", b""
    with closing(sent):
        return sent.filename, sent.read(attachments.LARGEST + 1)


def refused(dataset: Dataset, error: errors.DomainError) -> Response:
    error.rename(lambda name: {"agreement": NAME, "letter": LETTER}.get(name, name))
    db.session.refresh(dataset)
    existing = requests.open_one(dataset, permissions.account())
    values = {name: value for name, value in request.form.items() if name != "csrf_token"}
    return forms.refused("access_requests/form.html", error, **context(dataset, existing), values=values)


@bp.get("/datasets/<ref>/request/discard")
@permissions.signed_in
def discard_page(ref: str) -> Response | str:
    """What would be gone, asked once."""
    dataset = dataset_or_404(ref)
    existing = requests.open_one(dataset, permissions.account())
    if existing is None or existing.state != states.DRAFT:
        return htmx.see_other(url_for("access_requests.form_page", ref=ref))
    return render_template("access_requests/discard.html", **context(dataset, existing))


@bp.post("/datasets/<ref>/request/discard")
@permissions.signed_in
def discard(ref: str) -> Response:
    """Discard the draft, with its letter."""
    dataset, letter = dataset_or_404(ref), None
    with db.transaction():
        existing = requests.open_one(dataset, permissions.account())
        if existing is not None:
            letter = requests.discard(existing, actor=permissions.account())
    attachments.remove(letter)
    flash("The draft is gone.", "ok")
    return htmx.go_to(url_for("catalogue.landing", ref=ref))
