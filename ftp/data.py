"""The data channel. Uploads are received straight into the buffers of their session and acknowledged only once it has
finished; a reset, or TLS that ends without close_notify, is never mistaken for the end of a file."""

import socket
import time
from collections.abc import Callable
from typing import Protocol

from OpenSSL import SSL
from pyftpdlib.exceptions import _RetryError
from pyftpdlib.handlers.ftp.data import DTPHandler
from pyftpdlib.handlers.ftp.producers import FileProducer
from pyftpdlib.handlers.ftps.data import TLS_DTPHandler
from pyftpdlib.ioloop import AsyncChat
from pyftpdlib.utils import is_ssl_sock

from ftp import upload_end
from portal import errors
from portal.messages import Message, say

# Reads per turn, so that the control connection is heard in between.
TURNS = 8
TLS_TURNS = 64
TLS_RECORD = 16 << 10
SEND_BLOCK = 1 << 20
SILENCE = 60.0
DATA_CUT = say("data_cut", "The data connection broke.")

FileProducer.buffer_size = 256 << 10


class Control(Protocol):
    """What a data connection asks of its control connection."""

    quiet: Callable[..., object]

    def note(self, kind: str, detail: str = "", *, meant: str = "") -> None: ...
    def respond(self, resp: str, logfun: Callable[..., object] = ...) -> None: ...
    def log_transfer(
        self, cmd: str, filename: object, receive: bool, completed: bool, elapsed: float, bytes: int
    ) -> None: ...
    def _on_dtp_close(self) -> None: ...


