"""Faults of FTP connections, kept so that the portal can show each with its remedy."""

from typing import NamedTuple

from sqlalchemy import ColumnElement, select, update

from portal import clock, db
from portal.domain.shared import text_rules
from portal.models import WireFault

QUIET_MS = clock.MINUTE


class Kind(NamedTuple):
    """A kind of fault: its name, what happened and what to do ({detail} is what was special this time), and the part
    of the help page that shows how."""

    title: str
    says: str
    how: str


KINDS = {
    "tls_handshake": Kind(
        "No common encryption",
        "Your client and this server found no common encryption ({detail}). "
        "Use TLS 1.2 with explicit FTPS (AUTH TLS), or plain FTP where the site allows it.",
        "tls",
    ),
    "tls_distrusted": Kind(
        "Certificate not trusted",
        "Your client did not trust the certificate of this server "
        "({detail}). Accept it when the client asks, or tell the client not to check it.",
        "tls",
    ),
    "implicit_tls": Kind(
        "Implicit TLS", "Your client began with TLS at once. Choose explicit FTPS (AUTH TLS), or plain FTP.", "tls"
    ),
    "tls_needed": Kind(
        "Encryption needed", "Your client signed in without encryption. Choose explicit FTPS (AUTH TLS).", "tls"
    ),
    "tls_data": Kind(
        "Encryption needed for data",
        "Your client asked for a data connection without encryption. Set it to encrypt data too (PROT P).",
        "tls",
    ),
    "foreign_address": Kind(
        "Active mode behind a router",
        "Your client asked for a data connection to {detail}, which "
        "is not its address: it is behind a router. Switch it to passive mode.",
        "passive",
    ),
    "active_unreachable": Kind(
        "Active mode blocked",
        "A data connection to your client at {detail} could not be "
        "opened: a firewall or router is in between. Switch the client to passive mode.",
        "passive",
    ),
    "data_never_opened": Kind(
        "Passive ports blocked",
        "Your client asked for a data connection and never opened it. A "
        "firewall blocks the passive ports of this server; ask your network's operator to allow "
        "them.",
        "passive",
    ),
    "ascii_upload": Kind(
        "ASCII mode",
        "Your client tried to send {detail} in ASCII mode, which changes bytes. Set it to binary.",
        "binary",
    ),
    "refused_name": Kind("Name refused", "A name was refused: {detail}", "names"),
    "wrong_password": Kind("Wrong password", "Somebody tried to sign in as you with a wrong password.", "password"),
    "not_confirmed": Kind(
        "Address not confirmed",
        "The right password came before the address of the account was "
        "confirmed. Open the link in the mail that the portal sent.",
        "password",
    ),
    "data_cut": Kind(
        "Connection broke", "The data connection broke while {detail} was sent. Resume the upload.", "resume"
    ),
    "tls_cut": Kind(
        "Encrypted connection cut",
        "The encrypted data connection ended without its closing mark while "
        "{detail} was sent, so that nobody can tell whether it was whole. Resume or repeat the upload.",
        "resume",
    ),
    "data_silent": Kind(
        "Nothing came", "No data came for a minute while {detail} was sent. Resume the upload.", "resume"
    ),
}
# Faults before the client signed in: they belong to whoever signs in from that address next.
BEFORE_SIGN_IN = ("tls_handshake", "tls_distrusted", "implicit_tls", "tls_needed")
ADOPT_WITHIN = 30 * clock.MINUTE


def note(kind: str, *, account_id: int | None, address: str, detail: str = "") -> bool:
    """Record one fault; the same kind of the same sender only once a minute. Returns whether it was kept."""
    sender = WireFault.account_id == account_id if account_id else WireFault.address == address
    since = clock.now() - QUIET_MS
    query = select(WireFault.id).where(sender, WireFault.kind == kind, WireFault.at > since).limit(1)
    if db.session.scalar(query) is not None:
        return False
    detail = text_rules.line(text_rules.carried(detail[:400]))
    db.session.add(WireFault(account_id=account_id, address=address, kind=kind, detail=detail, at=clock.now()))
    db.session.flush()
    return True


def has_unclaimed(address: str) -> bool:
    """Whether faults of an address wait for somebody to sign in from there; nearly always there are none."""
    return db.session.scalar(select(WireFault.id).where(*_unclaimed(address)).limit(1)) is not None


def adopt(account_id: int, *, address: str) -> None:
    """Give the faults of an address just before a sign-in to the account that signed in."""
    db.change(update(WireFault).where(*_unclaimed(address)).values(account_id=account_id))


def _unclaimed(address: str) -> tuple[ColumnElement[bool], ...]:
    return (
        WireFault.account_id.is_(None),
        WireFault.address == address,
        WireFault.kind.in_(BEFORE_SIGN_IN),
        WireFault.at > clock.now() - ADOPT_WITHIN,
    )


def explain(fault: WireFault) -> str:
    """The fault and its remedy as a sentence."""
    kind = KINDS.get(fault.kind)
    return kind.says.replace("{detail}", fault.detail) if kind else fault.detail
