"""What the benchmarks share: timing in turns, peers on loopback, files of random bytes."""

import os
import shutil
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MIB = 1 << 20


class Skip(Exception):
    """A peer is missing."""


@dataclass
class Row:
    """One line of the table: what was done, both figures in words, their ratio and whether the bar holds."""

    work: str
    ours: str
    peer: str
    ratio: float
    bar: str
    held: bool


def need(*programs: str) -> None:
    missing = [name for name in programs if shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/sbin") is None]
    if missing:
        raise Skip(f"for want of {', '.join(missing)}")


def timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def in_turns(ours: Callable[[], object], peer: Callable[[], object], *, rounds: int = 3) -> tuple[float, float, float]:
    """Both in turn; median seconds of each and the median of the ratios pair by pair."""
    pairs = [(timed(ours), timed(peer)) for _ in range(rounds)]
    ratios = [one / other for one, other in pairs]
    return statistics.median(p[0] for p in pairs), statistics.median(p[1] for p in pairs), statistics.median(ratios)


def random_file(path: Path, size: int) -> Path:
    with path.open("wb") as writer:
        for start in range(0, size, 16 * MIB):
            writer.write(os.urandom(min(16 * MIB, size - start)))
    return path


def run(*words: object, **options) -> None:
    subprocess.run(
        [str(word) for word in words], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )


def side_by_side(*commands: list[object]) -> None:
    """Programs at the same time, as a careful person with two cores would run them."""
    children = [subprocess.Popen([str(word) for word in words], stdout=subprocess.DEVNULL) for words in commands]
    if any(child.wait() for child in children):
        raise RuntimeError("a peer failed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _wait_for(port: int, child: subprocess.Popen) -> None:
    until = time.monotonic() + 10
    while time.monotonic() < until and child.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError("a peer did not start")


@contextmanager
def serving(words: list[str], port: int) -> Iterator[int]:
    child = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, child)
        yield port
    finally:
        child.terminate()
        child.wait(10)


@contextmanager
def vsftpd(folder: Path) -> Iterator[int]:
    """vsftpd for anybody on loopback; files go to and come from folder/files."""
    need("vsftpd")
    (folder / "files").mkdir(parents=True, exist_ok=True)
    port = free_port()
    config = folder / "vsftpd.conf"
    config.write_text(
        "\n".join(
            [
                "listen=YES",
                "listen_address=127.0.0.1",
                f"listen_port={port}",
                "background=NO",
                "anonymous_enable=YES",
                "local_enable=NO",
                "write_enable=YES",
                "anon_upload_enable=YES",
                "anon_mkdir_write_enable=YES",
                "anon_other_write_enable=YES",
                "no_anon_password=YES",
                f"anon_root={folder}",
                "anon_umask=022",
                "run_as_launching_user=YES",
                "seccomp_sandbox=NO",
                "allow_writeable_chroot=YES",
                "max_per_ip=0",
                "max_clients=0",
            ]
        )
        + "\n"
    )
    with serving([shutil.which("vsftpd", path=os.environ["PATH"] + ":/usr/sbin") or "vsftpd", str(config)], port):
        yield port


@contextmanager
def nginx(folder: Path) -> Iterator[int]:
    """nginx serving a folder on loopback with sendfile."""
    need("nginx")
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(
        f"daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log stderr crit; user root;\n"
        "events { worker_connections 256; }\n"
        f"http {{ access_log off; sendfile on; tcp_nopush on; client_body_temp_path {folder}/b; "
        f"proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; "
        f"scgi_temp_path {folder}/s; server {{ listen 127.0.0.1:{port}; root {folder}; }} }}\n"
    )
    with serving([shutil.which("nginx", path=os.environ["PATH"] + ":/usr/sbin") or "nginx", "-c", str(config)], port):
        yield port
