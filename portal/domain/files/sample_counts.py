"""Number of Samples/Files of packages (OMIX guide: of an archive, the files in it), filled in after inspection."""

from sqlalchemy import or_, select, update

from portal import clock, db, states
from portal.domain.shared import history, job_queue
from portal.models import Dataset, File, Upload

# What a curator approved is changed by nobody but its submitter.
STILL_WRITTEN = (states.DRAFT, states.RETURNED, states.SUBMITTED)
HINTS = or_(Upload.error.is_(None), Upload.error.like("duplicate%"))


def prefill(upload_ids: list[int]) -> None:
    """Where nobody typed a number, the files that claim these packages get that of their members. May run twice."""
    for start in range(0, len(upload_ids), 500):
        _prefill(upload_ids[start : start + 500])


def _prefill(upload_ids: list[int]) -> None:
    query = (
        select(
            File.id, File.unit, File.upload_id, Upload.member_count, Dataset.id, Dataset.center_id, Dataset.accession
        )
        .join(Upload, Upload.id == File.upload_id)
        .join(Dataset, Dataset.id == File.dataset_id)
        .where(
            File.upload_id.in_(upload_ids),
            File.samples.is_(None),
            File.state.not_in(states.DEAD_FILES),
            Dataset.state.in_(STILL_WRITTEN),
            Upload.inspection == states.INSPECTED,
            Upload.member_count > 0,
            HINTS,
        )
    )
    events: list[dict[str, object]] = []
    for file_id, unit, upload_id, members, dataset_id, center_id, accession in db.session.execute(query).all():
        values = {"samples": members, "unit": "files"}
        db.session.execute(update(File).where(File.id == file_id).values(**values, updated_at=clock.now()))
        events.append(
            {
                "center_id": center_id,
                "dataset_id": dataset_id,
                "file_id": file_id,
                "upload_id": upload_id,
                "before": {"samples": None, "unit": unit},
                "after": values,
                "note": "Counted in the package.",
            }
        )
        if accession:
            job_queue.enqueue("components", dataset_id=dataset_id, priority=4)
    if events:
        history.append_all("edit_file", events)