class Receiving(DTPHandler):
    """A plain data channel."""

    timeout = 0  # the session's own tick looks for silence
    ac_out_buffer_size = SEND_BLOCK
    cmd_channel: Control
    trouble: errors.DomainError | None = None

    def __init__(self, sock: socket.socket, cmd_channel: Control) -> None:
        self.heard = time.monotonic()
        self._sent_before = 0
        super().__init__(sock, cmd_channel)

    def enable_receiving(self, type: str, cmd: str) -> None:
        """From now on bytes of an upload come in; `file_obj` is its UploadSession."""
        self.cmd, self.receive, self._initialized = cmd, True, True
        self.heard = time.monotonic()
        if self._closed:
            self.fail(errors.Incomplete(say("data_closed", "The data connection was closed before a byte came.")))
            return
        self.modify_ioloop_events(self.ioloop.READ)
        self._wanted_io_events = self.ioloop.READ

    def use_sendfile(self) -> bool:
        """Files are sent as they are, whatever TYPE says: converted bytes would have another digest."""
        return hasattr(self.file_obj, "readinto") and not is_ssl_sock(self.socket) and self._is_on_disk()

    def _is_on_disk(self) -> bool:
        try:
            handle: int = self.file_obj.fileno()
        except (OSError, ValueError):
            return False
        return handle >= 0

    def handle_read_event(self) -> None:
        if not self.receive:
            super().handle_read_event()
            return
        self.heard = time.monotonic()
        try:
            for _ in range(self.turns()):
                if not self.take():
                    return
        except _RetryError:
            return
        except errors.DomainError as error:
            self.fail(error)

    handle_read = handle_read_event

    def turns(self) -> int:
        return TURNS

    def take(self) -> bool:
        """Receive once into the upload session. False when the upload ended. Raises _RetryError when nothing waits."""
        upload = self.file_obj
        try:
            count = self.socket.recv_into(upload.buffer())
        except BlockingIOError as error:
            raise _RetryError from error
        except OSError:
            self.cut("data_cut", DATA_CUT)
            return False
        if not count:
            self.finish()
            return False
        self.tot_bytes_received += count
        upload.filled(count)
        return True

    def finish(self) -> None:
        self.transfer_finished = True
        self.close()

    def cut(self, kind: str, sentence: Message) -> None:
        """The connection ended in a way that does not tell whether the file is whole."""
        self._error = True
        self.cmd_channel.note(kind, self.file_obj.name)
        self.fail(errors.Incomplete(sentence))

    def fail(self, trouble: errors.DomainError) -> None:
        self.trouble = self.trouble or trouble
        self.close()

    def give_up(self, sentence: Message) -> None:
        """End a transfer from our side."""
        if self.receive:
            self.fail(errors.Incomplete(sentence))
        else:
            self._resp = (f"426 {sentence}", self.cmd_channel.quiet)
            self.close()

    def tick(self, now: float) -> None:
        """Every two seconds: give back a buffer that a slow sender holds, and end what is silent or lost."""
        if self.tot_bytes_sent != self._sent_before:
            self._sent_before, self.heard = self.tot_bytes_sent, now
        silent = now - self.heard > SILENCE
        if not self._initialized:
            if silent:
                self.close()  # opened for a command that never came, or was refused
            return
        if not self.receive:
            if silent:
                self.give_up(say("data_stalled", "No data went through for {seconds:.0f} s.", seconds=SILENCE))
            return
        try:
            if self.file_obj.lost:
                self.file_obj.buffer()
            self.file_obj.rest()
        except errors.DomainError as error:
            self.fail(error)
        else:
            if silent:
                self.cut("data_silent", say("data_silent", "No data came for {seconds:.0f} s.", seconds=SILENCE))

    def handle_close(self) -> None:
        if self.receive and not self._closed:
            self.cut("data_cut", DATA_CUT)
        else:
            super().handle_close()

    def handle_error(self) -> None:
        if self.receive:
            self.log_exception(self)
            self._error = True
            self.fail(
                errors.StorageFault(
                    say("receive_failed", "Something failed here while receiving; the fault is ours. Send it again.")
                )
            )
        else:
            super().handle_error()

    def close(self) -> None:
        """The connection first, then the bytes made durable and recorded, and only then the reply."""
        if not self.receive:
            super().close()
            return
        AsyncChat.close(self)
        upload, channel = self.file_obj, self.cmd_channel
        if upload.done:
            return
        # 3. End: only a finished transfer is made durable and recorded; anything else stays incomplete.
        reply = upload_end.end(upload, whole=self.transfer_finished, trouble=self.trouble)
        # 6. Acknowledge.
        if reply:
            self.transfer_finished = reply.startswith("226")
            channel.respond(reply)
        channel.log_transfer(
            self.cmd or "", upload.name, True, self.transfer_finished, self.get_elapsed_time(), self.tot_bytes_received
        )
        channel._on_dtp_close()


class DataChannel(TLS_DTPHandler, Receiving):
    """The same under TLS where the client asked for it."""

    def turns(self) -> int:
        return TLS_TURNS if self._ssl_established else TURNS

    def use_sendfile(self) -> bool:
        return Receiving.use_sendfile(self)

    def take(self) -> bool:
        if not self._ssl_requested:
            return Receiving.take(self)
        try:
            data = self.socket.recv(TLS_RECORD)
        except SSL.WantReadError as error:
            self._ssl_want_read = True
            raise _RetryError from error
        except SSL.WantWriteError as error:
            self._ssl_want_write = True
            raise _RetryError from error
        except SSL.ZeroReturnError:
            self.finish()
            return False
        except (SSL.Error, OSError, AssertionError):
            self.cut("tls_cut", say("tls_cut", "The encrypted data connection ended without its closing mark."))
            return False
        self.tot_bytes_received += len(data)
        self.file_obj.write(data)
        return True

    def handle_error(self) -> None:
        self._error = True
        Receiving.handle_error(self)

    def handle_failed_ssl_handshake(self) -> None:
        self.cmd_channel.note("tls_handshake", "on the data connection")
        if self.receive:
            self._error = True
            self.fail(errors.Incomplete(say("data_handshake", "The TLS handshake of the data connection failed.")))
        else:
            super().handle_failed_ssl_handshake()
