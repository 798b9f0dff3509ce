"""Which IP addresses a webhook may be sent to: those of the public Internet, one host each, and no others.

Not `is_global` of the standard library alone: it has changed with Python's versions, takes multicast for global, and
does not look into addresses that carry another one. What is refused is IANA's (IPv4 and IPv6 Special-Purpose Address
Registries, and the IPv6 Address Space registry).
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Final, TypeAlias

Address: TypeAlias = IPv4Address | IPv6Address

_NOT_PUBLIC_V4: Final = tuple(
    IPv4Network(block)
    for block in (
        "0.0.0.0/8",  # this network; Linux takes 0.0.0.0 for this host
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by carriers, and by AWS for its own
        "127.0.0.0/8",  # this host: Lambda's runtime API is here
        "169.254.0.0/16",  # link-local: metadata and credentials of EC2, ECS and Lambda
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# All other space, mapped IPv4, NAT64, unique local and link-local addresses among it, is not global unicast.
_GLOBAL_UNICAST: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_V6: Final = tuple(
    IPv6Network(block)
    for block in (
        "2001::/23",  # protocol assignments: Teredo carries an IPv4 address, ORCHIDs are no addresses
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4 carries an IPv4 address
        "3fff::/20",  # documentation
    )
)
# RFC 5214: an interface id that carries an IPv4 address, under any prefix.
_ISATAP: Final = frozenset({0x00005EFE, 0x02005EFE})


def is_public(address: Address) -> bool:
    """Whether the address is one host's on the public Internet, and carries no other address."""
    if isinstance(address, IPv4Address):
        return not any(address in block for block in _NOT_PUBLIC_V4) and address.is_global
    if address.scope_id is not None or address not in _GLOBAL_UNICAST:
        return False
    if (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        return False
    return not any(address in block for block in _NOT_PUBLIC_V6) and address.is_global
