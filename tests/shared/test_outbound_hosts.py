"""Which addresses a webhook may have: https, public, and nothing that hides another machine."""

import pytest

from portal import errors
from portal.domain.shared import outbound_hosts

pytestmark = pytest.mark.usefixtures("settings")

INSIDE = [
    "127.0.0.1",
    "127.9.9.9",
    "10.0.0.4",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "100.64.0.1",
    "::1",
    "fd00::1",
    "fc00::7",
    "::ffff:127.0.0.1",
    "::ffff:10.0.0.4",
]
NEVER = [
    "0.0.0.0",
    "169.254.169.254",
    "fe80::1",
    "fe80::1%eth0",
    "224.0.0.1",
    "239.1.1.1",
    "ff02::1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::ffff:169.254.169.254",
    "::127.0.0.1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "64:ff9b::7f00:1",
    "2001:0:7f00:1::",
    "2001:db8::1",
    "192.0.0.8",
    "192.0.0.171",
    "192.88.99.1",
    "fec0::1",
]
PUBLIC = ["93.184.215.14", "8.8.8.8", "2606:4700:4700::1111", "2001:4860:4860::8888"]


@pytest.fixture(autouse=True)
def _own_resolver():
    yield
    outbound_hosts.use(outbound_hosts.ask_system)


@pytest.mark.parametrize("ip", INSIDE + NEVER)
def test_address_that_is_not_public_is_refused(ip):
    outbound_hosts.use(lambda _host, _port: [ip])
    with pytest.raises(errors.Invalid) as refused:
        outbound_hosts.check("https://lims.example.org/")
    assert refused.value.field_messages["address"].code == "inner_address"


@pytest.mark.parametrize("ip", PUBLIC)
def test_public_address_is_taken(ip):
    outbound_hosts.use(lambda _host, _port: [ip])
    assert outbound_hosts.resolve(outbound_hosts.check("https://lims.example.org/x")) == [ip]


def test_one_address_inside_among_public_ones_is_enough(settings):
    outbound_hosts.use(lambda _host, _port: ["8.8.8.8", "10.0.0.4"])
    with pytest.raises(errors.Invalid):
        outbound_hosts.check("https://lims.example.org/")


@pytest.mark.parametrize("ip", INSIDE)
def test_setting_opens_the_house(settings, ip):
    settings.webhook_private = True
    assert outbound_hosts.is_allowed(ip)


@pytest.mark.parametrize("ip", [ip for ip in NEVER if ip != "2001:db8::1"])
def test_setting_opens_no_more_than_the_house(settings, ip):
    settings.webhook_private = True
    assert not outbound_hosts.is_allowed(ip)


@pytest.mark.parametrize("host", ["127.1", "0x7f.1", "2130706433", "localhost", "0"])
def test_loopback_by_another_spelling_is_refused(host):
    """As the resolver of this machine understands it."""
    with pytest.raises(errors.Invalid):
        outbound_hosts.check(f"https://{host}/")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lims.example.org",
        "http://lims.example.org/",
        "ftp://lims.example.org/",
        "https://",
        "https:///x",
        "https://user:secret@lims.example.org/",
        "https://lims.example.org/#part",
        "https://lims.example.org:0/",
        "https://lims.example.org:70000/",
        "https://lims.example.org/a b",
        "https://lims.example.org/\r\nX-Evil: 1",
        "https://lims.example.org\\@10.0.0.4/",
        "https://[::1",
        "https://[nonsense]/",
        "https://-/",
        "https://.../",
        "https://" + "a" * 70 + ".example.org/",
        "https://lims.example.org/" + "a" * 2000,
        "javascript:alert(1)",
    ],
)
def test_what_is_no_address_is_refused(text):
    with pytest.raises(errors.Invalid):
        outbound_hosts.parse(text)


def test_name_that_means_nothing_is_refused():
    def unknown(_host, _port):
        raise OSError("no such name")

    outbound_hosts.use(unknown)
    with pytest.raises(errors.Invalid) as refused:
        outbound_hosts.check("https://lims.invalid/")
    unknown_host = refused.value.field_messages["address"]
    assert (unknown_host.code, unknown_host.values) == ("unknown_host", {"host": "lims.invalid"})


@pytest.mark.parametrize(
    ("text", "whole", "authority"),
    [
        ("https://LIMS.example.org", "https://lims.example.org/", "lims.example.org"),
        (
            "https://lims.example.org.:8443/a?b=c&d=%20",
            "https://lims.example.org:8443/a?b=c&d=%20",
            "lims.example.org:8443",
        ),
        ("https://höhe.example.org/ü", "https://xn--hhe-sna.example.org/%C3%BC", "xn--hhe-sna.example.org"),
        ("https://[2606:4700:4700::1111]:443/", "https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]"),
    ],
)
def test_address_is_kept_in_its_plain_form(text, whole, authority):
    address = outbound_hosts.parse(text)
    assert (str(address), address.authority) == (whole, authority)
    assert outbound_hosts.parse(str(address)) == address
