from typing import Any

from pyftpdlib.handlers.ftp.control import FTPHandler
from pyftpdlib.ioloop import Acceptor

class FTPServer(Acceptor):
    max_cons: int
    max_cons_per_ip: int
    handler: type[FTPHandler]
    def __init__(
        self, address_or_socket: tuple[str, int], handler: type[FTPHandler], ioloop: Any = None, backlog: int = 100
    ) -> None: ...
    @property
    def address(self) -> tuple[str, int]: ...
    def _map_len(self) -> int: ...
    def handle_accepted(self, sock: Any, addr: tuple[Any, ...]) -> Any: ...

class ThreadedFTPServer(FTPServer):
    def _refresh_tasks(self) -> None: ...
