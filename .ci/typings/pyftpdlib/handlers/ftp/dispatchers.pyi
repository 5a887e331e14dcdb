from typing import Any

from pyftpdlib.ioloop import Acceptor, Connector

class PassiveDTP(Acceptor):
    timeout: int
    cmd_channel: Any  # the session's own class
    def handle_accepted(self, sock: Any, addr: tuple[Any, ...]) -> None: ...
    def handle_timeout(self) -> None: ...

class ActiveDTP(Connector):
    timeout: int
    cmd_channel: Any
    _normalized_addr: str
    def handle_timeout(self) -> None: ...
