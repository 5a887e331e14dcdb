from OpenSSL import SSL
from pyftpdlib.handlers.ftp.control import FTPHandler

class TLS_FTPHandler(FTPHandler):
    ssl_context: SSL.Context | None
    _prot: bool
    _ssl_established: bool
    _ssl_requested: bool
    @classmethod
    def get_ssl_context(cls) -> SSL.Context | None: ...
    def handle_failed_ssl_handshake(self) -> None: ...
    def ftp_AUTH(self, line: str) -> None: ...
