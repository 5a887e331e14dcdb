"""A large released file by HTTP against nginx, and by anonymous FTP against vsftpd."""

import datetime
from functools import partial

from tests.benchmarks.harness import MIB, Row, in_turns, need, nginx, random_file, run, vsftpd
from tests.live import Live, archived

SIZE = 1024 * MIB


def released(live: Live, path) -> str:
    """A released open dataset of one file; its accession."""
    ines, ruth = live.add("ines@example.org"), live.add("ruth@example.org", role="curator")
    run("curl", "-sS", "-T", path, "--user", "ines@example.org:correct horse", f"ftp://{live.ftp_host}/OMIX/one.bin")
    today = datetime.date.today().isoformat()  # noqa: DTZ011
    _, dataset = live.api(
        ines,
        "POST",
        "/datasets",
        {
            "title": "One",
            "description": "Bytes",
            "species": "Mus musculus",
            "access": "open",
            "release_date": today,
            "files": [{"name": "one.bin"}],
        },
    )
    live.api(ines, "POST", f"/datasets/{dataset['id']}/actions/submit", {})
    dataset = live.wait(ines, str(dataset["id"]), archived, within=60)
    live.api(ruth, "POST", f"/datasets/{dataset['accession']}/actions/approve", {"version": dataset["version"]})
    live.wait(ines, str(dataset["id"]), lambda one: one["state"] == "released", within=120)
    return dataset["accession"]


def fetch(url: str) -> None:
    run("curl", "-sSf", "-o", "/dev/null", url)


def measure(folder):
    need("curl")
    path = random_file(folder / "one.bin", SIZE)
    with Live(folder / "instance") as live, vsftpd(folder / "peer") as ftp, nginx(folder) as http:
        (folder / "peer" / "files" / "one.bin").hardlink_to(path)
        accession = released(live, path)
        pairs = {
            "HTTP": (f"{live.web}/datasets/{accession}/files/one.bin", f"http://127.0.0.1:{http}/one.bin"),
            "FTP": (f"ftp://{live.ftp_host}/OMIX/{accession}/one.bin", f"ftp://127.0.0.1:{ftp}/files/one.bin"),
        }
        for name, (mine, theirs) in pairs.items():
            ours, peer, ratio = in_turns(partial(fetch, mine), partial(fetch, theirs), rounds=5)
            rates = [f"{SIZE / MIB / seconds:.0f} MiB/s" for seconds in (ours, peer)]
            yield Row(f"{name} download 1 GiB, rate", *rates, 1 / ratio, ">= 0.85", 1 / ratio >= 0.85)
