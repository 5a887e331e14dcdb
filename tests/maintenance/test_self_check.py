"""The self-check: each thing that can go wrong is found, said with its remedy, and told by the exit code."""

import datetime as dt
import socket
import threading

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from portal import cli, clock, db, states
from portal.domain.accounts import ftp_faults
from portal.domain.shared import history, job_queue, notifications
from portal.jobs import periodic_tasks
from portal.maintenance import self_check
from portal.maintenance.self_check import archive, background_jobs, clocks, disks, servers
from portal.models import Counter, Event
from tests.state_guard import states_unguarded


def said(check) -> str:
    return " | ".join(f"{one.level} {one.says} {one.remedy}" for one in check())


def answering(lines: bytes) -> int:
    """A door that says one thing to one caller; its port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with listener, connection:
            connection.sendall(lines)
            connection.recv(100)

    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def certificate(days: int) -> bytes:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "archive.example.org")])
    now = dt.datetime.fromtimestamp(clock.now() / 1000, dt.UTC)
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    made = made.serial_number(1).not_valid_before(now - dt.timedelta(days=99))
    signed = made.not_valid_after(now + dt.timedelta(days=days, hours=1)).sign(key, hashes.SHA256())
    return signed.public_bytes(serialization.Encoding.PEM)


def test_every_check_answers_on_a_fresh_instance(database):
    found = self_check.run()
    assert list(found) == list(self_check.CHECKS)
    assert "could not be checked" not in str(found)
    assert self_check.worst(found) == self_check.BAD  # nothing runs here


def test_check_that_breaks_is_a_finding_and_stops_no_other(database, monkeypatch):
    def broken():
        raise ValueError("boom")

    monkeypatch.setitem(self_check.CHECKS, "Disks", broken)
    found = self_check.run()
    assert "boom" in found["Disks"][0].says and found["Releases"][0].level == self_check.OK


def test_disk_below_the_floor_refuses_uploads_and_is_a_fault(database, settings):
    assert said(disks.check).startswith("ok ")
    settings.free_floor_mib = 1 << 40
    assert said(disks.check).startswith("bad ") and "No upload starts" in said(disks.check)


def test_folder_that_is_gone_read_only_or_open_to_all_is_found(database, settings, tmp_path):
    settings.archive_open = tmp_path / "gone"
    assert f"bad The folder {tmp_path / 'gone'} is not there" in said(disks.check)
    settings.archive_open = tmp_path / "open"
    settings.archive_open.mkdir(mode=0o755)
    settings.archive_open.chmod(0o755)
    assert "warn Everybody on this machine" in said(disks.check)
    settings.archive_open = tmp_path / "file"
    settings.archive_open.write_text("")
    assert "is not there" in said(disks.check)
    assert list((tmp_path / "open").iterdir()) == []


def test_worker_is_known_by_its_rounds(database):
    assert "never ran" in said(background_jobs.worker)
    with db.transaction():
        db.session.add(Counter(name=job_queue.ROUND, next=clock.now() + clock.MINUTE))
    assert said(background_jobs.worker).startswith("ok ")
    clock.shift(20 * clock.MINUTE)
    assert "bad The worker made its last round 20 min ago" in said(background_jobs.worker)


def test_round_that_tells_of_the_worker_is_one_that_it_makes(database):
    periods = {f"round:{name}": period for name, period, _verb in periodic_tasks.PERIODIC_TASKS}
    assert periods[job_queue.ROUND] == job_queue.PERIOD


def test_failed_and_waiting_jobs_are_told(database):
    assert said(background_jobs.jobs).startswith("ok ")
    with states_unguarded():
        job_queue.enqueue("mail", key="mail:0").state = states.FAILED
        job_queue.enqueue("prune", key="prune")
    assert "warn 1 job failed" in said(background_jobs.jobs)
    clock.shift(20 * clock.MINUTE)
    assert "warn Work that is due has waited 20 min" in said(background_jobs.jobs)
    clock.shift(clock.DAY)
    assert "bad Work that is due has waited 24 h" in said(background_jobs.jobs)


def test_mails_that_do_not_leave_are_told(database, settings):
    assert "No mail server is set" in said(background_jobs.mails)
    settings.mail_url = "smtp://mail.example.org"
    assert said(background_jobs.mails).startswith("ok ")
    with db.transaction():
        notifications.send("k", to="x@example.org", template="test", name="x").error = "The mail server answered 535."
        notifications.send("l", to="x@example.org", template="test", name="x").state = "failed"
    assert "warn 1 mail could not be delivered" in said(background_jobs.mails)
    clock.shift(2 * clock.HOUR)
    assert "bad 1 mail on the way for more than an hour. The mail server answered 535." in said(background_jobs.mails)


def test_doors_are_asked_at_the_address_they_wrote_down(database, settings):
    assert "never started" in said(servers.web) and "never started" in said(servers.ftp)
    (settings.run / "web.address").write_text("http://127.0.0.1:1\n")
    (settings.run / "ftp.address").write_text("ftp://127.0.0.1:1\n")
    assert "bad The web does not answer" in said(servers.web)
    assert "bad FTP does not answer" in said(servers.ftp)
    (settings.run / "ftp.address").write_text(f"ftp://127.0.0.1:{answering(b'220 ready.' + bytes((13, 10)))}\n")
    assert said(servers.ftp).startswith("ok ")
    (settings.run / "ftp.address").write_text(f"ftp://127.0.0.1:{answering(b'421 Too many.' + bytes((13, 10)))}\n")
    refusing = said(servers.ftp)
    assert refusing.startswith("warn FTP answers") and "421 Too many." in refusing


def test_closed_passive_ports_are_suspected_from_several_places(database):
    with db.transaction():
        for n in range(3):
            ftp_faults.note("data_never_opened", account_id=None, address=f"192.0.2.{n}")
    assert "Clients at 3 addresses" in said(servers.passive_ports)
    clock.shift(8 * clock.DAY)
    assert said(servers.passive_ports) == ""


def test_public_address_of_ftp_that_means_nothing_is_a_fault(database, settings):
    assert said(servers.public_address) == ""
    settings.ftp_public_address = "127.0.0.1"
    assert said(servers.public_address) == ""
    settings.ftp_public_address = "no-such-host.invalid"
    assert said(servers.public_address).startswith("bad no-such-host.invalid has no address")


@pytest.mark.parametrize(("days", "words"), [(300, "ok The certificate of FTP lasts 300"), (3, "warn "), (-2, "bad ")])
def test_certificate_that_ends_is_told_in_time(database, settings, days, words):
    (settings.keys / "ftp.pem").write_bytes(certificate(days))
    assert said(servers.certificates).startswith(words)


def test_address_without_tls_is_told_unless_it_is_this_machine(database, settings):
    settings.public_url = "http://localhost:8000"
    assert said(servers.certificates) == ""
    settings.public_url, settings.ftp_tls = "http://archive.example.org", "off"
    assert "is not encrypted" in said(servers.certificates) and "speaks no TLS" in said(servers.certificates)


def test_clock_that_was_set_back_is_found_by_the_history(database):
    clock.reset()  # the clock of the disks is the real one
    assert said(clocks.check).startswith("ok ")
    clock.shift(clock.DAY)
    with db.transaction():
        history.append("seen")
    clock.reset()
    assert "bad The clock was set back: the history is 24 h ahead" in said(clocks.check)


def test_upkeep_is_told_by_when_it_was_last_done(database):
    assert "warn Backup of the database: never yet" in said(archive.upkeep)
    with db.transaction():
        history.append("site.backup", after={"size": 1})
        history.append("site.fsck", after={"findings": 2})
    assert "ok Backup of the database: 0 min ago" in said(archive.upkeep)
    assert "bad Comparison of catalogue and disk: 0 min ago, with 2 findings" in said(archive.upkeep)
    clock.shift(3 * clock.DAY)
    assert "warn Backup of the database: 3 days ago" in said(archive.upkeep)


def test_command_says_it_all_and_ends_with_how_bad_it_is(database, capsys, monkeypatch):
    assert cli.main(["check"]) == 2
    told = capsys.readouterr().out
    assert "BAD  Worker: The worker never ran" in told and "OK   Disks:" in told
    cli.main(["check", "--quiet"])
    assert "OK   " not in capsys.readouterr().out
    for level, code in ((self_check.WARN, 1), (self_check.OK, 0)):
        monkeypatch.setattr(self_check, "CHECKS", {"One": lambda level=level: iter([self_check.Finding(level, "So.")])})
        assert cli.main(["check"]) == code


def test_upkeep_by_command_is_part_of_the_history(database, tmp_path, capsys):
    assert cli.main(["fsck"]) == 0
    assert cli.main(["backup", str(tmp_path / "copy.db")]) == 0
    told = said(archive.upkeep)
    assert "ok Backup of the database" in told and "ok Comparison of catalogue and disk" in told
    assert [event.after["findings"] for event in db.session.query(Event).filter(Event.action == "site.fsck")] == [0]
