"""Metadata in bulk by API, in the dialect of ENA's drop-box; and the objects that came of it."""

from typing import Any

from flask import Response, after_this_request, request, url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import FileStorage

from portal import errors, states
from portal.domain.accounts import accounts, tokens
from portal.domain.components import metadata_objects, submissions, xml_splitter
from portal.domain.components.submission_batch import Document
from portal.domain.permissions import access
from portal.messages import say
from portal.models import Account, Component, Dataset, File
from portal.queries.components import components
from portal.web import permissions, session
from portal.web.api.blueprint import bp, described, limit, listing, number
from portal.web.api.documents import moment, state_of

XML = "application/xml"


@bp.post("/submit")
@described(takes=(XML,), gives=(XML,))
def submit() -> Response:
    """Load metadata objects. Multipart parts SUBMISSION, STUDY, SAMPLE, EXPERIMENT, RUN, ANALYSIS hold XML, sets or
    single; or one XML document is the body. ACTION and HOLD_DATE stand in for a SUBMISSION. User name and password
    (or an API token as password) by basic authentication, or a bearer token. The answer is a RECEIPT: success="true"
    only if all was loaded; what could not be is kept with its reason."""
    after_this_request(challenge)
    request.max_content_length = request.max_form_memory_size = xml_splitter.LARGEST
    actor = caller()
    outcome = submissions.take(
        sent(), actor=actor, via="api", action=request.form.get("ACTION", ""), hold=request.form.get("HOLD_DATE", "")
    )
    return Response(outcome.receipt, mimetype=XML)


def challenge(answer: Response) -> Response:
    """Clients that wait to be asked are asked for a name and password."""
    if answer.status_code == 401:
        answer.headers["WWW-Authenticate"] = 'Basic realm="metadata", charset="UTF-8"'
    return answer


def caller() -> Account:
    """By basic authentication as curl's -u sends it, under the same throttle as every sign-in; else as any call."""
    given = request.authorization
    if given is None or given.type != "basic":
        return permissions.account()
    email, password = given.username or "", given.password or ""
    token = tokens.find("api", password) if password.startswith(tokens.PREFIX) else None
    if token is not None and token.account.is_active and token.account.email == email.strip().lower():
        return token.account
    return accounts.authenticate(email, password, address=session.client_address())


def sent() -> list[Document]:
    """The documents of the request: files or fields of a form, or the body itself."""
    if request.mimetype != "multipart/form-data" and request.mimetype != "application/x-www-form-urlencoded":
        body = request.get_data()
        return [Document("The body", body)] if body.strip() else []
    documents = []
    for part, file in request.files.items(multi=True):
        if part.upper() not in metadata_objects.ALL:
            raise errors.Invalid(
                say(
                    "part_unknown",
                    "There is no part {part}. Parts are {parts}.",
                    part=part[:40],
                    parts=", ".join(metadata_objects.ALL),
                )
            )
        documents.append(Document(called(part, file), file.read()))
        file.close()
    for part, text in request.form.items(multi=True):
        if part.upper() in metadata_objects.ALL and text.strip():
            documents.append(Document(f"{part.upper()} part", text.encode()))
    return documents


def called(part: str, file: FileStorage) -> str:
    """The name of a part's file, with its part where that does not say so."""
    name = (file.filename or "").rpartition("/")[2][:100]
    return name if part.lower() in name.lower() else f"{part.upper()} {name}".strip()


@bp.get("/components")
@described(answer="Component", lists=True)
def list_components() -> ResponseReturnValue:
    """My components in the order they came, for curators all. ?type=, ?state=, ?dataset= and ?alias= filter."""
    conditions = {name: request.args.get(name, "") for name in ("state", "dataset", "alias")}
    rows = components.of_account(
        permissions.account(),
        after=number("after", 0),
        limit=limit() + 1,
        kind=request.args.get("type", ""),
        **conditions,
    )
    return listing(rows, brief, lambda component: component.id)


@bp.get('/components/<regex("[A-Za-z][A-Za-z0-9]+"):accession>')
@described(answer="Component")
def show_component(accession: str) -> ResponseReturnValue:
    """One component by its accession: how it stands, what it refers to, the files it names. Released ones are open to
    everybody."""
    actor = session.actor()
    component = components.load(accession, actor=actor)
    whole = access.may_discuss(component.dataset, actor)
    files = [named(component.dataset, file) for file in components.files(component)]
    document = brief(component) | {"references": components.references(component), "files": files}
    return document if whole else document | {"comment": ""}


def named(dataset: Dataset, file: File) -> dict[str, Any]:
    state = state_of(dataset, file)
    color = states.shown_file(state, file.error).color
    return {"name": file.name, "number": file.n, "state": state, "color": color}


@bp.get('/components/<regex("[A-Za-z][A-Za-z0-9]+"):accession>.xml')
@described(gives=(XML,))
def component_xml(accession: str) -> Response:
    """The XML of a component as it is stored: annotated with accessions, canonical, its MD5 that of these bytes."""
    component = components.load(accession, actor=session.actor(), xml=True)
    if component.xml is None or components.status(component) == "withdrawn":
        raise errors.NotFound(components.NOT_HERE)
    answer = Response(component.xml, mimetype=XML)
    answer.headers["Content-Disposition"] = f'attachment; filename="{component.accession}.xml"'
    answer.set_etag(component.md5 or "")
    answer.make_conditional(request)
    return answer


def brief(component: Component) -> dict[str, Any]:
    dataset, status = component.dataset, components.status(component)
    return {
        "accession": component.accession,
        "type": component.type,
        "alias": component.alias,
        "title": component.title,
        "center": component.center.name,
        "submission": dataset.accession,
        "dataset": dataset.id,
        "state": component.state,
        "color": states.SHOWN_COMPONENT[component.state].color,
        "comment": component.comment,
        "status": status,
        "visibility": "public" if dataset.access == "open" else "controlled",
        "md5": component.md5,
        "origin": component.origin,
        "received": moment(component.received_at),
        "updated": moment(component.updated_at),
        "published": moment(component.published_at),
        "url": where("api.show_component", component),
        "xml": where("api.component_xml", component) if component.md5 and status != "withdrawn" else None,
    }


def where(endpoint: str, component: Component) -> str | None:
    return url_for(endpoint, accession=component.accession, _external=True) if component.accession else None
