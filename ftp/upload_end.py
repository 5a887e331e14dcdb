"""How an upload of a session ends, and the reply that tells its client."""

import logging

from portal import errors
from portal.domain.shared import notifications
from portal.domain.uploads.uploads import Arrival
from portal.ingest.upload_session import NOT_STORED, UploadSession

log = logging.getLogger(__name__)


def end(upload: UploadSession, *, whole: bool, trouble: errors.DomainError | None = None) -> str | None:
    """Make what came durable and recorded, or keep it as incomplete. Returns the reply, None when none is due because
    it has ended already or the client itself gave up."""
    if upload.done:
        return None
    if whole and trouble is None:
        try:
            return _thanks(upload.finish())
        except errors.DomainError as error:
            trouble = error
        except Exception:
            log.exception("an upload could not be finished")
            trouble = errors.StorageFault(NOT_STORED)
    if trouble is None:
        upload.close()
        return None
    return _refusal(trouble, _abort(upload, trouble))


def _abort(upload: UploadSession, trouble: errors.DomainError) -> int:
    """Keep what came for a resume, except where it is over the quota. Returns how many bytes are kept."""
    try:
        return upload.abort(trouble.sentence, keep=not isinstance(trouble, errors.TooLarge))
    except Exception:
        log.exception("an upload could not be recorded as incomplete")
        return 0


def _thanks(arrival: Arrival) -> str:
    digest = f"MD5 {arrival.md5}" if arrival.md5 else "its MD5 is being computed"
    return f"226 Transfer complete. Upload {arrival.upload_id}, {arrival.size:,} bytes, {digest}."


def _refusal(trouble: errors.DomainError, kept: int) -> str:
    more = f" {kept:,} bytes are kept; resume there." if kept and trouble.ftp == 426 else ""
    return f"{trouble.ftp} {notifications.as_text(trouble)}{more}"
