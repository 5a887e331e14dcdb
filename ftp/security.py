"""Sign-in and encryption of a session."""

import sys
import time

from OpenSSL import SSL

from ftp import authorizer
from ftp.authorizer import Who
from ftp.control import ControlConnection
from portal import db, errors
from portal.domain.accounts import accounts, ftp_faults

TLS_COMMANDS = ("AUTH", "PBSZ", "PROT")


class Security(ControlConnection):
    """USER, PASS, AUTH, PROT. `tls_mode` is the site's setting."""

    @classmethod
    def get_ssl_context(cls) -> SSL.Context | None:
        return cls.ssl_context

    def admits(self, cmd: str) -> bool:
        """Whether the site's TLS setting lets this command pass; answers it otherwise."""
        if cmd in TLS_COMMANDS and self.tls_mode == "off":
            self.respond("502 This server does not speak TLS; sign in without it.")
        elif self.tls_mode == "required" and cmd in ("USER", "PASS") and not self._ssl_established:
            self.note("tls_needed")
            self.respond("550 This server requires TLS: set your client to explicit FTPS (AUTH TLS).")
        elif self.tls_mode == "required" and cmd in ("PASV", "EPSV", "PORT", "EPRT") and not self._prot:
            self.note("tls_data")
            self.respond("522 This server requires TLS for data too: set your client to PROT P.")
        else:
            return True
        return False

    def ftp_AUTH(self, line: str) -> None:
        """Nothing may stand behind AUTH in the same packet: somebody on the way may have put it there."""
        if self.ac_in_buffer:
            self.note("tls_handshake", "commands were sent together with AUTH")
            self.hang_up("421 Nothing may be sent before TLS stands.")
            return
        super().ftp_AUTH(line)

    def handle_failed_ssl_handshake(self) -> None:
        reason = tls_reason(sys.exc_info()[1])
        self.note("tls_distrusted" if is_distrust(reason) else "tls_handshake", reason or "on the control connection")
        super().handle_failed_ssl_handshake()

    def ftp_USER(self, line: str) -> None:
        super().ftp_USER(line)
        self.username = line[:254]

    def ftp_PASS(self, line: str) -> None:
        if self.authenticated:
            self.respond("503 You are signed in already.")
            return
        if not self.username:
            self.respond("503 Say USER first.")
            return
        try:
            who = authorizer.sign_in(self.username, line, address=self.remote_ip)
        except errors.Throttled as error:
            self.hang_up(f"421 {error.sentence}")
        except errors.DomainError as error:
            self._refuse_sign_in(error)
        else:
            self.sign_in_as(who)
            self.adopt_faults(who)
            self.log("signed in")
            self.respond(self._welcome(who))

    def _welcome(self, who: Who) -> str:
        prefix = self.tree.prefix
        if who.account_id is None:
            return f"230 Released datasets are in /{prefix}/."
        return f"230 Welcome. Put files into /{prefix}/, or /{prefix}-protected/ for controlled access."

    def _refuse_sign_in(self, error: errors.DomainError) -> None:
        self.log("sign-in failed")
        kind = "not_confirmed" if isinstance(error, accounts.NotConfirmed) else "wrong_password"
        self.note(kind, meant=self.username)  # what was typed is not kept: it may be the password
        time.sleep(self.auth_failed_timeout)
        self.attempted_logins += 1
        self.username = ""
        if self.attempted_logins >= self.max_login_attempts:
            self.hang_up(f"530 {error.sentence} Disconnecting.")
        else:
            self.respond(f"530 {error.sentence}")

    def adopt_faults(self, who: Who) -> None:
        """What befell this client before it had signed in is its account's to read."""
        if who.account_id is None or not ftp_faults.has_unclaimed(self.remote_ip):
            return
        try:
            with db.transaction():
                ftp_faults.adopt(who.account_id, address=self.remote_ip)
        except errors.DomainError as error:
            self.log(f"faults of the wire stay without an account: {error}")


def tls_reason(error: BaseException | None) -> str:
    """The reason that the TLS library gives, such as "tlsv1 alert unknown ca"."""
    entries = error.args[0] if isinstance(error, SSL.Error) and error.args else None
    return str(entries[-1][2]) if isinstance(entries, list) and entries else ""


def is_distrust(reason: str) -> bool:
    """Whether the client ended the handshake because of our certificate."""
    return "alert" in reason and any(word in reason for word in ("unknown ca", "certificate"))
