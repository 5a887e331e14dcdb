"""'Add New File via FTP': choose from what arrived and no file claims yet, many at once."""

from flask import Response, flash, render_template, request

from portal import db
from portal.config import settings
from portal.domain.datasets import prechecks
from portal.domain.uploads import dataset_files
from portal.queries.uploads import uploads
from portal.web import addresses, htmx, permissions
from portal.web.datasets.blueprint import address
from portal.web.files.blueprint import bp


@bp.get("/deposit/<ref>/ftp")
@permissions.signed_in
def choose_page(ref: str) -> str:
    dataset, args, me = permissions.dataset_or_404(ref, "edit"), request.args, permissions.account()
    folder = args.get("folder", "").strip("/")
    page = uploads.choice(dataset, me, folder=folder, after=args.get("after", ""), before=args.get("before", ""))
    total = uploads.unclaimed_count(dataset, me, folder=folder)
    return render_template(
        "files/choose_uploads.html",
        dataset=dataset,
        page=page,
        folder=folder,
        total=total,
        folders=uploads.folders(dataset, me),
        ftp=addresses.ftp(),
        advice=prechecks.size_advice,
        many=settings().many_files,
        back=address(dataset, "files"),
    )


@bp.post("/deposit/<ref>/ftp")
@permissions.signed_in
def choose(ref: str) -> Response:
    dataset, form, me = permissions.dataset_or_404(ref, "edit"), request.form, permissions.account()
    ids = None if "all" in form else form.getlist("upload", type=int)
    with db.transaction():
        chosen = uploads.chosen(dataset, me, ids, folder=form.get("folder", ""))
        added = dataset_files.take_many(dataset, chosen, actor=me)
    if not added:
        flash("No file was chosen.", "warn")
        return htmx.go_to(request.full_path.rstrip("?"))
    says = "1 file is" if added == 1 else f"{added:,} files are"
    flash(f"{says} added. Now say what each is: press Edit.", "ok")
    return htmx.go_to(address(dataset, "files"))
