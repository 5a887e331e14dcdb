"""The remarks on a dataset, for its submitter and the curators alike: read, written, answered, marked as done."""

from typing import Any

from flask import Response, request, url_for

from portal import db, errors
from portal.domain.datasets import remarks
from portal.domain.files import files
from portal.domain.permissions import access
from portal.models import Dataset, File
from portal.queries.datasets import remark_threads
from portal.web import forms, htmx, permissions
from portal.web.review.blueprint import bp

LISTED = 200


@bp.get("/datasets/<ref>/remarks")
@permissions.signed_in
def news(ref: str) -> Response:
    """Word of new remarks, for the page to ask after; what is typed there stays as it is."""
    dataset = permissions.dataset_or_404(ref, "discuss")
    if not htmx.is_htmx():
        return htmx.see_other(home(dataset))
    after = request.args.get("after", 0, type=int)
    count = remark_threads.newer(dataset, permissions.account(), after)
    return htmx.fragment("review/_news.html", count=count, home=home(dataset)) if count else htmx.unchanged()


@bp.get("/datasets/<ref>/remarks/new")
@permissions.signed_in
def compose(ref: str) -> Response:
    """A remark on one section or file: what it is about, for htmx; else a page of its own."""
    dataset = permissions.dataset_or_404(ref, "discuss")
    remarks.refuse_unsubmitted(dataset)
    start = max(request.args.get("start", 0, type=int), 0)
    context = thread_of(dataset, about=request.args.get("about", ""), start=start)
    return htmx.fragment_or_page(
        "review/remarks/_about.html", "review/remarks/remark.html", dataset=dataset, talk=context, fresh=True
    )


@bp.post("/datasets/<ref>/remarks")
@permissions.signed_in
def say(ref: str) -> Response:
    dataset, form = permissions.dataset_or_404(ref, "discuss"), forms.values("text", "about", "private", "answers")
    section, file = _place(form["about"])
    answers = _number(form["answers"]) if form["answers"] else None
    fragment = "review/remarks/_remarks.html" if answers else "review/remarks/_thread.html"
    try:
        with db.transaction():
            remarks.add(
                dataset,
                form["text"],
                actor=permissions.account(),
                section=section,
                file=file,
                answers=answers,
                public=not form["private"],
            )
    except errors.Invalid as error:
        talk = thread_of(dataset, about=form["about"], typed=form, wrong=error)
        return forms.refused("review/remarks/remark.html", error, fragment=fragment, dataset=dataset, talk=talk)
    return htmx.fragment_or_redirect(fragment, home(dataset), dataset=dataset, talk=thread_of(dataset))


@bp.post("/datasets/<ref>/remarks/<int:n>/<any(done, open):what>")
@permissions.signed_in
def settle(ref: str, n: int, what: str) -> Response:
    """Done, or open again."""
    dataset, me = permissions.dataset_or_404(ref, "discuss"), permissions.account()
    with db.transaction():
        remarks.set_done(dataset, remarks.find(dataset, n, actor=me), done=what == "done", actor=me)
    return htmx.fragment_or_redirect(
        "review/remarks/_remarks.html", home(dataset), dataset=dataset, talk=thread_of(dataset)
    )


def _place(about: str) -> tuple[str, int | None]:
    """A section, or the number of a file, of the field 'about'."""
    kind, _, number = about.partition("-")
    if kind == "file":
        return "files", _number(number)
    return about or "whole", None


def _number(text: str) -> int:
    if not text.isdecimal() or len(text) > 18:
        raise errors.NotFound(errors.NO_SUCH_ROW)
    return int(text)


def home(dataset: Dataset) -> str:
    """The page on which the reader sees the thread."""
    reviewing = access.may_review(dataset, permissions.account()) and not access.may_edit(
        dataset, permissions.account()
    )
    where = "review.show" if reviewing else "datasets.edit_page"
    return url_for(where, ref=dataset.accession or dataset.id, _anchor="thread")


def thread_of(
    dataset: Dataset,
    *,
    about: str = "",
    typed: dict[str, str] | None = None,
    wrong: errors.DomainError | None = None,
    start: int = 0,
) -> dict[str, Any]:
    """Everything that templates/review/remarks/_thread.html shows of a dataset."""
    page = home(dataset)
    answered = (typed or {}).get("answers", "")
    return {
        "thread": remark_threads.of(dataset, permissions.account(), start=start),
        "choices": _choices(dataset, about),
        "about": about,
        "home": page.partition("#")[0],
        "typed": typed or {},
        "answered": int(answered) if answered else None,
        "errors": forms.faults(wrong) if wrong else {},
    }


def _choices(dataset: Dataset, about: str) -> list[tuple[str, str]]:
    """What a remark can be about: sections, and the first files with the one that was asked for."""
    choices = list(remarks.SECTION_TITLES.items())
    query = files.living(dataset).with_only_columns(File.n, File.name).limit(LISTED)
    choices += [(f"file-{n}", f"File -{n:02d}, {name}") for n, name in db.session.execute(query)]
    if about.startswith("file-") and about not in dict(choices):
        choices.append((about, f"File -{about.removeprefix('file-')}"))
    return choices


@bp.app_context_processor
def _share() -> dict[str, Any]:
    """The submitter's form shows the same thread by one line: it asks for it with thread_of(dataset)."""
    return {"thread_of": thread_of}
