"""Uploads of the area given to a dataset, many at once: ticked there, then added to one that is chosen or new."""

from flask import render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response

from portal import db
from portal.domain.datasets import datasets
from portal.domain.uploads import dataset_files, dataset_place, folders
from portal.models import Upload
from portal.queries.uploads import dataset_places
from portal.web import htmx, permissions
from portal.web.datasets.blueprint import address
from portal.web.files.blueprint import bp
from portal.web.uploads.blueprint import ADVICE, flash_count
from portal.web.uploads.bulk_actions import ticked


@bp.post("/area/chosen/give")
@permissions.signed_in
def ask_dataset() -> str | Response:
    """What was ticked, and the question which dataset is to have it."""
    rows = ticked()
    if not rows:
        return htmx.go_to(url_for("uploads.listing"))
    return render_template("files/give_uploads.html", **_giving(rows), values={"dataset": ""}, wrong={})


def _giving(rows: list[Upload]) -> dict[str, object]:
    return {"rows": rows, "datasets": dataset_places.places_of(permissions.account().id)}


@bp.post("/area/chosen/give/done")
@permissions.signed_in
def give() -> Response:
    """Into a dataset that is open to changes, or into a new one, which then wants its words."""
    me, ref = permissions.account(), request.form.get("dataset", "")
    ids = [row.id for row in ticked()]
    try:
        with db.transaction():
            if ref == "new":
                dataset = datasets.create(actor=me, access=access_of(ids))
            else:
                dataset = dataset_place.open_to(ref or "0", me)
            rows = [folders.own(upload_id, actor=me) for upload_id in ids]
            for row in rows:
                dataset_files.refuse_for(dataset, row)
            count = dataset_files.take_many(dataset, rows, actor=me)
            target = address(dataset, "files")
    except ADVICE as error:
        rows = [folders.own(upload_id, actor=me) for upload_id in ids]
        wrong = {"dataset": "Choose a dataset."} if not ref else {"dataset": error.sentence}
        status = error.status if ref and error.status in (409, 422) else 422
        return htmx.fragment("files/give_uploads.html", status, **_giving(rows), values={"dataset": ref}, wrong=wrong)
    flash_count(count, "in the dataset now. Say what each is: press Edit")
    return htmx.go_to(target)


def access_of(ids: list[int]) -> str:
    """Protected bytes go into a controlled dataset alone."""
    query = select(Upload.id).where(Upload.id.in_(ids), Upload.realm == "protected").limit(1)
    return "controlled" if db.session.scalar(query) is not None else "open"
