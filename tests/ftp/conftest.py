"""A real FTP server on a free port of loopback, in a thread of the test's process."""

import ftplib
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from ftp import server as ftp_server
from ftp.handler import Session
from portal.config import Settings
from tests.conftest import Person
from tests.ftp.support import Raw


@dataclass
class Door:
    """Where the server listens, and how a person signs in."""

    host: str
    port: int
    stop: threading.Event = field(default_factory=threading.Event)
    opened: list = field(default_factory=list)

    def plain(self, person: Person | None = None, password: str | None = None) -> ftplib.FTP:
        client = ftplib.FTP(timeout=20)
        self.opened.append(client)
        client.connect(self.host, self.port)
        if person is not None:
            client.login(person.email, password or person.password)
        return client

    def tls(self, person: Person) -> ftplib.FTP_TLS:
        client = ftplib.FTP_TLS(timeout=20)
        self.opened.append(client)
        client.connect(self.host, self.port)
        client.login(person.email, person.password)
        client.prot_p()
        return client

    def raw(self) -> Raw:
        self.opened.append(Raw(self.host, self.port))
        return self.opened[-1]


@pytest.fixture
def start(settings: Settings, database: None, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Door]]:
    """Start the server with the settings as they are now."""
    monkeypatch.setattr(Session, "auth_failed_timeout", 0)
    settings.ftp_passive_ports = "0-0"
    threads, doors = [], []

    def begin(grace: float = 0.5) -> Door:
        told: list[str] = []
        stop = threading.Event()
        listening = threading.Event()

        def ready(address: str) -> None:
            told.append(address)
            listening.set()

        thread = threading.Thread(
            target=ftp_server.serve, args=(settings, ready), kwargs={"stop": stop, "grace": grace}, daemon=True
        )
        thread.start()
        threads.append(thread)
        assert listening.wait(10)
        host, port = told[0].removeprefix("ftp://").split(":")
        doors.append(Door(host, int(port), stop))
        return doors[-1]

    yield begin
    for one in [one for door in doors for one in door.opened]:
        one.close()
    for door in doors:
        door.stop.set()
    for thread in threads:
        thread.join(20)
        assert not thread.is_alive(), "the server did not stop"


@pytest.fixture
def door(start: Callable[[], Door]) -> Door:
    return start()


@pytest.fixture
def client(door: Door, ines: Person) -> ftplib.FTP:
    """Ines, signed in without TLS."""
    return door.plain(ines)
