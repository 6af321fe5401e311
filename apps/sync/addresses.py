"""Which addresses may be talked to: a tenant's URL must not reach our own network."""

import ipaddress
import socket

from django.conf import settings

from apps.sync.failures import NothingSent

# Public IPv6 is handed out of this block alone (IANA); all else is ours, reserved or a way to IPv4:
# NAT64 64:ff9b::/96, IPv4-translated ::ffff:0:0:0/96, 5f00::/16, fc00::/7, fe80::/10, ff00::/8.
_PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")
# What `is_global` of Python 3.11 lets through, and what tunnels to private IPv4 addresses.
_DENIED = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8", "100.64.0.0/10", "192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15",
        "224.0.0.0/4", "240.0.0.0/4", "2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20",
        "168.63.129.16/32",  # Azure answers metadata at this public address
    )
]  # fmt: skip


class BlockedAddress(NothingSent):
    """The URL leads to an address that must not be talked to."""


def resolve(host: str, port: int) -> str:
    """Resolve a host once and give an address that may be talked to; connect to that very one.

    Every address of the host has to be allowed: one that answers now this, now that, is refused.
    The system's resolver has its own time limit, which cannot be shortened from here.
    Raises: BlockedAddress; OSError when the name does not resolve.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except ValueError:  # a label that is empty or too long, a NUL
        raise socket.gaierror(socket.EAI_NONAME, f"'{host[:100]}' is no host name") from None
    addresses = [str(entry[4][0]).partition("%")[0] for entry in found]
    if not settings.ALLOW_PRIVATE_TARGETS:
        for address in addresses:
            if not is_allowed(address):
                raise BlockedAddress(
                    f"{host} leads to {address}, which is not a public address: "
                    "change the endpoint's URL, then retry"
                )
    return addresses[0]


def is_allowed(address: str) -> bool:
    """Tell whether an IP address is a public one."""
    ip = ipaddress.ip_address(address)
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
        elif ip not in _PUBLIC_IPV6:
            return False
    if not ip.is_global or ip.is_multicast:
        return False
    return not any(ip.version == network.version and ip in network for network in _DENIED)
