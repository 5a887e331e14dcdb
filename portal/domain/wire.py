"""What went wrong on the wire, kept so that the portal can show it with its remedy instead of leaving it to a FAQ."""

from sqlalchemy import select

from portal import clock, db
from portal.domain import names
from portal.models import WireFault

QUIET_MS = clock.MINUTE

# Each kind with what happened and what to do; {detail} is what this time was special.
REMEDIES = {
    "tls_handshake": "Your client and this server found no common encryption ({detail}). Use TLS 1.2 with explicit "
    "FTPS (AUTH TLS), or plain FTP where the site allows it.",
    "implicit_tls": "Your client began with TLS at once. Choose explicit FTPS (AUTH TLS), or plain FTP.",
    "tls_needed": "Your client signed in without encryption. Choose explicit FTPS (AUTH TLS).",
    "foreign_address": "Your client asked for a data connection to {detail}, which is not its address: it is behind a "
    "router. Switch it to passive mode.",
    "active_unreachable": "A data connection to your client at {detail} could not be opened: a firewall or router is "
    "in between. Switch the client to passive mode.",
    "data_never_opened": "Your client asked for a data connection and never opened it. A firewall blocks the passive "
    "ports of this server; ask your network's operator to allow them.",
    "ascii_upload": "Your client tried to send {detail} in ASCII mode, which changes bytes. Set it to binary.",
    "refused_name": "A name was refused: {detail}",
    "wrong_password": "Somebody tried to sign in as you with a wrong password.",
    "data_cut": "The data connection broke while {detail} was sent. Resume the upload.",
    "tls_cut": "The encrypted data connection ended without its closing mark while {detail} was sent, so that nobody "
    "can tell whether it was whole. Resume or repeat the upload.",
    "data_silent": "No data came for a minute while {detail} was sent. Resume the upload.",
}


def note(kind: str, *, account_id: int | None, address: str, detail: str = "") -> bool:
    """Keep one fault; the same kind of the same sender only once a minute. Returns whether it was kept."""
    sender = WireFault.account_id == account_id if account_id else WireFault.address == address
    since = clock.now() - QUIET_MS
    query = select(WireFault.id).where(sender, WireFault.kind == kind, WireFault.at > since).limit(1)
    if db.session.scalar(query) is not None:
        return False
    detail = names.line(detail[:400])
    db.session.add(WireFault(account_id=account_id, address=address, kind=kind, detail=detail, at=clock.now()))
    db.session.flush()
    return True


def explain(fault: WireFault) -> str:
    """The fault and its remedy as a sentence."""
    return REMEDIES.get(fault.kind, "{detail}").replace("{detail}", fault.detail)
