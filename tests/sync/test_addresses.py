"""Which addresses may be talked to."""

import socket

import pytest
from pytest_django.fixtures import Settings

from apps.sync.addresses import BlockedAddress, is_allowed, resolve


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1", "localhost", "0.0.0.0", "10.1.2.3", "192.168.0.1", "169.254.169.254", "::1",
        "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2130706433", "0x7f000001", "017700000001", "127.1",
        "0",
    ],
)  # fmt: skip
def test_a_host_that_leads_inside_is_refused(host: str, settings: Settings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    with pytest.raises(BlockedAddress):
        resolve(host, 80)


def test_a_private_host_is_resolved_where_settings_allow_it(settings: Settings) -> None:
    settings.ALLOW_PRIVATE_TARGETS = True
    assert resolve("2130706433", 80) == "127.0.0.1"


def test_one_private_address_among_public_ones_is_refused(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.ALLOW_PRIVATE_TARGETS = False
    found = [
        (socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 80)) for ip in ("1.1.1.1", "10.0.0.1")
    ]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: found)
    with pytest.raises(BlockedAddress, match=r"hooks\.example leads to 10\.0\.0\.1"):
        resolve("hooks.example", 80)


@pytest.mark.parametrize("host", ["a..b", "a" * 64 + ".example"])
def test_what_is_no_host_name_does_not_resolve(host: str) -> None:
    with pytest.raises(OSError, match="is no host name"):
        resolve(host, 80)


@pytest.mark.parametrize(
    "address",
    [
        "0.0.0.0", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "169.254.169.254",
        "172.16.0.1", "168.63.129.16", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.1.1",
        "198.18.0.1", "203.0.113.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::", "::1", "::127.0.0.1", "::ffff:10.0.0.1", "::ffff:0:7f00:1", "64:ff9b::a00:1",
        "64:ff9b:1::1", "100::1", "2001::1", "2001:db8::1", "2002:7f00:1::", "3fff::1", "4000::1",
        "5f00::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fec0::1", "ff02::1",
    ],
)  # fmt: skip
def test_an_address_that_is_not_public_is_denied(address: str) -> None:
    assert is_allowed(address) is False


@pytest.mark.parametrize(
    "address", ["1.1.1.1", "8.8.8.8", "::ffff:1.1.1.1", "2606:4700::1111", "2a00:1450:4001::1"]
)
def test_a_public_address_is_allowed(address: str) -> None:
    assert is_allowed(address) is True
