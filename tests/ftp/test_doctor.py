"""What goes wrong before or at the sign-in reaches the account it concerns, and the page says what to do."""

import ftplib
import io
import ssl

import pytest

from portal import clock, db
from portal.domain.accounts import accounts, ftp_faults
from portal.queries.accounts import ftp_faults as shown
from tests.conftest import Browser
from tests.ftp.support import faults, refusal
from tests.waiting import until


def handshake(door, **wanted) -> None:
    """AUTH TLS with a client that will not agree."""
    client = door.plain()
    context = ssl.create_default_context()
    context.check_hostname = False
    for name, value in wanted.items():
        setattr(context, name, value)
    client.sendcmd("AUTH TLS")
    with pytest.raises((ssl.SSLError, OSError)):
        context.wrap_socket(client.sock).close()


def seen(person, address: str = "") -> list[shown.Summary]:
    """As the page would show it now."""
    db.end()
    return shown.summaries(person.account, address)


def test_wrong_password_is_told_to_whose_account_it_was_tried(door, ines, stranger):
    with pytest.raises(ftplib.error_perm, match=r"^530"):
        door.plain(ines, "not this one")
    assert [(kind, who) for kind, who, _ in faults()] == [("wrong_password", ines.id)]
    assert [one.kind for one in seen(ines)] == ["wrong_password"]
    assert seen(stranger, "127.0.0.1") == []


def test_wrong_user_name_is_not_repeated_to_others_at_that_address(door, ines):
    client = door.plain()
    client.sendcmd("USER secret.person@example.org")
    assert refusal(client, "PASS whatever").startswith("530")
    (one,) = seen(ines, "127.0.0.1")
    assert "secret.person" not in one.says and "user name that is not known" in one.says
    assert seen(ines, "192.0.2.1") == []
    assert faults() == [("wrong_password", None, "")]


def test_right_password_of_an_unconfirmed_account_is_no_wrong_password(door, database):
    with db.transaction():
        accounts.register(email="nils.berg@example.org", name="Nils Berg", password="a long enough one")
    client = door.plain()
    client.sendcmd("USER nils.berg@example.org")
    assert "Confirm" in refusal(client, "PASS a long enough one")
    assert [kind for kind, _, _ in faults()] == ["not_confirmed"]


def test_certificate_that_the_client_does_not_trust_is_told_apart(door, ines):
    handshake(door, maximum_version=ssl.TLSVersion.TLSv1_2)
    until(faults)
    (fault,) = faults()
    assert fault[0] == "tls_distrusted" and "unknown ca" in fault[2]


def test_encryption_that_fits_nothing_is_told_with_its_reason(door, ines):
    handshake(door, minimum_version=ssl.TLSVersion.TLSv1_3, verify_mode=ssl.CERT_NONE)
    until(faults)
    assert faults()[0][0] == "tls_handshake" and "unsupported protocol" in faults()[0][2]


def test_failed_tls_belongs_to_who_signs_in_from_there_next(door, ines, stranger):
    handshake(door, minimum_version=ssl.TLSVersion.TLSv1_3, verify_mode=ssl.CERT_NONE)
    until(faults)
    assert seen(ines) == []
    door.plain(ines)
    assert [one.kind for one in seen(ines)] == ["tls_handshake"]
    door.plain(stranger)
    assert seen(stranger) == []


def test_old_faults_of_an_address_belong_to_nobody_who_comes_later(database, ines):
    with db.transaction():
        ftp_faults.note("tls_handshake", account_id=None, address="192.0.2.7", detail="x")
    clock.shift(ftp_faults.ADOPT_WITHIN + 1)
    assert not ftp_faults.has_unclaimed("192.0.2.7")


def test_client_that_does_not_encrypt_data_where_it_must_is_told(start, settings, ines):
    settings.ftp_tls = "required"
    client = start().tls(ines)
    client.prot_c()
    assert refusal(client, "PASV").startswith("522")
    assert faults() == [("tls_data", ines.id, "")]


def test_every_fault_that_the_door_notes_has_its_remedy(door, ines, settings):
    client = door.plain(ines)
    with pytest.raises(ftplib.error_perm, match=r"^504"):
        client.storlines("STOR /OMIX/a.txt", io.BytesIO(b"a\n"))
    refusal(client, "PORT 10,0,0,4,200,10")
    refusal(client, "STOR /OMIX/a b.txt")
    for one in seen(ines):
        assert one.title and one.how and one.says != one.kind
    assert {one.kind for one in seen(ines)} == {"ascii_upload", "foreign_address", "refused_name"}


def test_page_shows_each_kind_with_its_remedy_and_looks_again(app, ines, ruth):
    with db.transaction():
        ftp_faults.note("foreign_address", account_id=ines.id, address="192.0.2.7", detail="10.0.0.4:2050")
    client: Browser = app.test_client().sign_in(ines)
    page = client.get("/help/doctor").text
    assert "10.0.0.4:2050" in page and "Switch it to passive mode" in page and 'href="/help/doctor#passive"' in page
    assert ines.email in page
    rev = page.partition("rev=")[2].partition('"')[0]
    assert client.fragment(f"/help/doctor?rev={rev}").status_code == 204
    with db.transaction():
        ftp_faults.note("ascii_upload", account_id=ines.id, address="192.0.2.7", detail="<b>.txt")
    again = client.fragment(f"/help/doctor?rev={rev}").text
    assert "ASCII mode" in again and "&lt;b&gt;.txt" in again and "<html" not in again
    curator = app.test_client().sign_in(ruth)
    assert "10.0.0.4:2050" in curator.get(f"/admin/people/{ines.id}").text
    assert "10.0.0.4:2050" not in curator.get("/help/doctor").text


def test_visitor_sees_what_came_from_their_address_and_is_asked_to_sign_in(app, ines):
    with db.transaction():
        ftp_faults.note("implicit_tls", account_id=None, address="127.0.0.1")
        ftp_faults.note("ascii_upload", account_id=ines.id, address="127.0.0.1", detail="a.txt")
    page = app.test_client().get("/help/doctor").text
    assert "Implicit TLS" in page and "a.txt" not in page and "Sign in</a> to see" in page


def test_every_kind_leads_to_a_part_of_the_help(app):
    page = app.test_client().get("/help/doctor").text
    assert [kind for kind, known in ftp_faults.KINDS.items() if f'id="{known.how}"' not in page] == []
