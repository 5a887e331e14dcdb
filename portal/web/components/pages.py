"""Metadata in bulk on pages: XML chosen or pasted, what it means, its receipt; the components of a dataset."""

from pathlib import Path
from typing import Any

from flask import Blueprint, Response, flash, g, render_template, request, url_for
from lxml import etree

from portal import errors, states
from portal.domain.components import metamd5, submissions, xml_splitter
from portal.domain.components.submission_batch import Document
from portal.domain.permissions import access
from portal.queries.components import components
from portal.web import htmx, permissions, session

bp = Blueprint("components", __name__)
SHOWN = 200
# What a preview carries along in its form; more is chosen again.
CARRIED = 4 << 20
KINDS = ("STUDY", "SAMPLE", "EXPERIMENT", "RUN", "ANALYSIS")


@bp.get("/deposit/xml")
@permissions.signed_in
def new_page() -> str:
    return render_template("components/new.html", **_context([]))


def _context(documents: list[Document], **more: object) -> dict[str, Any]:
    page = components.deliveries(
        permissions.account(), after=request.args.get("after", ""), before=request.args.get("before", "")
    )
    carried = [(document.name, text(document.data)) for document in documents]
    fits = sum(len(document.data) for document in documents) <= CARRIED
    return {
        "page": page,
        "carried": carried if fits else [],
        "too_large": not fits,
        "batch": None,
        "shown": SHOWN,
        "values": request.form,
        "errors": {},
    } | more


def text(data: bytes) -> str:
    """A document as it is shown and carried on; its encoding is the form's from now on."""
    try:
        return metamd5.decode(data).lstrip()
    except metamd5.Unreadable:
        return data.decode("utf-8", "replace")


@bp.post("/deposit/xml")
@permissions.signed_in
@permissions.raw_body
def send() -> Response:
    """Say what the XML means; with the button Load, load it."""
    request.max_content_length = request.max_form_memory_size = 2 * xml_splitter.LARGEST
    session.check_csrf(request.headers.get("X-CSRFToken") or request.form.get("csrf_token"))
    me, documents, load = permissions.account(), sent(), "load" in request.form
    outcome = submissions.take(
        documents,
        actor=me,
        via="web",
        action=request.form.get("action", ""),
        hold=request.form.get("hold", ""),
        dry=not load,
    )
    if not load or outcome.delivery_id is None:
        return htmx.fragment(
            "components/new.html",
            200 if outcome.success else 422,
            **_context(documents, batch=outcome.batch, counts=tallied(outcome)),
        )
    if outcome.success:
        flash("Everything was loaded.", "ok")
    return htmx.go_to(url_for("components.delivery", number=outcome.delivery_id))


def sent() -> list[Document]:
    """The chosen files, the pasted text, and what the preview carried along."""
    documents = []
    for file in request.files.getlist("documents"):
        if file.filename:
            documents.append(Document(file.filename.rpartition("/")[2][:100], file.read()))
        file.close()
    names = request.form.getlist("called")
    for name, carried in zip(names, request.form.getlist("carried"), strict=False):
        documents.append(Document(name[:100], carried.encode()))
    pasted = request.form.get("xml", "").strip()
    return [*documents, Document("The pasted text", pasted.encode())] if pasted else documents


def tallied(outcome: submissions.Outcome) -> list[tuple[str, int, int, int]]:
    """(type, new, known, red) of each type that is there."""
    rows = []
    for kind in KINDS:
        items = [item for item in outcome.batch.sent_items if item.type == kind]
        good = [item for item in items if item.is_good]
        updated = len([item for item in good if item.current])
        if items:
            rows.append((kind, len(good) - updated, updated, len(items) - len(good)))
    return rows


@bp.get("/deposit/xml/<int:number>")
@permissions.signed_in
def delivery(number: int) -> Response:
    """What became of a delivery; ?receipt=1 is the RECEIPT itself."""
    row = components.delivery(permissions.account(), number)
    if request.args.get("receipt"):
        return Response(
            row.receipt,
            mimetype="application/xml",
            headers={"Content-Disposition": f'attachment; filename="receipt-{number}.xml"'},
        )
    receipt = etree.fromstring(row.receipt)
    nodes = [node for node in receipt if node.tag in KINDS]
    return htmx.fragment(
        "components/delivery.html",
        sent=row,
        objects=nodes,
        shown=SHOWN,
        errors=[node.text for node in receipt.iter("ERROR")],
        infos=[node.text for node in receipt.iter("INFO")],
    )


@bp.get("/review/<ref>/components")
@permissions.curator_only
def listing(ref: str) -> Response:
    """The components of a dataset for its curators: green, grey, red, with the reason. Its submitter tracks them."""
    dataset, g.area = permissions.dataset_or_404(ref, "review"), "review"
    conditions = {name: request.args.get(name, "") for name in ("state", "kind", "after", "before")}
    counts = components.counts(dataset)
    page = components.page(dataset, **conditions)
    return htmx.fragment(
        "components/components.html",
        dataset=dataset,
        page=page,
        conditions=conditions,
        counts=counts,
        kinds=[kind for kind in KINDS if any(kind == counted for counted, _state in counts)],
        totals=totals(counts),
        shown=states.SHOWN_COMPONENT,
    )


def totals(counts: dict[tuple[str, str], int]) -> dict[str, int]:
    totals = dict.fromkeys(states.COMPONENT.states, 0)
    for (_kind, state), count in counts.items():
        totals[state] += count
    return totals


@bp.get('/components/<regex("[A-Za-z][A-Za-z0-9]+"):accession>')
def component(accession: str) -> str:
    """One component: how it stands, its files, its XML."""
    actor = session.actor()
    component = components.load(accession, actor=actor, xml=True)
    g.area = "datasets" if access.may_edit(component.dataset, actor) else "browse"
    if component.xml is None and not access.may_discuss(component.dataset, actor):
        raise errors.NotFound(components.NOT_HERE)
    return render_template(
        "components/component.html",
        component=component,
        status=components.status(component),
        files=components.files(component),
        references=components.references(component),
        text=pretty(component.xml),
        own=access.may_edit(component.dataset, actor),
        reviewing=access.may_review(component.dataset, actor),
        pill=states.SHOWN_COMPONENT[component.state],
        file_shown=states.shown_file,
    )


def pretty(xml: bytes | None) -> str:
    """With line ends, to be read; what is stored has none."""
    if not xml:
        return ""
    root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True, remove_blank_text=True))
    shown: str = etree.tostring(root, pretty_print=True, encoding="unicode")
    return shown


@bp.get("/help/metamd5.py")
def script() -> Response:
    """The canonical MD5 as one file, for people without the portal."""
    return Response(Path(metamd5.__file__).read_bytes(), mimetype="text/x-python")
