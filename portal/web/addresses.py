"""The public addresses of the site: the FTP server's, as a client's settings need it, and those of pages."""

import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import url_for

from portal.config import settings


@dataclass(frozen=True)
class Ftp:
    """What an FTP client needs to know: host, port, TLS mode, and the folders for new files of each realm."""

    host: str
    port: int
    tls: str
    incoming: str
    protected: str

    @property
    def url(self) -> str:
        return f"ftp://{self.host}" + (f":{self.port}" if self.port != 21 else "")


def ftp() -> Ftp:
    """The FTP server's public address where one is set, else where the running server listens."""
    chosen = settings()
    listening = urlsplit(_written().get("ftp", ""))
    public = chosen.ftp_public_address or urlsplit(chosen.public_url).hostname
    host = public or listening.hostname or chosen.host
    port = listening.port or (21 if listening.hostname else chosen.ftp_port)
    return Ftp(host, port, chosen.ftp_tls, f"/{chosen.prefix}/", f"/{chosen.prefix}-protected/")


def outside(endpoint: str, **values: Any) -> str:
    """The address of a page as it is handed on: under the public address where one is set, else as it was asked."""
    if base := settings().public_url:
        return base.rstrip("/") + url_for(endpoint, **values)
    return url_for(endpoint, **values, _external=True)


def _written() -> dict[str, str]:
    """The addresses at which the running processes listen, by protocol; empty where none runs."""
    try:
        written: dict[str, str] = json.loads((settings().run / "addresses.json").read_text())
        return written
    except (OSError, ValueError):
        return {}
