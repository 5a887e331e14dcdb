"""The files of a dataset by API."""

from flask.typing import ResponseReturnValue

from portal import db, errors
from portal.domain.files import bulk_edit, files
from portal.domain.uploads import dataset_files, folders, replacements
from portal.messages import say
from portal.queries.datasets import api_lists
from portal.web import permissions, session
from portal.web.api import documents
from portal.web.api.blueprint import any_body, body, bp, described, limit, listing, number
from portal.web.api.datasets.datasets import rows
from portal.web.permissions import dataset_or_404


@bp.get("/datasets/<ref>/files")
@described(answer="File", lists=True)
def list_files(ref: str) -> ResponseReturnValue:
    """The files of a dataset by number."""
    dataset = dataset_or_404(ref)
    page = documents.listed(dataset, session.actor(), after=number("after", 0), limit=limit() + 1)
    running, full = api_lists.running(dataset, page), documents.sees_all(dataset, session.actor())
    return listing(page, lambda file: documents.of_file(dataset, file, running, full=full), lambda file: file.n)


@bp.post("/datasets/<ref>/files")
@described(body="Files", answer="File", status=201, lists=True)
def add_files(ref: str) -> ResponseReturnValue:
    """Declare files: one object, a list, or {"files": [...]}. All or none."""
    actor, given = permissions.account(), any_body()
    if isinstance(given, dict) and "files" in given:
        given = given["files"]
    dataset = dataset_or_404(ref, "edit")
    declared_rows = rows(given, dataset.data_type)
    if not declared_rows:
        fault = say("file_name_missing", "Name the file.")
        raise errors.Invalid(say("files_none_named", "Name at least one file."), fields={"name": fault})
    with db.transaction():
        try:
            added = files.add(dataset, declared_rows, actor=actor)
        except errors.Invalid as error:
            if isinstance(given, dict):  # the only one has no number
                error.rename(lambda name: name.removeprefix("files.0."))
            raise
    declared = files.of_numbers(dataset, added)
    running = api_lists.running(dataset, declared)
    return {"items": [documents.of_file(dataset, file, running) for file in declared], "next": None}, 201


@bp.patch("/datasets/<ref>/files/<int:file_number>")
@described(body="FileChanges", answer="File")
def change_file(ref: str, file_number: int) -> ResponseReturnValue:
    """Change what is said of a file. A mended MD5 is compared at once."""
    actor, given = permissions.account(), body()
    dataset = dataset_or_404(ref, "edit")
    names = ("name", "title", "description", "data_type", "samples", "unit", "md5")
    with db.transaction():
        file = files.by_number(dataset, file_number)
        files.edit(file, {name: given[name] for name in names if name in given}, actor=actor)
    return documents.of_file(dataset, file, api_lists.running(dataset, [file]))


@bp.post("/datasets/<ref>/files/<int:file_number>/replacement")
@described(body="Replacement", answer="File", status=201)
def replace_file(ref: str, file_number: int) -> ResponseReturnValue:
    """Let other bytes take the place of a file: `name` is where they are or will be uploaded, `md5` theirs."""
    actor, given = permissions.account(), body()
    dataset = dataset_or_404(ref, "edit")
    with db.transaction():
        file = files.by_number(dataset, file_number)
        new = replacements.replace(file, name=str(given.get("name") or ""), md5=given.get("md5"), actor=actor)
    return documents.of_file(dataset, new, api_lists.running(dataset, [new])), 201


@bp.put("/datasets/<ref>/files/<int:file_number>/upload")
@described(body="Use", answer="File")
def use_upload(ref: str, file_number: int) -> ResponseReturnValue:
    """Let a file take one of my uploads, as one of its `offers`: what came under its name and was not taken by itself,
    because the file has good bytes already or several could be meant. Archived bytes are replaced as by a
    replacement; the answer is the file that has the upload then."""
    actor, dataset, given = permissions.account(), dataset_or_404(ref, "edit"), body()
    with db.transaction():
        upload = folders.own(given["upload"], actor=actor)
        file = dataset_files.use(files.by_number(dataset, file_number), upload, actor=actor)
    return documents.of_file(dataset, file, api_lists.running(dataset, [file]))


@bp.delete("/datasets/<ref>/files/<int:file_number>")
@described(status=204)
def remove_file(ref: str, file_number: int) -> ResponseReturnValue:
    """Take a file out of its dataset; bytes that were not archived stay in the area."""
    actor = permissions.account()
    dataset = dataset_or_404(ref, "edit")
    with db.transaction():
        bulk_edit.remove(dataset, [files.by_number(dataset, file_number).id], actor=actor)
    return "", 204
