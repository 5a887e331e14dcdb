"""Which addresses elsewhere the portal calls in somebody's name: never ones inside its own network.

A name is resolved once, each address that comes of it must be public, and the connection goes to those addresses:
a name that means another machine a moment later reaches nothing. Nothing here belongs inside a transaction.
"""

import ipaddress
import re
import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from portal import errors
from portal.config import settings
from portal.messages import Message, say

Resolver = Callable[[str, int], list[str]]
IP = ipaddress.IPv4Address | ipaddress.IPv6Address
LONGEST = 2000
NAME = re.compile(r"[a-z0-9_]([a-z0-9_.-]*[a-z0-9_])?")
SHARED = ipaddress.ip_network("100.64.0.0/10")
# Of protocols between machines, relays to IPv6, old site-local: nobody's web server, whatever is_global says of some.
SPECIAL = tuple(ipaddress.ip_network(text) for text in ("192.0.0.0/24", "192.88.99.0/24", "fec0::/10"))
PORTS = {"https": 443, "http": 80}
NO_MACHINE = say("address_without_machine", "The address names no machine.")


class Unreachable(errors.DomainError):
    """The host name does not resolve now, or resolves to an address that the portal does not call."""

    status, title, code = 422, "This address cannot be called", "unreachable"
    topic = "webhooks"


@dataclass(frozen=True)
class Address:
    """A checked web address in the parts that a request needs."""

    scheme: str
    host: str
    port: int
    path: str

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def ask_system(host: str, port: int) -> list[str]:
    """The addresses a name has now, by the resolver of this machine."""
    entries = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in entries))


_resolver: Resolver = ask_system


def use(resolver: Resolver) -> None:
    """Ask another resolver (tests)."""
    global _resolver
    _resolver = resolver


def parse(text: str) -> Address:
    """The address that was typed, in parts. Raises Invalid with what is wrong with it."""
    text = text.strip()
    if not text or len(text) > LONGEST or any(ord(char) <= 0x20 or char in '\\"<>^`{|}\x7f' for char in text):
        raise _invalid(say("address_not_whole", "Give the whole address, such as https://lims.example.org/omix."))
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise _invalid(
            say("no_web_address", "This is no web address. Such as https://lims.example.org/omix.")
        ) from None
    if parts.scheme not in _schemes():
        raise _invalid(say("address_scheme", "The address starts with https://."))
    if "@" in parts.netloc or parts.fragment or port == 0:
        raise _invalid(
            say("address_extras", "Leave out user names, passwords and what follows a #; every message is signed.")
        )
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=~-._?") if parts.query else ""
    return Address(parts.scheme, _host(parts.hostname or ""), port or PORTS[parts.scheme], path + query)


def _schemes() -> tuple[str, ...]:
    return ("https", "http") if settings().webhook_private else ("https",)


def _host(name: str) -> str:
    if ":" in name:
        try:
            return str(ipaddress.IPv6Address(name))
        except ValueError:
            raise _invalid(NO_MACHINE) from None
    try:
        host = name.rstrip(".").encode("idna").decode().lower()
    except UnicodeError:
        host = ""
    if not NAME.fullmatch(host):
        raise _invalid(NO_MACHINE)
    return host


def _invalid(message: Message) -> errors.Invalid:
    return errors.Invalid(fields={"address": message})


def check(text: str) -> Address:
    """An address that may be registered now: parsed, resolved and found to be public. Raises Invalid."""
    address = parse(text)
    try:
        resolve(address)
    except Unreachable as error:
        raise _invalid(error.message) from error
    return address


def resolve(address: Address) -> list[str]:
    """The addresses to connect to. Raises Unreachable when there is none or one that is not public."""
    try:
        ips = _resolver(address.host, address.port)
    except (OSError, UnicodeError):
        ips = []
    if not ips:
        raise Unreachable(say("unknown_host", "No machine is known under the name {host}.", host=address.host))
    if not all(is_allowed(ip) for ip in ips):
        raise Unreachable(
            say(
                "inner_address",
                "{host} is an address inside a network; webhooks go to public addresses only.",
                host=address.host,
            )
        )
    return ips


def is_allowed(text: str) -> bool:
    """Whether the portal may connect to an IP address."""
    ip = ipaddress.ip_address(text.partition("%")[0])
    if any(ip in net for net in SPECIAL):
        return False
    return _is_public(ip) or (settings().webhook_private and _is_inside(ip))


def _is_public(ip: IP) -> bool:
    if isinstance(ip, ipaddress.IPv6Address) and (ip.ipv4_mapped or ip.sixtofour or ip.teredo):
        return False  # another address is inside it
    odd = ip.is_multicast or ip.is_reserved or ip.is_link_local or ip.is_loopback or ip.is_unspecified
    return ip.is_global and not odd


def _is_inside(ip: IP) -> bool:
    """Loopback and private networks; link-local (where clouds keep their keys) and multicast stay shut."""
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.sixtofour or ip.teredo:
            return False
        ip = ip.ipv4_mapped or ip
    if ip.is_loopback or ip in SHARED:
        return True
    return ip.is_private and not (ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified)
