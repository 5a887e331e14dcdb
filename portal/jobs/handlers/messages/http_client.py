"""POST to somebody else's server: to the addresses that were checked and no others, no redirect followed, over within
fifteen seconds however slowly the server answers. Of the answer only the status is told.

`http.client` speaks the protocol; what it reads and writes goes through a socket of ours, which knows the deadline.
"""

import http.client
import io
import socket
import ssl
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from portal import errors
from portal.domain.shared import outbound_hosts
from portal.domain.shared.outbound_hosts import Address

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

TIMEOUT = 15.0  # s for one message, from the look-up of the name to the end of the answer
LONGEST = 64 << 10  # bytes of a head, and of a body that is read so that the connection can be kept


class NoHttp(http.client.HTTPException):
    """What came is no whole answer in HTTP/1, or far too long a one."""


@dataclass(frozen=True)
class Answer:
    """`status` None: no answer came. `says` is a sentence for the log; `took` in ms."""

    status: int | None
    says: str
    took: int


class Client:
    """Sends messages to one server; its connection is kept for the next one as long as both sides like."""

    def __init__(self) -> None:
        self._connection: CheckedConnection | None = None

    def post(self, text: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a body to an address; whatever goes wrong is an answer too."""
        begun = time.monotonic()
        status = None
        try:
            status = self._send(outbound_hosts.parse(text), body, headers, begun + TIMEOUT)
            says = _sentence(status)
        except errors.DomainError as error:
            says = error.fields.get("address", error.sentence)
        except http.client.RemoteDisconnected:
            says = "It could not be reached: it closed the connection without an answer."
        except http.client.HTTPException:
            says = "What it answered is no HTTP."
        except ssl.SSLCertVerificationError as error:
            says = f"Its certificate is not trusted: {error.verify_message}."
        except TimeoutError:
            says = f"It did not answer within {TIMEOUT:g} seconds."
        except OSError as error:
            says = f"It could not be reached: {error.strerror or error}."
        if status is None:
            self.close()
        return Answer(status, says, round((time.monotonic() - begun) * 1000))

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _send(self, address: Address, body: bytes, headers: dict[str, str], until: float) -> int:
        if self._connection is not None and self._connection.is_open:
            try:
                return self._connection.exchange(body, headers, until)
            except (ConnectionError, ssl.SSLEOFError):
                self.close()  # the server closed what it had kept: that is no refusal of this message
        self._connection = CheckedConnection(address)
        return self._connection.exchange(body, headers, until)


def _sentence(status: int) -> str:
    if 200 <= status < 300:
        return f"It answered {status}."
    if 300 <= status < 400:
        return f"It answered {status}, which leads elsewhere; webhooks follow nobody. Register the final address."
    return f"It answered {status}; any 2xx would do."


class FinalResponse(http.client.HTTPResponse):
    """The answer behind whatever is said in between (1xx)."""

    def begin(self) -> None:
        super().begin()
        while 100 <= self.status < 200:
            self.headers = None  # type: ignore[assignment]  # begin() reads the next head where there is none
            super().begin()


class CheckedConnection(http.client.HTTPConnection):
    """A connection to an address that may be called, opened to the IP addresses that were checked."""

    response_class = FinalResponse

    def __init__(self, address: Address) -> None:
        super().__init__(address.host, address.port)
        self._address = address
        self._until = 0.0

    @property
    def is_open(self) -> bool:
        return self.sock is not None

    def connect(self) -> None:
        self.sock = DeadlineSocket(_connect(self._address, self._until))

    def exchange(self, body: bytes, headers: dict[str, str], until: float) -> int:
        """Send one message and return the status of its answer. The connection stays open where it can serve again."""
        self._until = until
        if not self.is_open:
            self.connect()
        sock: Any = self.sock
        sock.allow(until, LONGEST)
        self.putrequest("POST", self._address.path, skip_host=True, skip_accept_encoding=True)
        for name, value in (self._head(body) | headers).items():
            self.putheader(name, value)
        self.endheaders(body)
        response = self.getresponse()
        if not self._is_read(response, sock, until):
            self.close()
        return response.status

    def _head(self, body: bytes) -> dict[str, str]:
        return {
            "Host": self._address.authority,
            "User-Agent": "omix-portal",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
        }

    def _is_read(self, response: http.client.HTTPResponse, sock: "DeadlineSocket", until: float) -> bool:
        """Read a short body to its end, so that the next answer begins where this one ends."""
        if response.will_close or response.chunked or response.version != 11 or (response.length or 0) > LONGEST:
            return False
        sock.allow(until, LONGEST)
        try:
            response.read()
        except (OSError, http.client.HTTPException):
            return False  # the answer is known, whatever becomes of its body
        return not sock.has_more()


class DeadlineSocket(io.RawIOBase):
    """A socket for `http.client` that gives up at a moment and after so many bytes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._until, self._left = 0.0, 0
        self._received, self._paused = 0, False
        self._reader = KeptReader(self)

    def allow(self, until: float, count: int) -> None:
        """Until a moment of the monotonic clock, receive about so many bytes."""
        self._until, self._left, self._received = until, count, 0

    def sendall(self, data: bytes) -> None:
        self._connection.settimeout(_seconds_left(self._until))
        self._connection.sendall(data)

    def makefile(self, _mode: str) -> io.BufferedReader:
        """What http.client reads each answer from: the same buffer for all of them."""
        return self._reader

    def has_more(self) -> bool:
        """Whether more came than was read."""
        self._paused = True
        try:
            return bool(self._reader.peek(1))
        finally:
            self._paused = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int | None:
        if self._paused:
            return None
        if self._left <= 0:
            raise NoHttp
        self._connection.settimeout(_seconds_left(self._until))
        count: int = self._connection.recv_into(buffer)
        if not count and self._received:
            raise NoHttp  # it broke off in the middle of its answer
        self._received += count
        self._left -= count
        return count

    def close(self) -> None:
        self._connection.close()
        super().close()


class KeptReader(io.BufferedReader):
    """A buffer that stays open when one answer is read; the connection closes what is below."""

    def close(self) -> None:
        return

    def flush(self) -> None:
        return


def _connect(address: Address, until: float) -> socket.socket:
    """The first of the checked addresses that answers, with TLS where the address says so."""
    failed: OSError | None = None
    for ip in outbound_hosts.resolve(address):
        try:
            plain = socket.create_connection((ip, address.port), timeout=_seconds_left(until))
        except OSError as error:
            failed = error
            continue
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if address.scheme == "http":
            return plain
        try:
            plain.settimeout(_seconds_left(until))
            return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
        except BaseException:
            plain.close()
            raise
    raise failed or OSError("no address")


def _seconds_left(until: float) -> float:
    """Seconds until a moment; a server that gives a byte now and then does not get more. Raises TimeoutError."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left
