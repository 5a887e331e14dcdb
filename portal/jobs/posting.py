"""One POST to somebody else's server: to the addresses that were checked and no others, no redirect followed, over
within fifteen seconds however slowly the server answers. Only the status of the answer is read."""

import re
import socket
import ssl
import time
from dataclasses import dataclass

from portal.domain import hosts
from portal.domain.hosts import Address

TIMEOUT = 15.0
LONGEST_HEAD = 64 << 10
STATUS = re.compile(rb"HTTP/1\.[01] ([1-9][0-9]{2})[ \r]")


class NoHttp(Exception):
    """What came is no answer in HTTP/1."""


@dataclass(frozen=True)
class Answer:
    """`status` None: no answer came. `says` is a sentence for the log; `took` in ms."""

    status: int | None
    says: str
    took: int


def post(text: str, body: bytes, headers: dict[str, str]) -> Answer:
    """Send a body to an address; whatever goes wrong is an answer too."""
    begun = time.monotonic()
    try:
        status = _ask(hosts.parse(text), body, headers, begun + TIMEOUT)
        says = _words(status)
    except hosts.errors.DomainError as error:
        status, says = None, error.fields.get("address", error.sentence)
    except NoHttp:
        status, says = None, "What it answered is no HTTP."
    except ssl.SSLCertVerificationError as error:
        status, says = None, f"Its certificate is not trusted: {error.verify_message}."
    except TimeoutError:
        status, says = None, f"It did not answer within {TIMEOUT:g} seconds."
    except OSError as error:
        status, says = None, f"It could not be reached: {error.strerror or error}."
    return Answer(status, says, round((time.monotonic() - begun) * 1000))


def _words(status: int) -> str:
    if 200 <= status < 300:
        return f"It answered {status}."
    if 300 <= status < 400:
        return f"It answered {status}, which leads elsewhere; webhooks follow nobody. Register the final address."
    return f"It answered {status}; any 2xx would do."


def _ask(address: Address, body: bytes, headers: dict[str, str], until: float) -> int:
    head = {
        "Host": address.authority,
        "User-Agent": "omix-portal",
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Connection": "close",
    }
    lines = [f"POST {address.path} HTTP/1.1", *(f"{name}: {value}" for name, value in (head | headers).items())]
    with _connect(address, until) as connection:
        connection.settimeout(_left(until))
        connection.sendall("\r\n".join([*lines, "", ""]).encode("ascii") + body)
        return _status(connection, until)


def _connect(address: Address, until: float) -> socket.socket:
    """The first of the checked addresses that answers, with TLS where the address says so."""
    failed: OSError | None = None
    for ip in hosts.resolve(address):
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


def _status(connection: socket.socket, until: float) -> int:
    """The status of the answer. What a server says in between (1xx) is passed over."""
    said = b""
    while True:
        while b"\r\n\r\n" not in said:
            connection.settimeout(_left(until))
            piece = connection.recv(LONGEST_HEAD)
            if not piece or len(said) > LONGEST_HEAD:
                raise NoHttp
            said += piece
        found = STATUS.match(said)
        if not found:
            raise NoHttp
        if found[1][:1] != b"1":
            return int(found[1])
        said = said.partition(b"\r\n\r\n")[2]
