"""Whether web and FTP answer at their addresses, how long their certificates last, and what clients run into."""

import socket
import ssl
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from cryptography import x509
from sqlalchemy import func, select

from portal import clock, db
from portal.config import settings
from portal.maintenance.self_check.finding import BAD, OK, WARN, Finding
from portal.models import WireFault

WITHIN = 4.0
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # our own address needs no proxy
SOON = 21
FIREWALLED = 3


def address(name: str) -> str:
    """Where a door listens, as its process wrote down."""
    path = settings().run / f"{name}.address"
    return path.read_text().strip() if path.exists() else ""


def web() -> Iterator[Finding]:
    yield _web_answers()
    if not settings().public_url:
        yield Finding(WARN, "Links in mails lead to where the web listens on this machine.", "Set OMIX_PUBLIC_URL.")


def _web_answers() -> Finding:
    where = address("web")
    if not where:
        return Finding(BAD, "The web never started on this instance.", "Start `omix up`, or `omix web`.")
    try:
        with _direct.open(f"{where}/site.css", timeout=WITHIN) as answer:
            answer.read()
    except OSError as error:
        return Finding(BAD, f"The web does not answer at {where}: {error}", "See whether it runs; the log says.")
    return Finding(OK, f"The web answers at {where}.")


def ftp() -> Iterator[Finding]:
    where = urlsplit(address("ftp"))
    if not where.hostname:
        yield Finding(BAD, "FTP never started on this instance.", "Start `omix up`, or `omix ftp`.")
        return
    try:
        greeting = _greeting(where.hostname, where.port or 21)
    except OSError as error:
        yield Finding(BAD, f"FTP does not answer at {where.geturl()}: {error}", "See whether it runs; the log says.")
        return
    if greeting.startswith("220"):
        yield Finding(OK, f"FTP answers at {where.geturl()}.")
    else:
        yield Finding(WARN, f"FTP answers at {where.geturl()}, but takes nobody: {greeting}", "Wait, or see the log.")
    yield from public_address()
    yield from passive_ports()


def public_address() -> Iterator[Finding]:
    """The address that clients are told for their data connections must be one."""
    named = settings().ftp_public_address
    try:
        if named:
            socket.gethostbyname(named)
    except OSError:
        yield Finding(BAD, f"{named} has no address, so FTP clients are told the local one.", "OMIX_FTP_PUBLIC_ADDRESS")


def _greeting(host: str, port: int) -> str:
    with socket.create_connection((host, port), timeout=WITHIN) as connection, connection.makefile("rb") as lines:
        greeting = lines.readline(500).decode("utf-8", "replace").strip()
        connection.sendall(b"QUIT\r\n")
        return greeting


def passive_ports() -> Iterator[Finding]:
    """Data connections that never came, from several places within a week, tell of a firewall of ours."""
    query = select(func.count(WireFault.address.distinct())).where(
        WireFault.kind == "data_never_opened", WireFault.at > clock.now() - 7 * clock.DAY
    )
    places = db.session.scalar(query) or 0
    if places >= FIREWALLED:
        yield Finding(
            WARN,
            f"Clients at {places} addresses could open no data connection within the last 7 days.",
            f"Open the passive ports {settings().ftp_passive_ports} in the firewall, and see "
            "OMIX_FTP_PUBLIC_ADDRESS behind NAT.",
        )


def certificates() -> Iterator[Finding]:
    pem = settings().keys / "ftp.pem"
    if settings().ftp_tls == "off":
        yield Finding(WARN, "FTP speaks no TLS: passwords cross the network as they are.", "OMIX_FTP_TLS=optional")
    elif pem.exists():
        yield lasts("The certificate of FTP", read(pem))
    public = urlsplit(settings().public_url)
    if public.scheme == "https":
        yield _public_certificate(public.hostname or "", public.port or 443)
    elif public.hostname not in (None, "localhost", "127.0.0.1", "::1"):
        yield Finding(WARN, f"{settings().public_url} is not encrypted.", "Put TLS in front: see the install page.")


def read(pem: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificates(pem.read_bytes())[0]


def _public_certificate(host: str, port: int) -> Finding:
    """What a browser is shown at the public address."""
    context = ssl.create_default_context()
    try:
        plain = socket.create_connection((host, port), timeout=WITHIN)
        with plain, context.wrap_socket(plain, server_hostname=host) as connection:
            return lasts(f"The certificate of {host}", x509.load_der_x509_certificate(_shown(connection)))
    except ssl.SSLCertVerificationError as error:
        return Finding(BAD, f"Browsers do not trust {host}: {error.verify_message}.", "Renew or correct it.")
    except OSError as error:
        return Finding(WARN, f"{host} could not be asked from this machine: {error}", "Look at it from outside.")


def _shown(connection: ssl.SSLSocket) -> bytes:
    certificate = connection.getpeercert(binary_form=True)
    if certificate is None:
        raise OSError("no certificate was shown")
    return certificate


def lasts(name: str, certificate: x509.Certificate) -> Finding:
    left = int(certificate.not_valid_after_utc.timestamp() * 1000 - clock.now()) // clock.DAY
    if left < 0:
        return Finding(BAD, f"{name} ended {-left} days ago.", "Renew it and restart.")
    return Finding(WARN if left < SOON else OK, f"{name} lasts {left:,} more days.", "Renew it." if left < SOON else "")
