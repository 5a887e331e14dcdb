"""The trigram indexes by which names are found: new rows are indexed a while later, many at once."""

from sqlalchemy import func, select

from portal import db
from portal.models import Component, File, TextMark, Upload

INDEXES = {"upload_text": Upload.id, "file_text": File.id, "component_text": Component.id}
FEW = 1000  # rows that a search reads as fast without the index
MOST = 10_000  # 0.1 s, in which nobody else may write


def take_in(*, few: int = FEW, most: int = MOST) -> int:
    """Index the new rows of each table where they are more than `few`, at most `most` each. Returns how many."""
    taken = 0
    for index, key in INDEXES.items():
        mark = db.session.get(TextMark, index)
        if mark is None or (db.session.scalar(select(func.max(key))) or 0) - mark.upto <= few:
            continue
        coming = select(key).where(key > mark.upto).order_by(key).limit(most).subquery()
        last, number = db.session.execute(select(func.max(coming.c.id), func.count()).select_from(coming)).one()
        if number:
            db.index_text(index, mark.upto, last)
            mark.upto, taken = last, taken + number
    return taken
