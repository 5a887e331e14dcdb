"""Search and browse, the landing page of a dataset, its list of files."""

import re
from typing import Any

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from portal import errors, states
from portal.config import settings
from portal.domain.datasets import failed_work, publications
from portal.domain.files import accessions
from portal.domain.permissions import access, active_grants
from portal.models import Dataset
from portal.queries.catalogue import released_datasets as released
from portal.queries.paging import keyset
from portal.web import addresses, session
from portal.web.catalogue import citation, datacite, download, ro_crate, sitemap, zip_download
from portal.web.permissions import dataset_or_404

bp = Blueprint("catalogue", __name__)
bp.register_blueprint(download.bp)
bp.register_blueprint(zip_download.bp)
bp.register_blueprint(citation.bp)
bp.register_blueprint(datacite.bp)
bp.register_blueprint(ro_crate.bp)
bp.register_blueprint(sitemap.bp)
ACCESSION = re.compile(r"([A-Z][A-Z0-9]{1,10}?)(\d{6,})(-\d+)?")


@bp.get("/")
def home() -> Response | str:
    """Words, or an accession, which opens its page."""
    terms = {name: request.args.get(name, "").strip() for name in ("term", "access", "type", "after", "before")}
    match = ACCESSION.fullmatch(terms["term"].upper())
    if match and (match[1] == settings().prefix or accessions.is_component(match[0])):
        return redirect(url_for("catalogue.short", accession=match[0]))
    query = released.matching(words=terms["term"], access=terms["access"], data_type=terms["type"])
    page = released.page(query, after=terms["after"], before=terms["before"])
    datasets = [row[0] for row in page.rows]
    return render_template(
        "catalogue/home.html",
        page=page,
        datasets=datasets,
        sums=released.sums(datasets),
        terms=terms,
        facets=released.facets(),
        ftp=addresses.ftp().url,
    )


@bp.get('/<regex("[A-Za-z][A-Za-z0-9]{1,10}[0-9]{6,}(-[0-9]+)?"):accession>')
def short(accession: str) -> Response:
    """OMIX000001 and OMIX000001-01, in letters of any case, lead to the landing page; OMIXS000001 to a component."""
    if accessions.is_component(accession):
        return redirect(url_for("components.component", accession=accession.upper()))
    dataset = dataset_or_404(accession.partition("-")[0].upper())
    number = accession.partition("-")[2]
    return redirect(
        url_for("catalogue.landing", ref=dataset.accession, _anchor=f"file-{int(number)}" if number else None)
    )


@bp.get("/datasets/<ref>")
def landing(ref: str) -> Response:
    """What a dataset is, its files, how to get and cite it. A withdrawn one leaves a tombstone."""
    dataset = dataset_or_404(ref)
    status = 410 if dataset.state == states.WITHDRAWN else 200
    page = released.files(dataset, after=request.args.get("after", ""), before=request.args.get("before", ""))
    metadata = citation.document(dataset) if dataset.state in active_grants.PUBLIC else None
    answer = make_response(
        render_template(
            "catalogue/landing.html",
            **about(dataset),
            **inside(dataset, page),
            page=page,
            cite=citation.line(dataset),
            json_ld=metadata,
        ),
        status,
    )
    if metadata:
        answer.headers["Link"] = citation.signposts(dataset)
    return answer


@bp.get("/datasets/<ref>/files")
def file_list(ref: str) -> str:
    """HTTP Download: the list of files, one link each."""
    dataset = dataset_or_404(ref)
    if dataset.state == states.WITHDRAWN:
        raise errors.Gone(download.WITHDRAWN)
    page = released.files(dataset, after=request.args.get("after", ""), before=request.args.get("before", ""))
    return render_template("catalogue/files.html", **about(dataset), page=page, **inside(dataset, page))


def inside(dataset: Dataset, page: keyset.Page) -> dict[str, Any]:
    """What packages hold, for who may download them: the names of members are told no earlier than the bytes."""
    reach = access.reach(dataset, session.actor())
    covered = [row[0] for row in page.rows if reach is not None and reach.covers(row[0].n)]
    return {"members": released.members(covered)}


def about(dataset: Dataset) -> dict[str, Any]:
    """What both pages say of a dataset."""
    actor = session.actor()
    read_at, bad = released.fixity(dataset)
    return {
        "dataset": dataset,
        "ref": dataset.accession or dataset.id,
        "sum": released.sums([dataset]).get(dataset.id, released.Sum()),
        "downloads": released.downloads(dataset),
        "counted": released.counted(dataset),
        "may_download": (reach := access.reach(dataset, actor)) is not None,
        "reach": reach,
        "is_public": dataset.state in active_grants.PUBLIC,
        "is_owner": access.may_edit(dataset, actor),
        "failed_work": failed_work.of(dataset)
        if (access.may_edit(dataset, actor) or access.may_review(dataset, actor))
        else [],
        "may_review": access.may_review(dataset, actor),
        "shown": states.SHOWN_DATASET[dataset.state],
        "read_at": read_at,
        "bad": bad,
        "papers": [(paper, publications.address(paper)) for paper in publications.of(dataset)],
        "granted_ftp": f"{addresses.ftp().url}/granted/{dataset.accession}/",
        "ftp": f"{addresses.ftp().url}/{settings().prefix}/{dataset.accession}/",
    }
