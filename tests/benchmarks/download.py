"""A large released file by HTTP against nginx, and by anonymous FTP against vsftpd."""

import datetime

from tests.benchmarks.harness import MIB, Row, in_turns, need, nginx, random_file, run, vsftpd
from tests.live import Live, archived

SIZE = 1024 * MIB


def released(live: Live, path) -> str:
    """A released open dataset of one file; its accession."""
    ines, ruth = live.add("ines@example.org"), live.add("ruth@example.org", role="curator")
    run("curl", "-sS", "-T", path, "--user", "ines@example.org:correct horse", f"ftp://{live.ftp_host}/OMIX/one.bin")
    today = datetime.date.today().isoformat()  # noqa: DTZ011
    _, dataset = live.api(ines, "POST", "/datasets", {"title": "One", "description": "Bytes", "species": "Mus musculus",
                          "access": "open", "release_date": today, "files": [{"name": "one.bin"}]})  # fmt: skip
    live.api(ines, "POST", f"/datasets/{dataset['id']}/actions/submit", {})
    dataset = live.wait(ines, str(dataset["id"]), archived, within=60)
    live.api(ruth, "POST", f"/datasets/{dataset['accession']}/actions/approve", {"version": dataset["version"]})
    live.wait(ines, str(dataset["id"]), lambda one: one["state"] == "released", within=120)
    return dataset["accession"]


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
            ours, peer, ratio = in_turns(lambda url=mine: run("curl", "-sSf", "-o", "/dev/null", url),
                                         lambda url=theirs: run("curl", "-sSf", "-o", "/dev/null", url), rounds=5)  # fmt: skip
            rate = 1 / ratio
            yield Row(f"{name} download 1 GiB, rate", f"{SIZE / MIB / ours:.0f} MiB/s", f"{SIZE / MIB / peer:.0f} MiB/s",
                      rate, ">= 0.85", rate >= 0.85)  # fmt: skip
