"""What the API answers: datasets, files, uploads and events as plain dictionaries."""

from typing import Any

from flask import url_for

from portal import clock, states
from portal.domain.datasets import actions, failed_work, share_links
from portal.domain.files import accessions
from portal.domain.permissions import access
from portal.models import Account, Dataset, File, Member, Upload
from portal.queries.datasets import api_lists
from portal.queries.files.waiting import NOT_SENT

INLINE = 1000
TEXTS = ("description", "species", "taxon_id", "investigator", "data_type", "bioproject")
# What is between the submitter and the curators.
INNER = ("filing_number", "human", "realm", "approved_version")
WITHDRAWN = "Its dataset was withdrawn: no copy of the bytes is kept."
moment = clock.rfc3339


def brief(dataset: Dataset) -> dict[str, Any]:
    """A dataset in a list."""
    return {
        "id": dataset.id,
        "accession": dataset.accession,
        "state": dataset.state,
        "status": states.STATUS[dataset.state],
        "version": dataset.version,
        "title": dataset.title,
        "access": dataset.access,
        "release_date": dataset.release_date,
        "updated": moment(dataset.updated_at),
        "url": url_for("api.show_dataset", ref=dataset.accession or dataset.id, _external=True),
    }


def whole(dataset: Dataset, actor: Account | None) -> dict[str, Any]:
    """A dataset with its first thousand files; `files_next` leads to the rest."""
    files = listed(dataset, actor, after=0, limit=INLINE + 1)
    running, full = api_lists.running(dataset, files), sees_all(dataset, actor)
    document = brief(dataset) | {name: getattr(dataset, name) for name in (*TEXTS, *(INNER if full else ()))}
    document |= {
        "center": dataset.center.name,
        "submitter": dataset.submitter,
        "created": moment(dataset.created_at),
        "submitted": moment(dataset.first_submitted_at),
        "released": moment(dataset.released_at),
        "actions": [move.action for move in actions.offered(dataset, actor=actor)] if actor else [],
        "files": [of_file(dataset, file, running, full=full) for file in files[:INLINE]],
        "files_next": None,
        "failed_work": [of_failed_work(work) for work in failed_work.of(dataset)] if full else [],
        "author_traces": [str(trace) for trace in share_links.exposed(dataset)] if full else [],
    }
    if len(files) > INLINE:
        after = files[INLINE - 1].n
        document["files_next"] = url_for("api.list_files", ref=dataset.id, after=after, limit=500, _external=True)
    return document


def of_failed_work(work: failed_work.FailedWork) -> dict[str, Any]:
    """A background job that failed for good while the dataset waits for it."""
    return {
        "job": work.job.id,
        "kind": work.job.kind,
        "cause": work.cause,
        "says": str(work.message),
        "since": moment(work.job.ended_at),
    }


def sees_all(dataset: Dataset, actor: Account | None) -> bool:
    """Whether the reader works on the dataset: declared digests and faults are no reader's matter."""
    return access.may_edit(dataset, actor) or access.may_review(dataset, actor)


def listed(dataset: Dataset, actor: Account | None, *, after: int, limit: int) -> list[File]:
    """Its files by number. Of a withdrawn dataset readers are told that it was there, and no more."""
    if dataset.state == states.WITHDRAWN and not sees_all(dataset, actor):
        return []
    return api_lists.files(dataset, after=after, limit=limit)


def of_file(dataset: Dataset, file: File, running: api_lists.Running, *, full: bool = True) -> dict[str, Any]:
    upload = file.upload
    state = state_of(dataset, file)
    gone = state != file.state
    document: dict[str, Any] = {
        "number": file.n,
        "accession": accessions.of_file(dataset.accession, file.n) if dataset.accession else None,
        "name": file.name,
        "title": file.title,
        "description": file.description,
        "data_type": file.data_type,
        "samples": file.samples,
        "unit": file.unit,
        "md5": file.md5 or file.declared_md5,
        "sha256": file.sha256,
        "size": file.size if file.size is not None else (upload.size if upload else None),
        "state": state,
        "color": states.shown_file(state, file.error).color,
    }
    if full:
        document |= {
            "error": file.error,
            "comment": WITHDRAWN
            if gone
            else running.delays.says(upload, file)
            or file.comment
            or (upload.detail if upload else "")
            or running.delays.waits(upload, file)
            or (f"{running.waits.get(file.id, NOT_SENT)}." if state == states.WAITING else ""),
            "file_type": upload.file_type if upload else None,
            "file_error": upload.error if upload else None,
            "progress": None if gone else running.progress(file),
            "declared_md5": file.declared_md5,
            "received_md5": upload.md5 if upload else None,
            "upload": file.upload_id,
            "offers": [offer.upload_id for offer in running.offers.get(file.id, ())],
            "fixity": file.fixity,
            "replaces": api_lists.replaced(file),
        }
    return document


def state_of(dataset: Dataset, file: File) -> str:
    """What a file is told to be: nothing of a withdrawn dataset is archived."""
    gone = dataset.state == states.WITHDRAWN and file.state == states.ARCHIVED
    return states.REMOVED if gone else file.state


def of_upload(upload: Upload, accession: str | None) -> dict[str, Any]:
    return {
        "id": upload.id,
        "realm": upload.realm,
        "area": upload.area,
        "name": upload.name,
        "size": upload.bytes_done if upload.state == states.RECEIVING else upload.size,
        "md5": upload.md5,
        "sha256": upload.sha256,
        "state": upload.state,
        "error": upload.error,
        "detail": upload.detail,
        "file_type": upload.file_type,
        "inspection": upload.inspection,
        "inspected": moment(upload.inspected_at),
        "members": upload.member_count,
        "replaced_by": upload.replaced_by,
        "received": moment(upload.received_at),
        "dataset": accession,
    }


def of_member(member: Member) -> dict[str, Any]:
    return {
        "number": member.n,
        "name": member.name,
        "size": member.size,
        "md5": member.md5,
        "file_type": member.file_type,
        "error": member.error,
    }
