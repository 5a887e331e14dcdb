"""One upload of a session: the reception behind it, and the words with which its end is told to the client."""

import logging

from portal import errors
from portal.domain.shared import notifications
from portal.domain.uploads.receive import Receipt
from portal.ingest.upload_session import Reception
from portal.messages import say

log = logging.getLogger(__name__)


class Incoming:
    """What the data channel writes to. end() is called once, and only it decides between 226 and a refusal."""

    def __init__(self, reception: Reception, name: str, cmd: str) -> None:
        self.reception, self.name, self.cmd = reception, name, cmd
        self.ended = False

    @property
    def lost(self) -> bool:
        return self.reception.lost

    def end(self, *, whole: bool, trouble: errors.DomainError | None = None) -> str | None:
        """Make what came durable and recorded, or keep it as incomplete. Returns the reply, None when none is due
        because the client itself gave up."""
        if self.ended:
            return None
        self.ended = True
        if whole and trouble is None:
            try:
                return _thanks(self.reception.finish())
            except errors.DomainError as error:
                trouble = error
            except Exception:
                log.exception("an upload could not be finished")
                trouble = errors.StorageFault(
                    say("not_stored", "These bytes could not be stored; the fault is ours. Send them again.")
                )
        kept = self._abort(trouble)
        return _refusal(trouble, kept) if trouble else None

    def _abort(self, trouble: errors.DomainError | None) -> int:
        """Keep what came for a resume, except where it is over the quota."""
        reason = trouble.sentence if trouble else "The client gave up, or its control connection ended."
        try:
            return self.reception.abort(reason, keep=not isinstance(trouble, errors.TooLarge))
        except Exception:
            log.exception("an upload could not be recorded as incomplete")
            return 0

    def close(self) -> None:
        """The data connection never came: nothing is recorded."""
        self.end(whole=False)


def _thanks(receipt: Receipt) -> str:
    digest = f"MD5 {receipt.md5}" if receipt.md5 else "its MD5 is being computed"
    return f"226 Transfer complete. Upload {receipt.upload_id}, {receipt.size:,} bytes, {digest}."


def _refusal(trouble: errors.DomainError, kept: int) -> str:
    more = f" {kept:,} bytes are kept; resume there." if kept and trouble.ftp == 426 else ""
    return f"{trouble.ftp} {notifications.told(trouble)}{more}"
