"""What files that wait for their bytes wait for: nothing of their name came, or it is there and not theirs."""

from sqlalchemy import and_, select
from sqlalchemy.orm import aliased

from portal import db, states
from portal.domain.permissions import access
from portal.models import Dataset, File, Upload

MOST_NAMED = 1000  # uploads that are looked at for waiting files of their names
NOT_SENT = "No upload of this name"


def waits_for(dataset: Dataset, file_ids: list[int] | None = None) -> dict[int, str]:
    """What waiting files wait for, where an upload of their name is there but not theirs: by file id, in words. Of all
    files of the dataset, or of these; the others wait for an upload (NOT_SENT)."""
    if file_ids == []:
        return {}
    claims, owner = aliased(File), aliased(Dataset)
    query = (
        select(File.id, claims.id.label("taken"), owner.id.label("by"), owner.accession)
        .join(Upload, and_(Upload.account_id.in_(access.editors(dataset)), Upload.base == File.base))
        .outerjoin(claims, and_(claims.upload_id == Upload.id, claims.state.not_in(states.DEAD_FILES)))
        .outerjoin(owner, owner.id == claims.dataset_id)
        .where(
            File.dataset_id == dataset.id,
            File.state == states.WAITING,
            Upload.area == "incoming",
            Upload.state.in_((states.RECEIVED, states.CHECKING, states.FAILED, states.ARCHIVED)),
        )
        .order_by(Upload.id)
        .limit(MOST_NAMED)
    )
    if file_ids is not None:
        query = query.where(File.id.in_(file_ids))
    free: dict[int, int] = {}
    words: dict[int, str] = {}
    for row in db.session.execute(query):
        if row.taken is None:
            free[row.id] = free.get(row.id, 0) + 1
        else:
            whose = "another file of this dataset" if row.by == dataset.id else row.accession or "another draft"
            words[row.id] = f"The upload of this name went to {whose}. Send it again, or choose another"
    for file_id, count in free.items():
        there = "An upload of this name is" if count == 1 else f"{count} uploads of this name are"
        words[file_id] = f"{there} in no dataset: choose one"
    return words
