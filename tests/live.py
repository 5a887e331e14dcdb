"""A whole portal in a folder of its own: `omix up` as a child process on free ports, and people who use it."""

import json
import os
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from portal import clock, config, db, queue
from portal.config import ROOT
from portal.domain.accounts import accounts, tokens
from tests.waiting import until

OMIX = [sys.executable, "-m", "portal.cli"]


@contextmanager
def opened(instance: Path) -> Iterator[None]:
    """The database of an instance as this process's own, and afterwards what was before."""
    before, url = config._current, db._engine and db._engine.url
    config.use(config.Settings(instance=instance))
    db.configure(config.settings().database)
    queue.configure("")
    try:
        yield
    finally:
        db.dispose()
        config.use(before)
        if url is not None:
            db.configure(url.render_as_string(hide_password=False))


class Live:
    """`with Live(folder) as live:` starts it; `live.web`, `live.ftp` are its addresses. Ends what it started."""

    def __init__(self, folder: Path, **extra: str) -> None:
        self.instance = folder
        self.env = (
            os.environ
            | {
                "OMIX_INSTANCE": str(folder),
                "OMIX_PORT": "0",
                "OMIX_FTP_PORT": "0",
                "OMIX_FTP_PASSIVE_PORTS": "0-0",
                "OMIX_FREE_FLOOR_MIB": "1",
                "PYTHONPATH": str(ROOT),
            }
            | extra
        )
        self.process: subprocess.Popen | None = None

    def __enter__(self) -> "Live":
        self.start()
        return self

    def __exit__(self, *_exc: object) -> None:
        self.stop()

    def start(self, *, within: float = 40, **extra: str) -> None:
        clock.reset()  # a process of its own goes by the clock of the machine, and so do we beside it
        self.addresses_file.unlink(missing_ok=True)
        self.instance.mkdir(parents=True, exist_ok=True)
        log = (self.instance / "up.log").open("ab")
        self.process = subprocess.Popen([*OMIX, "up"], env=self.env | extra, stdout=log, stderr=log, cwd=ROOT)
        log.close()
        process = self.process
        try:
            until(lambda: self.addresses_file.exists() or process.poll() is not None, within, explain=self.end_of_log)
            assert process.poll() is None, f"the portal did not start: {self.end_of_log()}"
        except AssertionError:
            self.stop()
            raise
        addresses = json.loads(self.addresses_file.read_text())
        self.web, self.ftp = addresses["web"].rstrip("/"), urlsplit(addresses["ftp"])

    def stop(self, *, within: float = 35) -> int | None:
        """SIGTERM and wait; returns the exit code."""
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            code = self.process.wait(within)
        except subprocess.TimeoutExpired:
            self.process.kill()
            code = self.process.wait()
        self.process = None
        return code

    @property
    def addresses_file(self) -> Path:
        return self.instance / "run" / "addresses.json"

    @property
    def ftp_host(self) -> str:
        return f"{self.ftp.hostname}:{self.ftp.port}"

    def log(self) -> str:
        path = self.instance / "up.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def end_of_log(self) -> str:
        return self.log()[-3000:]

    def omix(self, *words: str, check: bool = True) -> subprocess.CompletedProcess:
        return subprocess.run([*OMIX, *words], env=self.env, capture_output=True, text=True, cwd=ROOT, check=check)

    def add(self, email: str, *, role: str = "submitter", center: str = "NMI", password: str = "correct horse") -> str:
        """A verified person; returns an API token of theirs. Done here, as the commands do it: starting those takes
        longer than most tests."""
        with opened(self.instance), db.transaction():
            made = accounts.create(email=email, password=password, role=role, center=center)
            return tokens.make_api_token(made, label="test", actor=None)

    def api(self, token: str, method: str, path: str, body: object = None, *, headers: dict | None = None):
        """A call of the API: (status, parsed JSON or None)."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.web}/api/v1{path}", data=data, method=method)
        request.add_header("Authorization", f"Bearer {token}")
        request.add_header("Content-Type", "application/json")
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=120) as answer:
                text = answer.read()
                return answer.status, json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            with error:
                text = error.read()
            try:
                return error.code, json.loads(text)
            except ValueError:
                return error.code, text.decode(errors="replace")

    def wait(self, token: str, ref: str, ready, *, within: float = 30) -> dict:
        """The dataset once ready(dataset) holds."""

        def look() -> dict | None:
            status, dataset = self.api(token, "GET", f"/datasets/{ref}")
            return dataset if status == 200 and ready(dataset) else None

        return until(look, within, explain=lambda: f"{self.api(token, 'GET', f'/datasets/{ref}')}\n{self.end_of_log()}")


def archived(dataset: dict) -> bool:
    return all(file["state"] == "archived" for file in dataset["files"])
