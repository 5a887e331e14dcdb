"""Encryption: what is spoken, what is closed, and the end of a file under TLS."""

import ftplib
import io
import os
import ssl
import stat

import pytest
from cryptography import x509

from ftp import tls
from portal import states
from portal.config import Settings
from tests.ftp.support import faults, refusal, reset, rows


def test_upload_and_listing_under_tls(door, ines):
    client = door.tls(ines)
    content = os.urandom(1_500_000)
    assert client.storbinary("STOR /OMIX/tls.bin", io.BytesIO(content)).startswith("226")
    got = io.BytesIO()
    client.retrbinary("RETR /OMIX/tls.bin", got.write)
    assert got.getvalue() == content
    assert [name for name, _ in client.mlsd("/OMIX")] == ["tls.bin"]
    assert client.sock.version() == "TLSv1.2"


def test_data_cut_without_close_notify_is_incomplete(door, ines):
    client = door.tls(ines)
    client.voidcmd("TYPE I")
    sock = client.transfercmd("STOR /OMIX/cut.bin")
    sock.sendall(b"x" * 300_000)
    os.close(sock.detach())
    with pytest.raises(ftplib.error_temp, match=r"^426"):
        client.getresp()
    assert [(row.state, row.size) for row in rows()] == [(states.INCOMPLETE, 300_000)]
    assert [(kind, who) for kind, who, _ in faults()] == [("tls_cut", ines.id)]


def test_reset_under_tls_is_incomplete(door, ines):
    client = door.tls(ines)
    client.voidcmd("TYPE I")
    sock = client.transfercmd("STOR /OMIX/cut.bin")
    sock.sendall(b"x" * 400_000)
    reset(sock)
    with pytest.raises(ftplib.error_temp, match=r"^426"):
        client.getresp()
    assert [row.state for row in rows() if row.state != states.INCOMPLETE] == []


def test_what_is_sent_together_with_auth_is_never_executed(door):
    """Somebody on the way appended a command to AUTH; after the handshake it would count as the client's."""
    raw = door.raw()
    raw.send(b"AUTH TLS\r\nUSER injected\r\n")
    assert raw.answer().startswith("421")
    assert raw.answer() == ""


def test_old_and_too_new_tls_is_refused(door, ines):
    for only in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_3):
        client = door.plain()
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        with pytest.warns(DeprecationWarning) if only == ssl.TLSVersion.TLSv1_1 else nothing():
            context.minimum_version = context.maximum_version = only
        assert client.sendcmd("AUTH TLS").startswith("234")
        with pytest.raises((ssl.SSLError, OSError)):
            context.wrap_socket(client.sock).close()


class nothing:
    def __enter__(self) -> None:
        return None

    def __exit__(self, *_exc: object) -> None:
        return None


def test_off_answers_auth_with_502(start, settings: Settings, ines):
    settings.ftp_tls = "off"
    client = start().plain(ines)
    for command in ("AUTH TLS", "PBSZ 0", "PROT P"):
        assert refusal(client, command).startswith("502")
    assert "AUTH" not in client.sendcmd("FEAT")
    assert client.storbinary("STOR /OMIX/a.txt", io.BytesIO(b"a")).startswith("226")


def test_required_refuses_plain_sign_in_and_plain_data(start, settings: Settings, ines):
    settings.ftp_tls = "required"
    door = start()
    assert "explicit FTPS" in refusal(door.plain(), f"USER {ines.email}")
    client = door.tls(ines)
    client.prot_c()
    assert refusal(client, "PASV").startswith("522")
    client.prot_p()
    assert client.storbinary("STOR /OMIX/a.txt", io.BytesIO(b"a")).startswith("226")


def test_clear_command_channel_is_not_offered(door, ines):
    assert refusal(door.tls(ines), "CCC").startswith("502")


def test_certificate_is_made_once_and_kept_private(settings: Settings):
    settings.ftp_public_address = "ftp.example.org"
    path = tls.certificate(settings)
    first = path.read_bytes()
    assert tls.certificate(settings).read_bytes() == first
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    made = x509.load_pem_x509_certificate(first[first.index(b"-----BEGIN CERTIFICATE") :])
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert "ftp.example.org" in names.get_values_for_type(x509.DNSName)
    assert made.subject.rfc4514_string() == f"CN={settings.site_name}"
