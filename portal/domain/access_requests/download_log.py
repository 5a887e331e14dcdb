"""The two lines that every download of controlled data leaves in the history, whichever door its bytes go out by."""

import logging

from portal import db, errors
from portal.domain.access_requests import decisions
from portal.domain.access_requests.decisions import Download

log = logging.getLogger(__name__)


def begin(one: Download) -> None:
    """Before the first byte: what cannot be written down is not served."""
    with db.transaction():
        decisions.note_download("download.begin", one)


def end(one: Download, size: int) -> None:
    """After the last, whole or not. The bytes are gone by now, so a busy database is only told of."""
    try:
        with db.transaction():
            decisions.note_download("download", one, size=size)
    except errors.Busy:
        log.warning("the end of the download %s was not kept", one.key)
    finally:
        db.end()
