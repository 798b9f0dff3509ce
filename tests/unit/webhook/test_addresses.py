"""Which addresses may be connected to. The oracle is another list, kept in the words of the RFCs."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidemill.domain.webhook.address import is_public

NOT_PUBLIC = (
    str(IPv4Address(0)), "0.255.255.255", "10.0.0.0", "10.255.255.255", "100.64.0.0", "100.127.255.255", "127.0.0.1",
    "127.255.255.255", "169.254.0.0", "169.254.169.254", "169.254.170.2", "169.254.169.123", "172.16.0.0",
    "172.31.255.255", "192.0.0.8", "192.0.0.192", "192.0.2.1", "192.88.99.1", "192.168.0.0", "192.168.255.255",
    "198.18.0.0", "198.19.255.255", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.255", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::ffff:8.8.8.8", "::ffff:127.0.0.1", "::8.8.8.8", "::ffff:0:8.8.8.8",
    "64:ff9b::8.8.8.8", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:a9fe:a9fe::1", "2001:2::1", "2001:10::1",
    "2001:20::1", "2001:db8::1", "2002::1", "2002:7f00:1::", "2002:808:808::1", "3fff::1", "5f00::1", "fc00::1",
    "fd00:ec2::254", "fdff::1", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "ff0e::1", "4000::1", "1::1",
    "2606:4700::5efe:127.0.0.1", "2606:4700::200:5efe:169.254.169.254", "2606:4700::1%eth0",
)  # fmt: skip
PUBLIC = (
    "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1",
    "169.253.255.255", "169.255.0.0", "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.0.1",
    "198.20.0.0", "223.255.255.255", "52.94.236.248", "2606:4700:4700::1111", "2a00:1450:4001::200e", "2600:1f18::1",
    "2001:200::1", "2001:4860:4860::8888",
)  # fmt: skip
# What the addresses that no webhook may reach have in common with those that are carried in others.
PRIVATE_V4 = [
    ip_network(block)
    for block in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24",
        "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
        "224.0.0.0/3",
    )
]  # fmt: skip
v4 = st.one_of(
    st.integers(0, 2**32 - 1),
    # Most of the space is public: half of what is tried lies in or next to what is not.
    st.sampled_from(PRIVATE_V4).flatmap(
        lambda block: st.integers(
            max(int(block.network_address) - 2, 0), min(int(block.broadcast_address) + 2, 2**32 - 1)
        )
    ),
).map(IPv4Address)


def is_forbidden(address):
    return any(address in block for block in PRIVATE_V4)


@pytest.mark.parametrize("text", NOT_PUBLIC)
def test_no_webhook_goes_there(text):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", PUBLIC)
def test_webhooks_go_there(text):
    assert is_public(ip_address(text))


@settings(max_examples=400)
@given(v4)
def test_of_ipv4_all_is_public_but_the_special_blocks(address):
    # Assignments of IANA within 192/8 that Python has for private are no loss.
    if is_public(address) is is_forbidden(address):
        assert not address.is_global
        assert not is_forbidden(address)


@settings(max_examples=400)
@given(v4)
def test_no_ipv6_address_carries_an_ipv4_address(address):
    number = int(address)
    carried = (
        number,  # compatible
        (0xFFFF << 32) | number,  # mapped
        (0xFFFF << 48) | number,  # translated
        (0x64FF9B << 96) | number,  # NAT64
        (0x2002 << 112) | (number << 80) | 1,  # 6to4
        (0x20010000 << 96) | (number << 64) | 1,  # Teredo: the server
        (0x20010000 << 96) | (0x8008_8008 << 64) | (number ^ 0xFFFFFFFF),  # Teredo: the client
        (0x26064700 << 96) | (0x5EFE << 32) | number,  # ISATAP
        (0x26064700 << 96) | (0x02005EFE << 32) | number,
    )
    assert not any(is_public(IPv6Address(one)) for one in carried)


@settings(max_examples=400)
@given(st.integers(0, 2**128 - 1).map(IPv6Address))
def test_of_ipv6_nothing_but_global_unicast_is_public(address):
    if is_public(address):
        assert int(address) >> 125 == 0b001
        assert address.ipv4_mapped is None
        assert address.sixtofour is None
        assert address.teredo is None
        assert not any(
            (
                address.is_private,
                address.is_link_local,
                address.is_multicast,
                address.is_reserved,
                address.is_unspecified,
            )
        )
