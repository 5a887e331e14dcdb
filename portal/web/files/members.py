"""What was found in an upload: its type, its fault, and the members of a package."""

from flask import Blueprint, render_template, request

from portal import inspection
from portal.domain.files import inspection_results
from portal.queries.files import inspections
from portal.web import permissions

bp = Blueprint("members", __name__, url_prefix="/area")


@bp.app_template_test("faulty")
def is_faulty(word: str | None) -> bool:
    """Whether a word of the vocabulary tells of a fault."""
    return bool(word) and not inspection.is_hint(word)


@bp.app_template_filter("cause")
def cause(comment: str) -> str:
    """The first sentence of a comment."""
    head = comment.partition(". ")[0].rstrip(".")
    return f"{head}." if head else ""


@bp.app_template_filter("remedy")
def remedy(comment: str) -> str:
    """What follows the first sentence."""
    return comment.partition(". ")[2]


@bp.app_template_filter("fault_cause")
def fault_cause(word: str) -> str:
    """What a word of the vocabulary means."""
    return cause(inspection.says(word))


@bp.get("/<int:upload_id>/members")
@permissions.signed_in
def listing(upload_id: int) -> str:
    upload, args = inspection_results.readable(upload_id, actor=permissions.account()), request.args
    faults = args.get("view") == "faults"
    page = inspections.page(upload, faults=faults, after=args.get("after", ""), before=args.get("before", ""))
    some = faults or inspections.has_faults(upload)
    return render_template(
        "files/members.html", upload=upload, page=page, faults=faults, some=some, hint=inspection.is_hint(upload.error)
    )
