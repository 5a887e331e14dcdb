"""'Add New File Online': a plain form whose files stream through upload sessions, then are declared in the dataset."""

from typing import Any

from flask import Request, Response, flash, render_template, request
from werkzeug.exceptions import RequestEntityTooLarge

from portal import db, errors, states
from portal.config import settings
from portal.domain.accounts import quotas
from portal.domain.datasets import realms
from portal.domain.files import files
from portal.domain.shared import companions, sizes, text_rules
from portal.domain.uploads import dataset_place
from portal.domain.uploads.uploads import Arrival
from portal.ingest import upload_session
from portal.ingest.upload_session import UploadSession
from portal.messages import say
from portal.models import Account, Dataset
from portal.web import forms, htmx, multipart, permissions, session
from portal.web.datasets.blueprint import address
from portal.web.files.blueprint import bp

DRAIN = 64 << 20


class Sending:
    """The upload of one multipart form. Fields come before the files, the CSRF token first of all."""

    def __init__(self, dataset: Dataset, account: Account) -> None:
        self.account_id, self.dataset_id = account.id, dataset.id
        self.realm = realms.of_access(dataset)
        self.trusted = "X-CSRFToken" in request.headers
        self.fields: dict[str, str] = {}
        self.receipts: list[Arrival] = []
        self.left_out = 0
        self._session: UploadSession | None = None

    def read(self, form_request: Request) -> None:
        """Take everything. Raises what an upload session refuses; what arrived whole before stays in `receipts`."""
        try:
            multipart.read(form_request, field=self._field, begin=self._begin, end=self._end)
        except RequestEntityTooLarge:
            self._stop("too many parts")
            raise
        except errors.DomainError as error:
            self._stop(error.code)
            multipart.drain(form_request, DRAIN)
            raise
        except BaseException:
            self._stop("broken off")
            raise

    def _field(self, name: str, value: str) -> None:
        self.fields[name] = value
        if name == "csrf_token":
            session.check_csrf(value)
            self.trusted = True

    def _begin(self, filename: str) -> UploadSession | None:
        if not self.trusted:
            session.check_csrf(None)
        base = self.fields.pop("as", "").strip() or filename.replace("\\", "/").rpartition("/")[2]
        folder = self.fields.get("folder", "").strip("/ ")
        size = self.fields.pop("size", "")
        if companions.is_companion(base):
            self.left_out += 1
            return None
        announced = int(size) if size.isascii() and size.isdigit() and len(size) < 16 else None
        self._session = upload_session.open(
            self.account_id,
            realm=self.realm,
            name=f"{folder}/{base}",
            via="web",
            announced=announced,
            dataset_id=self.dataset_id,
        )
        return self._session

    def _end(self) -> None:
        session, self._session = self._session, None
        assert session is not None
        try:
            self.receipts.append(session.finish())
        except BaseException:
            session.abort("refused", keep=False)
            raise

    def _stop(self, reason: str) -> None:
        """What is under way leaves nothing behind."""
        if self._session is not None:
            self._session.abort(reason, keep=False)
            self._session = None


@bp.get("/deposit/<ref>/online")
@permissions.signed_in
def online_page(ref: str) -> str:
    dataset, n = permissions.dataset_or_404(ref, "edit"), request.args.get("for", type=int)
    file = files.by_number(dataset, n) if n is not None else None
    folder, _slash, base = file.name.rpartition("/") if file is not None else ("", "", "")
    return render_template(
        "files/online_upload.html", values={"folder": folder, "as": base}, errors={}, wanted=file, **_context(dataset)
    )


def _context(dataset: Dataset) -> dict[str, Any]:
    realm, me = realms.of_access(dataset), permissions.account()
    return {
        "dataset": dataset,
        "realm": realm,
        "limit": settings().web_limit_mib << 20,
        "back": address(dataset, "files"),
        "open": dataset.state in states.OPEN_DATASETS,
        "room": quotas.left(me.center, realm, me.id),
    }


@bp.post("/deposit/<ref>/online")
@permissions.raw_body
@permissions.signed_in
def send(ref: str) -> Response:
    dataset, me = permissions.dataset_or_404(ref, "edit"), permissions.account()
    sending, failure = Sending(dataset, me), None
    try:
        refuse(dataset)
        sending.read(request)
    except errors.DomainError as error:
        failure = error
    dataset = permissions.dataset_or_404(ref, "edit")
    describe(dataset, sending, me)
    if sending.left_out:
        flash(left_out_text(sending.left_out), "ok")
    if failure is None and not sending.receipts:
        failure = errors.Invalid(fields={"file": say("file_not_chosen", "Choose a file first.")})
    if failure is not None:
        return refused(dataset, failure, sending)
    flash(f"{arrival_text(sending.receipts)} {next_step(dataset)}", "ok")
    return htmx.go_to(address(dataset, "files"))


def refuse(dataset: Dataset) -> None:
    """Raises Conflict once the dataset is released, TooLarge for a form over the limit of the web."""
    files.refuse_released(dataset)
    limit = settings().web_limit_mib
    if (request.content_length or 0) > (limit << 20) + multipart.FIELD_LIMIT:
        text = "This field takes files up to {limit}. Send larger ones by FTP."
        raise errors.TooLarge(say("form_too_large", text, limit=sizes.size(limit << 20)))


def describe(dataset: Dataset, sending: Sending, actor: Account) -> None:
    """What was typed beside the bytes is said of their files, where nothing was said before."""
    md5 = _valid(sending.fields.get("declared_md5", "")) if len(sending.receipts) == 1 else None
    title = sending.fields.get("title", "")[:300]
    with db.transaction():
        for receipt in sending.receipts:
            file = dataset_place.file_named(dataset, receipt.place.name)
            if file is None or file.state == states.ARCHIVED:
                continue
            said = {"title": "" if file.title else title, "md5": None if file.declared_md5 else md5}
            if changes := {field: value for field, value in said.items() if value}:
                files.edit(file, changes, actor=actor)


def _valid(md5: str) -> str | None:
    """A malformed MD5 does not take away a file that has arrived: it is said, and declared later."""
    try:
        return text_rules.md5(md5)
    except errors.Invalid as error:
        flash(f"The file arrived; its MD5 was not taken. {error.sentence}", "warn")
        return None


def arrival_text(receipts: list[Arrival]) -> str:
    names_ = ", ".join(receipt.place.name for receipt in receipts[:3])
    more = f" and {len(receipts) - 3:,} more" if len(receipts) > 3 else ""
    return f"{names_}{more} arrived whole."


def next_step(dataset: Dataset) -> str:
    """What is to be done after an upload."""
    if dataset.state in (states.DRAFT, states.RETURNED):
        return "Say what each file is, then press Submit: they are checked and archived after that."
    return "There is nothing more to do: the bytes are checked and archived now."


def left_out_text(count: int) -> str:
    files_ = "1 companion file" if count == 1 else f"{count:,} companion files"
    return f"{files_} of the operating system (._x, .DS_Store, Thumbs.db) left out."


def refused(dataset: Dataset, error: errors.DomainError, sending: Sending) -> Response:
    """The form again: every typed word, the name we would take, and what did arrive."""
    if sending.receipts:
        flash(arrival_text(sending.receipts), "ok")
    better = error.more.get("suggestion")
    values = {**sending.fields, "as": better or sending.fields.get("as", "")}
    if isinstance(error, errors.BadName):
        again = "{fault} Choose the file again: it will be stored under the name below."
        error.field_messages = {"file": say("choose_again", again, fault=error.message)}
    return forms.refused("files/online_upload.html", error, values=values, **_context(dataset))
