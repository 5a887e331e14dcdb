"""2 GiB by FTP: received, verified and durable, against vsftpd, then sync, then md5sum and sha256sum side by side."""

from tests.benchmarks.harness import MIB, Row, in_turns, need, random_file, run, side_by_side, vsftpd
from tests.live import Live

SIZE = 2048 * MIB
ROUNDS = 3


def measure(folder):
    need("curl", "md5sum", "sha256sum")
    path = random_file(folder / "two.bin", SIZE)
    with Live(folder / "instance") as live, vsftpd(folder / "peer") as port:
        live.add("ines@example.org")

        def ours():
            run(
                "curl",
                "-sS",
                "-T",
                path,
                "--user",
                "ines@example.org:correct horse",
                f"ftp://{live.ftp_host}/OMIX/two.bin",
            )

        def peer():
            target = folder / "peer" / "files" / "two.bin"
            target.unlink(missing_ok=True)
            run("curl", "-sS", "-T", path, f"ftp://127.0.0.1:{port}/files/two.bin")
            run("sync", target)
            side_by_side(["md5sum", target], ["sha256sum", target])

        seconds, others, ratio = in_turns(ours, peer, rounds=ROUNDS)
    yield Row(
        "FTP upload 2 GiB, digested and durable", f"{seconds:.2f} s", f"{others:.2f} s", ratio, "<= 0.85", ratio <= 0.85
    )
