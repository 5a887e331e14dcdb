"""Which files could take uploads of a drop box that none took by itself: those of their path, in datasets that their
sender may edit."""

from typing import NamedTuple

from sqlalchemy import or_, select
from sqlalchemy.orm import aliased

from portal import db, states
from portal.domain.permissions import access
from portal.models import Account, Dataset, File, Upload

_HAS = aliased(Upload)
MOST_DATASETS = 500


class Wanting(NamedTuple):
    """A file that could take an upload; it `waits`, or has bytes already."""

    ref: str
    title: str
    n: int
    waits: bool


def wanted(account: Account, uploads: list[Upload]) -> dict[int, list[Wanting]]:
    """By upload of the account's drop box the files that could take it; identical bytes are no offer."""
    ids = [upload.id for upload in uploads if upload.dataset_id is None and upload.state in states.NAMED]
    if not ids:
        return {}
    mine = select(Dataset.id).where(access.editable_by(account.id), Dataset.state.in_(states.OPEN_DATASETS))
    names = {upload.name for upload in uploads}
    query = (
        select(Upload.id, Dataset.id, Dataset.accession, Dataset.title, File.n, File.state)
        .select_from(File)
        .join(Dataset, Dataset.id == File.dataset_id)
        .join(Upload, Upload.name == File.name)
        .outerjoin(_HAS, _HAS.id == File.upload_id)
        .where(
            File.dataset_id.in_(list(db.session.scalars(mine.order_by(Dataset.id.desc()).limit(MOST_DATASETS)))),
            File.name.in_(names),  # both are named, so that the index of names serves
            Upload.id.in_(ids),
            Upload.area == "incoming",
            File.state.not_in(states.DEAD_FILES),
            or_(File.upload_id.is_(None), File.upload_id < Upload.id),
            or_(Upload.sha256.is_(None), _HAS.sha256.is_(None), _HAS.sha256 != Upload.sha256),
            or_(Upload.realm == "open", Dataset.access == "controlled"),
        )
        .order_by(Upload.id, Dataset.id, File.n)
        .limit(1000)
    )
    found: dict[int, list[Wanting]] = {}
    for row in db.session.execute(query):
        wanting = Wanting(row.accession or str(row[1]), row.title, row.n, row.state == states.WAITING)
        found.setdefault(row[0], []).append(wanting)
    return found
