"""The certificate of the FTP door, made at first start, and what TLS it speaks: 1.2 only, for under 1.3 a client that
ended cannot be told from one that was cut."""

import datetime as dt
import fcntl
import ipaddress
import os
import socket
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from OpenSSL import SSL

from portal import clock, storage
from portal.config import Settings

YEARS = 20


def context(settings: Settings) -> SSL.Context | None:
    """The TLS context, with the site's certificate; None where TLS is off."""
    if settings.ftp_tls == "off":
        return None
    path = certificate(settings)
    tls = SSL.Context(SSL.TLS_SERVER_METHOD)
    tls.set_min_proto_version(SSL.TLS1_2_VERSION)
    tls.set_max_proto_version(SSL.TLS1_2_VERSION)
    tls.set_options(SSL.OP_NO_COMPRESSION | SSL.OP_NO_RENEGOTIATION | SSL.OP_CIPHER_SERVER_PREFERENCE)
    tls.set_cipher_list(b"ECDHE+AESGCM:ECDHE+CHACHA20:!aNULL")
    tls.set_session_id(b"omix-ftp")
    tls.use_certificate_chain_file(str(path))
    tls.use_privatekey_file(str(path))
    tls.check_privatekey()
    return tls


def certificate(settings: Settings) -> Path:
    """keys/ftp.pem with key and certificate; one that lies there already is the site's own choice."""
    path = settings.keys / "ftp.pem"
    settings.keys.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (settings.keys / ".ftp.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            storage.write_whole(path, _self_signed(settings), mode=0o600)
    return path


def _self_signed(settings: Settings) -> bytes:
    """A self-signed certificate on a P-256 key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, settings.site_name[:64] or "OMIX")])
    begin = dt.datetime.fromtimestamp(clock.now() / 1000, dt.UTC) - dt.timedelta(days=1)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(begin + dt.timedelta(days=365 * YEARS))
        .add_extension(x509.SubjectAlternativeName(_addresses(settings)), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return secret + built.public_bytes(serialization.Encoding.PEM)


def _addresses(settings: Settings) -> list[x509.GeneralName]:
    """Every name and address under which the door may be reached."""
    addresses = dict.fromkeys([settings.host, settings.ftp_public_address, socket.getfqdn(), "localhost", "127.0.0.1"])
    names: list[x509.GeneralName] = []
    for address in filter(None, addresses):
        try:
            names.append(x509.IPAddress(ipaddress.ip_address(address)))
        except ValueError:
            if address.isascii() and os.sep not in address:
                names.append(x509.DNSName(address))
    return names
