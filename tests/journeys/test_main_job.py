"""The main job over real sockets: real clients send, a program declares, a curator approves, a stranger downloads."""

import datetime
import hashlib
import os
import signal
import subprocess

import bagit
import pytest

from tests.live import Live, archived
from tests.plugins.clients import needs
from tests.waiting import until

PASSWORD = "correct horse"
INES = "ines@example.org"
TLS = pytest.param(("--ssl-reqd", "--insecure"), marks=pytest.mark.full, id="tls")


@pytest.fixture(scope="module")
def live(tmp_path_factory):
    with Live(tmp_path_factory.mktemp("main") / "instance") as started:
        started.tokens = {INES: started.add(INES), "ruth": started.add("ruth@example.org", role="curator")}
        yield started
        assert started.omix("fsck", "--deep", check=False).stdout == "Catalogue and disk agree.\n"
        assert started.stop() == 0


def md5(path):
    return hashlib.md5(path.read_bytes()).hexdigest()


def run(*words, cwd=None, check=True):
    done = subprocess.run([str(word) for word in words], cwd=cwd, capture_output=True, text=True, timeout=120)
    assert not check or done.returncode == 0, done.stdout + done.stderr
    return done


def upload(live, name):
    items = live.api(live.tokens[INES], "GET", f"/uploads?name={name}")[1]["items"]
    return items[0] if items else None


def in_state(live, name, *states):
    row = upload(live, name)
    return row if row and row["state"] in states else None


def publish(live, files, **fields):
    """Declare, submit, approve; the released dataset."""
    ines, ruth = live.tokens[INES], live.tokens["ruth"]
    today = datetime.datetime.now(datetime.UTC).date().isoformat()
    given = {
        "title": "Counts",
        "description": "Of genes.",
        "species": "Mus musculus",
        "access": "open",
        "release_date": today,
        "files": files,
    } | fields
    status, dataset = live.api(ines, "POST", "/datasets", given)
    assert status == 201, dataset
    live.api(ines, "POST", f"/datasets/{dataset['id']}/actions/submit", {})
    dataset = live.wait(ines, dataset["id"], archived)
    live.api(ruth, "POST", f"/datasets/{dataset['accession']}/actions/approve", {"version": dataset["version"]})
    return live.wait(ines, dataset["id"], lambda one: one["state"] == "released")


@needs("lftp", "curl")
def test_folder_goes_the_whole_way_and_comes_back_the_same(live, tmp_path):
    source = tmp_path / "study"
    for n in range(60):
        path = source / f"batch{n % 3}" / f"part{n}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(1000 + n))
    (source / "large.bin").write_bytes(os.urandom(70 << 20))

    run(
        "lftp",
        "-c",
        f"set ssl:verify-certificate no; open -u {INES},'{PASSWORD}' ftp://{live.ftp_host}; "
        f"mirror -R --parallel=4 {source} /OMIX/study",
    )
    files = [
        {"name": f"study/{path.relative_to(source)}", "md5": md5(path)}
        for path in sorted(source.rglob("*"))
        if path.is_file()
    ]
    dataset = publish(live, files)

    accession = dataset["accession"]
    bag = live.instance / "archive" / "open" / accession
    run("md5sum", "--quiet", "-c", "manifest-md5.txt", cwd=bag)
    # The release is told before the bag's job has written its words again, file by file.
    until(lambda: bagit.Bag(str(bag)).is_valid(), explain=lambda: f"bag {bag}")
    ftp, http = tmp_path / "ftp", tmp_path / "http"
    run("lftp", "-c", f"open ftp://{live.ftp_host}; mirror /OMIX/{accession} {ftp}")
    run("md5sum", "--quiet", "-c", "md5sum.txt", cwd=ftp)
    http.mkdir()
    run("curl", "-sSf", "-o", "md5sum.txt", f"{live.web}/datasets/{accession}/md5sum.txt", cwd=http)
    for file in files[:5]:
        run(
            "curl",
            "-sSf",
            "--create-dirs",
            "-o",
            file["name"],
            f"{live.web}/datasets/{accession}/files/{file['name']}",
            cwd=http,
        )
    run("md5sum", "--quiet", "--ignore-missing", "-c", "md5sum.txt", cwd=http)


@needs("curl")
@pytest.mark.parametrize("tls", [pytest.param((), id="plain"), TLS])
def test_killed_upload_is_resumed_to_the_right_digest(live, tmp_path, tls):
    name = f"resumed-{len(tls)}.bin"
    path = tmp_path / name
    path.write_bytes(os.urandom(40 << 20))
    words = ["curl", "-sS", *tls, "--user", f"{INES}:{PASSWORD}", "-T", str(path), f"ftp://{live.ftp_host}/OMIX/{name}"]
    child = subprocess.Popen([*words, "--limit-rate", "8M"], stderr=subprocess.DEVNULL)
    until(lambda: upload(live, name))
    child.send_signal(signal.SIGKILL)
    child.wait()
    row = until(lambda: in_state(live, name, "incomplete", "received"))
    assert 0 < row["size"] < path.stat().st_size

    run(*words, "-C", "-")
    until(lambda: (row := in_state(live, name, "received")) and row["md5"])
    row = upload(live, name)

    assert (row["size"], row["md5"]) == (path.stat().st_size, md5(path))


