"""The programs people use: curl, lftp and rclone, plain and under TLS."""

import ftplib
import hashlib
import io
import os
import subprocess

import pytest

from portal import db, states
from portal.domain.datasets import datasets
from portal.models import File
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


def draft(ines) -> int:
    with db.transaction():
        return datasets.create(actor=ines.account, title="Livers", access="open").id


def files_of(dataset_id: int) -> dict[str, str]:
    db.end()
    living = File.state.not_in(states.DEAD_FILES)
    return {
        file.name: file.upload.md5
        for file in db.session.query(File).filter(File.dataset_id == dataset_id, living)
        if file.upload
    }


@needs("lftp")
@pytest.mark.parametrize("place", ["/OMIX", "dataset"])
def test_lftp_sends_by_temporary_files_and_can_send_twice(door, ines, tmp_path, place):
    """Its own names for them begin with a dot, which no name here does: one says how else they are called."""
    dataset_id = draft(ines)
    folder = f"/datasets/{dataset_id}" if place == "dataset" else place
    for content in (b"first", b"second, longer"):
        (tmp_path / "a.txt").write_bytes(content)
        script = (
            "set ftp:ssl-allow no; set net:max-retries 1; set xfer:use-temp-file yes; "
            "set xfer:temp-file-name in.*; set xfer:clobber yes; "
            f"open -u '{ines.email},{ines.password}' -p {door.port} {door.host}; "
            f"put -O {folder} {tmp_path}/a.txt; get {folder}/a.txt -o {tmp_path}/back; quit"
        )
        run("lftp", "-c", script)
        assert (tmp_path / "back").read_bytes() == content
    digest = hashlib.md5(b"second, longer").hexdigest()
    assert files_of(dataset_id) == ({"a.txt": digest} if place == "dataset" else {})
    assert [row.md5 for row in rows() if row.state == states.RECEIVED] == [digest]


@needs("rclone")
def test_rclone_copies_into_a_dataset_and_back_and_sends_nothing_twice(door, ines, tmp_path):
    dataset_id = draft(ines)
    (tmp_path / "send" / "run1").mkdir(parents=True)
    for name in ("README", "run1/a.bin", "run1/b.bin"):
        (tmp_path / "send" / name).write_bytes(os.urandom(5000))
    config = {"RCLONE_CONFIG": str(tmp_path / "none.conf")}
    target = remote(door, ines, False).replace(":OMIX/rc", f":datasets/{dataset_id}")
    for _ in range(2):
        run("rclone", "copy", "--retries", "1", "--low-level-retries", "1", str(tmp_path / "send"), target, **config)
    run("rclone", "check", "--download", str(tmp_path / "send"), target, **config)
    assert set(files_of(dataset_id)) == {"README", "run1/a.bin", "run1/b.bin"}
    assert len(rows()) == 3, "the second run sends nothing"


@needs("rclone")
def test_rclone_finds_what_a_dataset_took_from_the_drop_box(door, ines, tmp_path):
    """It looks for a file after it sent it: what was taken at once still shows there."""
    with db.transaction():
        dataset_id = datasets.create(actor=ines.account, title="T", files=[{"name": "rc/a.bin"}]).id
    (tmp_path / "send").mkdir()
    (tmp_path / "send" / "a.bin").write_bytes(os.urandom(5000))
    config = {"RCLONE_CONFIG": str(tmp_path / "none.conf")}
    for _ in range(2):
        command = ("rclone", "copy", "--retries", "1", "--low-level-retries", "1", str(tmp_path / "send"))
        run(*command, remote(door, ines, False), **config)
    assert set(files_of(dataset_id)) == {"rc/a.bin"} and len(rows()) == 1


def test_dialogue_of_filezilla_goes_through(door, ines):
    """What FileZilla 3 says, line by line, when a folder is dragged into a dataset and one file of it again."""
    dataset_id = draft(ines)
    with ftplib.FTP() as client:
        client.connect(door.host, door.port)
        for line, code in ((f"USER {ines.email}", "331"), (f"PASS {ines.password}", "230")):
            assert said(client, line).startswith(code), line
        for line in ("SYST", "FEAT", "OPTS UTF8 ON", "PBSZ 0", "PWD", "CWD /datasets", "PWD"):
            assert said(client, line)[0] in "25", line
        assert said(client, f"CWD /datasets/{dataset_id}").startswith("250")
        assert said(client, f"CWD /datasets/{dataset_id}/run1").startswith("550")
        assert said(client, f"MKD /datasets/{dataset_id}/run1").startswith("257")
        assert said(client, f"CWD /datasets/{dataset_id}/run1").startswith("250")
        assert said(client, "PWD").startswith(f'257 "/datasets/{dataset_id}/run1"')
        assert said(client, "TYPE I").startswith("200")
        for content in (b"first", b"second"):
            assert client.storbinary("STOR a.txt", io.BytesIO(content)).startswith("226")
            assert said(client, "MDTM a.txt").startswith("213") and said(client, "SIZE a.txt").startswith("213")
            listed = [name for name, facts in client.mlsd() if facts["type"] == "file"]
            assert listed == ["a.txt"]
        assert said(client, "MFMT 20260101000000 a.txt")[0] in "25"
    assert files_of(dataset_id) == {"run1/a.txt": hashlib.md5(b"second").hexdigest()}


def said(client: ftplib.FTP, line: str) -> str:
    client.putcmd(line)
    return client.getmultiline()
