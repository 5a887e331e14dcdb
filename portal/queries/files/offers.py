"""What lies in the drop boxes of a dataset's editors under the name of one of its files: newer bytes than it has, or
several that it could mean. Nothing is taken before somebody says so."""

from typing import NamedTuple

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import aliased

from portal import db, states
from portal.domain.files import matching
from portal.models import Dataset, File, Upload

MOST = 1000
_HAS = aliased(Upload)


class Offer(NamedTuple):
    """An upload of an account's drop box that a file could take. `newer`: the file has good or red bytes already."""

    file_id: int
    n: int
    upload_id: int
    name: str
    size: int
    received_at: int | None
    account_id: int
    newer: bool


def offers(dataset: Dataset, file_ids: list[int] | None = None) -> dict[int, list[Offer]]:
    """By file the uploads that it could take, the newest first; of all files of the dataset, or of these."""
    if file_ids == []:
        return {}
    waits = and_(File.state == states.WAITING, Upload.base == File.base)
    known = or_(File.sha256 == Upload.sha256, _HAS.sha256 == Upload.sha256)
    newer = and_(
        File.state.not_in((states.WAITING, *states.DEAD_FILES)),
        Upload.name == File.name,
        Upload.id > File.upload_id,
        or_(known.is_(None), ~known),
    )
    query = (
        select(
            File.id,
            File.n,
            Upload.id,
            Upload.name,
            Upload.size,
            Upload.received_at,
            Upload.account_id,
            File.state != states.WAITING,
        )
        .join(Upload, Upload.base == File.base)
        .outerjoin(_HAS, _HAS.id == File.upload_id)
        .where(File.dataset_id == dataset.id, *matching.in_box_for(dataset), or_(waits, newer))
        .order_by(File.n, Upload.id.desc())
        .limit(MOST)
    )
    if file_ids is not None:
        query = query.where(File.id.in_(file_ids))
    found: dict[int, list[Offer]] = {}
    for row in db.session.execute(query):
        found.setdefault(row[0], []).append(Offer(*row[:7], newer=bool(row[7])))
    return found