@needs("rclone")
@pytest.mark.parametrize("tls", [(), ("--ftp-explicit-tls", "--ftp-no-check-certificate")], ids=["plain", "tls"])
def test_rclone_is_told_the_truth(live, tmp_path, tls):
    """Many short files over TLS: what was acknowledged is whole."""
    folder = f"rclone{len(tls)}"
    source = tmp_path / folder
    source.mkdir()
    for n in range(40):
        (source / f"{n}.txt").write_bytes(os.urandom(50 + 700 * n))
    secret = run("rclone", "obscure", PASSWORD).stdout.strip()

    run(
        "rclone",
        "copy",
        source,
        f":ftp:OMIX/{folder}",
        "--ftp-host",
        live.ftp.hostname,
        "--ftp-port",
        live.ftp.port,
        "--ftp-user",
        INES,
        "--ftp-pass",
        secret,
        *tls,
        "--transfers",
        "4",
        "--config",
        "/dev/null",
    )

    rows = live.api(live.tokens[INES], "GET", "/uploads?limit=500")[1]["items"]
    found = {row["name"]: row["md5"] for row in rows if row["name"].startswith(folder) and row["state"] == "received"}
    assert found == {f"{folder}/{path.name}": md5(path) for path in source.iterdir()}


@needs("curl")
@pytest.mark.full
def test_mismatch_is_told_by_mail_and_mended_at_once(live, tmp_path):
    path = tmp_path / "late.bin"
    path.write_bytes(b"the right bytes" * 1000)
    ines = live.tokens[INES]
    _status, dataset = live.api(
        ines,
        "POST",
        "/datasets",
        {
            "title": "Late",
            "description": "D",
            "species": "S",
            "access": "open",
            "files": [{"name": "late.bin", "md5": "0" * 32}],
        },
    )
    live.api(ines, "POST", f"/datasets/{dataset['id']}/actions/submit", {})
    run("curl", "-sS", "-T", path, "--user", f"{INES}:{PASSWORD}", f"ftp://{live.ftp_host}/OMIX/late.bin")

    red = live.wait(ines, dataset["id"], lambda one: one["files"][0]["color"] == "red")
    assert red["files"][0]["error"] == "md5_mismatch"
    outbox = live.instance / "outbox"
    mails = until(lambda: [path for path in outbox.glob("*.eml") if "late.bin" in path.read_text()])
    assert len(mails) == 1
    assert "MD5 Checked Failed" in mails[0].read_text()

    live.api(ines, "PATCH", f"/datasets/{dataset['id']}/files/1", {"md5": md5(path)})

    assert live.wait(ines, dataset["id"], archived)["files"][0]["color"] == "green"


@needs("curl")
@pytest.mark.full
def test_put_of_a_large_body_and_ranges_of_a_download(live, tmp_path):
    path, back = tmp_path / "put.bin", tmp_path / "back.bin"
    path.write_bytes(os.urandom(30 << 20))
    token = live.tokens[INES]
    answer = run(
        "curl", "-sS", "-T", path, "-H", f"Authorization: Bearer {token}", f"{live.web}/api/v1/uploads/open/put.bin"
    )
    assert md5(path) in answer.stdout
    dataset = publish(live, [{"name": "put.bin", "md5": md5(path)}])
    address = f"{live.web}/datasets/{dataset['accession']}/files/put.bin"

    back.write_bytes(path.read_bytes()[: 10 << 20])
    run("curl", "-sSf", "-C", "-", "-o", back, address)

    assert md5(back) == md5(path)
    middle = run("curl", "-sSf", "-r", "1000-1999", "-o", back, address)
    assert middle.returncode == 0
    assert back.read_bytes() == path.read_bytes()[1000:2000]


@needs("curl")
@pytest.mark.full
def test_killed_put_is_incomplete_and_never_acknowledged(live, tmp_path):
    path = tmp_path / "cut.bin"
    path.write_bytes(os.urandom(40 << 20))
    child = subprocess.Popen(
        [
            "curl",
            "-sS",
            "-T",
            str(path),
            "--limit-rate",
            "8M",
            "-H",
            f"Authorization: Bearer {live.tokens[INES]}",
            f"{live.web}/api/v1/uploads/open/cut.bin",
        ],
        stderr=subprocess.DEVNULL,
    )
    until(lambda: upload(live, "cut.bin"))
    child.kill()
    child.wait()

    row = until(lambda: in_state(live, "cut.bin", "incomplete"))
    assert row["size"] < path.stat().st_size


@pytest.mark.full
def test_refused_put_leaves_the_connection_usable(live):
    token = live.tokens[INES]
    body = b"x" * 300_000
    for name, status in (("a%20b.txt", 422), ("ok-after-refusal.txt", 201)):
        answer = live.api(token, "PUT", f"/uploads/open/{name}", body)
        assert answer[0] == status, answer
