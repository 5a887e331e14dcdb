"""Who: sign-in with the portal's accounts, and the watch over those whose account is closed or signed out meanwhile."""

import logging
import threading
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import select

from portal import db
from portal.domain.accounts import accounts
from portal.models import Account

log = logging.getLogger(__name__)
ANONYMOUS = ("anonymous", "ftp")
PERIOD = 4.0


@dataclass(frozen=True)
class Who:
    """A person for whom a session speaks; without an account it is anybody."""

    name: str
    account_id: int | None = None
    center_id: int | None = None
    epoch: int = 0


def sign_in(username: str, password: str, *, address: str) -> Who:
    """Raises WrongCredentials, NotConfirmed or Throttled, each with its sentence."""
    if username.lower() in ANONYMOUS:
        return Who("anonymous")
    account = accounts.authenticate_ftp(username, password, address=address)
    return Who(account.email, account.id, account.center_id, account.epoch)


class Watched(Protocol):
    """A session, as far as the watch marks it."""

    who: Who | None
    expired: bool


class Watch:
    """Reads every few seconds which accounts of the open sessions still stand, and ends the sessions of the others."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sessions: set[Watched] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ftp-watch", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(PERIOD)

    def add(self, session: Watched) -> None:
        with self._lock:
            self._sessions.add(session)

    def drop(self, session: Watched) -> None:
        with self._lock:
            self._sessions.discard(session)

    def sessions(self) -> list[Watched]:
        with self._lock:
            return list(self._sessions)

    def _run(self) -> None:
        while not self._stop.wait(PERIOD):
            try:
                self.look()
            except Exception:
                log.exception("the accounts of open sessions could not be read")
            finally:
                db.end()

    def look(self) -> None:
        """Mark the sessions of accounts that were closed or signed out everywhere."""
        signed_in = [(session, session.who) for session in self.sessions() if session.who and session.who.account_id]
        if not signed_in:
            return
        ids = {who.account_id for _session, who in signed_in}
        query = select(Account.id, Account.epoch).where(Account.id.in_(ids), Account.state == "active")
        epochs = {row.id: row.epoch for row in db.session.execute(query)}
        for session, who in signed_in:
            if epochs.get(who.account_id) != who.epoch:
                session.expired = True


class Authorizer:
    """What the FTP library asks of its own authorizer; permissions are answered by the tree."""

    def get_msg_quit(self, _username: str) -> str:
        return "Goodbye."
