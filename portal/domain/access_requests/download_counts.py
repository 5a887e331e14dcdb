"""Downloads of public datasets, counted by dataset and day."""

from sqlalchemy import update

from portal import clock, db
from portal.config import settings
from portal.models import DownloadDay


def record_download(dataset_id: int, *, files: int, size: int) -> None:
    """Count files served and bytes sent today, in the site's zone."""
    day = clock.today(settings().timezone).isoformat()
    mine = (DownloadDay.dataset_id == dataset_id, DownloadDay.day == day)
    more = update(DownloadDay).where(*mine).values(files=DownloadDay.files + files, bytes=DownloadDay.bytes + size)
    if not db.change(more):
        db.session.add(DownloadDay(dataset_id=dataset_id, day=day, files=files, bytes=size))
        db.session.flush()
