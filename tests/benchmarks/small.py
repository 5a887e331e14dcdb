"""2,000 small files over FTP, durable and recorded, by one client and by fifty, against vsftpd."""

import ftplib
import io
from concurrent.futures import ThreadPoolExecutor

from tests.benchmarks.harness import Row, timed, vsftpd
from tests.live import Live

FILES = 2000


def send(host: str, port: int, folder: str, names: list[str], user: str = "", password: str = "") -> None:
    with ftplib.FTP() as client:
        client.connect(host, port, timeout=60)
        client.login(user, password)
        client.cwd(folder)
        for name in names:
            client.storbinary(f"STOR {name}", io.BytesIO(name.encode() * 50))


def spread(clients: int, label: str, **where) -> None:
    share = FILES // clients
    with ThreadPoolExecutor(clients) as pool:
        for one in [
            pool.submit(send, names=[f"{label}-{client}-{n}.txt" for n in range(share)], **where)
            for client in range(clients)
        ]:
            one.result()


def measure(folder):
    with Live(folder / "instance") as live, vsftpd(folder / "peer") as port:
        live.add("ines@example.org")
        mine = {
            "host": live.ftp.hostname,
            "port": live.ftp.port,
            "folder": "/OMIX",
            "user": "ines@example.org",
            "password": "correct horse",
        }
        theirs = {"host": "127.0.0.1", "port": port, "folder": "files"}
        for clients, bar in ((1, 0.15), (50, 0.4)):
            ours = FILES / timed(lambda clients=clients: spread(clients, f"a{clients}", **mine))
            peer = FILES / timed(lambda clients=clients: spread(clients, f"a{clients}", **theirs))
            yield Row(
                f"{FILES} small files over FTP, {clients} client{'s'[: clients - 1]}",
                f"{ours:.0f}/s",
                f"{peer:.0f}/s",
                ours / peer,
                f">= {bar}",
                ours / peer >= bar,
            )
