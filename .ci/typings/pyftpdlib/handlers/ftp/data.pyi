from typing import Any

from pyftpdlib.ioloop import AsyncChat

class DTPHandler(AsyncChat):
    timeout: int
    cmd_channel: Any  # the session's own class
    file_obj: Any
    receive: bool
    transfer_finished: bool
    tot_bytes_sent: int
    tot_bytes_received: int
    cmd: str | None
    _resp: tuple[()] | tuple[str, Any]
    _initialized: bool
    def __init__(self, sock: Any, cmd_channel: Any) -> None: ...
    def log_exception(self, instance: object) -> None: ...
    def use_sendfile(self) -> bool: ...
    def enable_receiving(self, type: str, cmd: str) -> None: ...
    def get_elapsed_time(self) -> float: ...
