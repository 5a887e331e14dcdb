"""The programs people use: curl, lftp and rclone, plain and under TLS."""

import hashlib
import os
import subprocess

import pytest

from portal import states
from tests.ftp.support import rows
from tests.plugins.clients import needs


def run(*command: str, **env: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs("curl")
@pytest.mark.parametrize("secure", [[], ["--ssl-reqd", "-k"]])
def test_curl_sends_lists_and_fetches(door, ines, tmp_path, secure):
    file = tmp_path / "reads.bin"
    file.write_bytes(os.urandom(700_000))
    base = f"ftp://{door.host}:{door.port}/OMIX/"
    curl = ["curl", "-sS", *secure, "-u", f"{ines.email}:{ines.password}"]
    said = run(*curl, "-v", "--ftp-create-dirs", "-T", str(file), f"{base}new/reads.bin")
    assert f"MD5 {hashlib.md5(file.read_bytes()).hexdigest()}" in said
    assert "reads.bin" in run(*curl, f"{base}new/")
    run(*curl, "-o", str(tmp_path / "back"), f"{base}new/reads.bin")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


@needs("curl")
def test_curl_resumes_where_it_was_cut(door, ines, tmp_path, client):
    file = tmp_path / "reads.bin"
    file.write_bytes(os.urandom(900_000))
    curl = ["curl", "-sS", "-u", f"{ines.email}:{ines.password}"]
    client.voidcmd("TYPE I")
    sock = client.transfercmd("STOR /OMIX/reads.bin")
    sock.sendall(file.read_bytes()[:400_000])
    client.close()
    sock.close()
    base = f"ftp://{door.host}:{door.port}/OMIX/"
    run(*curl, "--retry", "3", "-C", "-", "-T", str(file), f"{base}reads.bin")
    run(*curl, "-o", str(tmp_path / "back"), f"{base}reads.bin")
    assert (tmp_path / "back").read_bytes() == file.read_bytes()


@needs("lftp")
@pytest.mark.parametrize("secure", ["no", "yes"])
def test_lftp_mirrors_a_folder_quietly(door, ines, tmp_path, secure):
    for n in range(20):
        path = tmp_path / "send" / f"run{n % 3}" / f"f{n}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"content {n}\n" * n)
    script = (
        f"set ssl:verify-certificate no; set ftp:ssl-allow {secure}; set ftp:ssl-force {secure}; "
        "set net:max-retries 1; "
        f"open -u '{ines.email},{ines.password}' -p {door.port} {door.host}; "
        f"mirror -R {tmp_path}/send /OMIX/send; mirror /OMIX/send {tmp_path}/back; quit"
    )
    assert run("lftp", "-c", script).strip() == ""
    for path in (tmp_path / "send").rglob("*.txt"):
        assert (tmp_path / "back" / path.relative_to(tmp_path / "send")).read_text() == path.read_text()


def remote(door, ines, secure: bool) -> str:
    hidden = run("rclone", "obscure", ines.password).strip()
    tls = ",explicit_tls=true,no_check_certificate=true" if secure else ""
    return f":ftp,host={door.host},port={door.port},user={ines.email},pass={hidden}{tls}:OMIX/rc"


@needs("rclone")
@pytest.mark.parametrize("secure", [False, True])
def test_rclone_is_told_the_truth_about_short_files(door, ines, tmp_path, secure):
    """What rclone calls done is here whole; sending it again sends nothing."""
    (tmp_path / "send").mkdir()
    for n in range(25):
        (tmp_path / "send" / f"f{n}.bin").write_bytes(os.urandom(10 + n * 4000))
    config = {"RCLONE_CONFIG": str(tmp_path / "none.conf")}
    target = remote(door, ines, secure)
    run("rclone", "copy", "--retries", "1", "--low-level-retries", "1", str(tmp_path / "send"), target, **config)
    found = {row.name: row.md5 for row in rows() if row.state == states.RECEIVED}
    assert found == {
        f"rc/{path.name}": hashlib.md5(path.read_bytes()).hexdigest() for path in (tmp_path / "send").iterdir()
    }
    run("rclone", "check", "--download", str(tmp_path / "send"), target, **config)
