from pyftpdlib.handlers.ftp.data import DTPHandler

class TLS_DTPHandler(DTPHandler):
    _error: bool
    _ssl_established: bool
    _ssl_requested: bool
    _ssl_want_read: bool
    _ssl_want_write: bool
    def handle_failed_ssl_handshake(self) -> None: ...
