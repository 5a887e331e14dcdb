"""POST to somebody else's server: to the addresses that were checked and no others, no redirect followed, over within
fifteen seconds however slowly the server answers. Of the answer only the status is told."""

import re
import socket
import ssl
import time
from dataclasses import dataclass

from portal import errors
from portal.domain.shared import outbound_hosts
from portal.domain.shared.outbound_hosts import Address

TIMEOUT = 15.0
LONGEST = 64 << 10
STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})[ \r]")
FIELD = re.compile(rb"\r\n([A-Za-z-]+):[ \t]*([^\r\n]*)")


class NoHttp(Exception):
    """What came is no answer in HTTP/1."""


class Silent(OSError):
    """The server closed the connection and said nothing."""

    strerror = "it closed the connection without an answer"


@dataclass(frozen=True)
class Answer:
    """`status` None: no answer came. `says` is a sentence for the log; `took` in ms."""

    status: int | None
    says: str
    took: int


class Line:
    """The way to one server: its connection is kept for the next message as long as both sides like."""

    def __init__(self) -> None:
        self._kept: socket.socket | None = None

    def post(self, text: str, body: bytes, headers: dict[str, str]) -> Answer:
        """Send a body to an address; whatever goes wrong is an answer too."""
        begun = time.monotonic()
        status = None
        try:
            status = self._ask(outbound_hosts.parse(text), body, headers, begun + TIMEOUT)
            says = _words(status)
        except errors.DomainError as error:
            says = error.fields.get("address", error.sentence)
        except NoHttp:
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
        if self._kept is not None:
            self._kept.close()
            self._kept = None

    def _ask(self, address: Address, body: bytes, headers: dict[str, str], until: float) -> int:
        request = _request(address, body, headers)
        if self._kept is not None:
            try:
                return self._exchange(self._kept, request, until)
            except (ConnectionError, ssl.SSLEOFError, Silent):
                self.close()  # the server closed what it had kept: that is no refusal of this message
        self._kept = _connect(address, until)
        return self._exchange(self._kept, request, until)

    def _exchange(self, connection: socket.socket, request: bytes, until: float) -> int:
        connection.settimeout(_left(until))
        connection.sendall(request)
        status, keeps = _answer(connection, until)
        if not keeps:
            self.close()
        return status


def _words(status: int) -> str:
    if 200 <= status < 300:
        return f"It answered {status}."
    if 300 <= status < 400:
        return f"It answered {status}, which leads elsewhere; webhooks follow nobody. Register the final address."
    return f"It answered {status}; any 2xx would do."


def _request(address: Address, body: bytes, headers: dict[str, str]) -> bytes:
    head = {
        "Host": address.authority,
        "User-Agent": "omix-portal",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
    }
    lines = [f"POST {address.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (head | headers).items())]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body


def _connect(address: Address, until: float) -> socket.socket:
    """The first of the checked addresses that answers, with TLS where the address says so."""
    failed: OSError | None = None
    for ip in outbound_hosts.resolve(address):
        try:
            plain = socket.create_connection((ip, address.port), timeout=_left(until))
        except OSError as error:
            failed = error
            continue
        if address.scheme == "http":
            return plain
        try:
            plain.settimeout(_left(until))
            return ssl.create_default_context().wrap_socket(plain, server_hostname=address.host)
        except BaseException:
            plain.close()
            raise
    raise failed or OSError("no address")


def _left(until: float) -> float:
    """Seconds that are left; a server that gives a byte now and then does not get more."""
    left = until - time.monotonic()
    if left <= 0:
        raise TimeoutError
    return left


def _more(connection: socket.socket, said: bytes, until: float) -> bytes:
    connection.settimeout(_left(until))
    piece = connection.recv(LONGEST)
    if not piece and not said:
        raise Silent
    if not piece or len(said) > LONGEST:
        raise NoHttp
    return said + piece


def _answer(connection: socket.socket, until: float) -> tuple[int, bool]:
    """The status, and whether the connection serves once more. What is said in between (1xx) is passed over."""
    said = b""
    while True:
        while b"\r\n\r\n" not in said:
            said = _more(connection, said, until)
        head, _, said = said.partition(b"\r\n\r\n")
        found = STATUS.match(head + b"\r")
        if not found:
            raise NoHttp
        if found[2][:1] != b"1":
            return int(found[2]), found[1] == b"1" and _is_read(connection, head, said, int(found[2]), until)


def _is_read(connection: socket.socket, head: bytes, said: bytes, status: int, until: float) -> bool:
    """Read a short body to its end, so that the next answer begins where this one ends."""
    fields = {name.lower(): value.strip().lower() for name, value in FIELD.findall(head)}
    length = b"0" if status == 204 else fields.get(b"content-length", b"")
    if b"transfer-encoding" in fields or fields.get(b"connection") == b"close" or not length.isdigit():
        return False
    if len(length) > 5 or int(length) > LONGEST:
        return False
    try:
        while len(said) < int(length):
            said = _more(connection, said or b"", until)
    except (OSError, NoHttp):
        return False  # the answer is known, whatever becomes of its body
    return len(said) == int(length)
