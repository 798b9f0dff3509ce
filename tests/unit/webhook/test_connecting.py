"""What is connected to: the address that was looked at, and no other, whatever names and receivers say.

Asserted at the socket: `Wire` stands for `socket.socket` and for the resolver.
"""

import socket
from ipaddress import IPv6Address, ip_address

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.unit.webhook.hostile import HOSTILE, OTHERS
from tests.unit.webhook.test_addresses import NOT_PUBLIC
from tests.unit.webhook.wire import Wire
from tidemill.domain.errors import InputError
from tidemill.domain.webhook.reach import PUBLIC, Target
from tidemill.domain.webhook_errors import ForbiddenAddressError, UnreachableError
from tidemill.outside import https

GOOD = "https://hooks.example.com/in?x=1"
HOST = "hooks.example.com"


@pytest.fixture
def wire(monkeypatch):
    wire = Wire({HOST: ["93.184.216.34"]})
    wire.plug(monkeypatch)
    return wire


def post(wire, url=GOOD, **given):
    sender = wire.sender(**given)
    return sender.post(sender.reach.target(url), {"webhook-id": "w"}, b"{}")


def test_a_public_host_is_connected_to_by_its_address_and_secured_for_its_name(wire):
    answer = post(wire)

    assert answer.status == 204
    assert wire.connects == [("93.184.216.34", 443)]
    assert wire.secured == [HOST]
    assert wire.open == 0


def test_the_request(wire):
    post(wire)

    head, _, body = bytes(wire.sent).partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"POST /in?x=1 HTTP/1.1",
        b"Host: hooks.example.com",
        b"User-Agent: tidemill-webhooks",
        b"Content-Type: application/json",
        b"Content-Length: 2",
        b"Accept-Encoding: identity",
        b"Connection: close",
        b"webhook-id: w",
    ]
    assert body == b"{}"


@pytest.mark.parametrize("url", [*HOSTILE, *OTHERS], ids=ascii)
def test_a_hostile_url_connects_to_nothing_even_where_every_name_resolves(wire, url):
    """What is refused where it is given would go nowhere either if it came from the table."""
    wire.names = AnyName("127.0.0.1")

    with pytest.raises((InputError, ForbiddenAddressError, UnreachableError)):
        post(wire, url)

    assert wire.connects == []


@pytest.mark.parametrize("address", NOT_PUBLIC)
def test_a_name_that_leads_to_what_is_not_public_connects_to_nothing(wire, address):
    wire.names[HOST] = [address]

    with pytest.raises(ForbiddenAddressError, match=r"hooks\.example\.com") as refused:
        post(wire)

    assert refused.value.address == str(ip_address(address))
    assert wire.connects == []


@pytest.mark.parametrize("place", [0, 1, 2])
def test_one_bad_address_of_several_refuses_them_all(wire, place):
    wire.names[HOST] = ["1.1.1.1", "8.8.8.8"]
    wire.names[HOST].insert(place, "169.254.169.254")

    with pytest.raises(ForbiddenAddressError):
        post(wire)

    assert wire.connects == []


def test_a_name_that_leads_elsewhere_the_next_time_is_not_asked_again(wire):
    wire.names[HOST] = [["93.184.216.34"], ["127.0.0.1"]]

    post(wire)

    assert (wire.asked, wire.connects) == ([HOST], [("93.184.216.34", 443)])
    with pytest.raises(ForbiddenAddressError):
        post(wire)
    assert wire.forbidden == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_is_not_followed(wire, status):
    head = f"HTTP/1.1 {status} Moved\r\nLocation: https://169.254.169.254/latest/\r\nContent-Length: 0\r\n\r\n"
    wire.answer = [head.encode()]

    assert post(wire).status == status
    assert wire.connects == [("93.184.216.34", 443)]


def test_no_proxy_of_the_environment_is_used(wire, monkeypatch):
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY", "HTTP_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:3128")

    post(wire)

    assert wire.connects == [("93.184.216.34", 443)]


@settings(max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.one_of(
            st.integers(0, 2**32 - 1).map(lambda number: str(ip_address(number))),
            st.integers(0, 2**128 - 1).map(lambda number: str(IPv6Address(number))),
            st.integers(0, 2**32 - 1).map(lambda number: str(IPv6Address((0xFFFF << 32) | number))),
            st.sampled_from(NOT_PUBLIC),
        ),
        min_size=1,
        max_size=6,
    )
)
def test_whatever_a_name_leads_to_nothing_but_global_addresses_is_connected_to(wire, addresses):
    wire.connects.clear()
    wire.names[HOST] = addresses

    try:
        post(wire)
    except ForbiddenAddressError:
        assert wire.connects == []
    assert wire.forbidden == []


def test_the_next_address_is_tried_if_one_does_not_answer(wire):
    wire.names[HOST], wire.dead = ["1.1.1.1", "8.8.8.8"], {"1.1.1.1"}

    assert post(wire).status == 204
    assert wire.connects == [("1.1.1.1", 443), ("8.8.8.8", 443)]


@pytest.mark.parametrize(
    ("trouble", "said"),
    [
        ({"names": {}}, "can't be resolved"),
        ({"names": {HOST: []}}, "no address"),
        ({"dead": {"93.184.216.34"}}, "no connection"),
        ({"answer": [b"SSH-2.0-OpenSSH\r\n"]}, "no HTTP"),
        ({"answer": []}, "no HTTP"),
        ({"answer": [b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 200]}, "no HTTP"),
        ({"answer": [b"HTTP/1.1 200 " + b"x" * 200_000]}, "no HTTP"),
        ({"answer": [b"HTTP/1.1 100 Continue\r\n\r\n"] * 10_000}, "no HTTP"),
    ],
)
def test_what_is_no_answer_says_what_it_is(wire, trouble, said):
    for name, value in trouble.items():
        setattr(wire, name, value)

    with pytest.raises(UnreachableError, match=said) as failed:
        post(wire)

    assert failed.value.host == HOST
    assert wire.open == 0


def test_a_receiver_that_answers_byte_by_byte_is_not_waited_for(wire):
    """Each byte comes in time, and all of them do not."""
    seconds = iter(range(1_000))
    wire.answer = [b"H", b"T", b"T", b"P"] * 10

    with pytest.raises(UnreachableError, match="no answer within 10 s"):
        post(wire, clock=lambda: float(next(seconds)))

    assert wire.open == 0


def test_a_large_body_is_not_read(wire):
    wire.answer = [b"HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\nRetry-After: 3\r\n\r\n", b"x" * 10_000_000]

    assert dict(post(wire).headers)["retry-after"] == "3"


def test_machine_tls_verifies_the_name_and_the_chain():
    context = https.machine_tls()

    assert context.check_hostname
    assert context.verify_mode == https.ssl.CERT_REQUIRED
    assert context.minimum_version >= https.ssl.TLSVersion.TLSv1_2


# --- planted bugs: the same assertions see each of them ------------------------------------------------


def test_planted_the_name_is_checked_and_connected_to_anew(wire, monkeypatch):
    def anew(self, target, addresses, ends_at):
        plain = socket.socket()
        plain.connect((socket.getaddrinfo(target.host, target.port)[0][4][0], target.port))
        return plain

    monkeypatch.setattr(https.SafeSender, "_connected", anew)

    with pytest.raises(AssertionError):
        test_a_name_that_leads_elsewhere_the_next_time_is_not_asked_again(wire)
    assert wire.forbidden == ["127.0.0.1"]


def test_planted_the_name_itself_is_connected_to(wire, monkeypatch):
    def by_name(self, target, addresses, ends_at):
        plain = socket.socket()
        plain.connect((target.host, target.port))
        return plain

    monkeypatch.setattr(https.SafeSender, "_connected", by_name)

    with pytest.raises(AssertionError):
        test_a_public_host_is_connected_to_by_its_address_and_secured_for_its_name(wire)


def test_planted_mapped_addresses_are_forgotten(wire):
    """As a check that looks at IPv4 alone, and takes all of IPv6 for the Internet."""
    wire.names[HOST] = ["::ffff:169.254.169.254"]
    sender = wire.sender()
    forgetful = https.SafeSender(
        https.Reach(allows=lambda address: address.version == 6 or PUBLIC.allows(address)), sender.tls, sender.monotonic
    )

    forgetful.post(PUBLIC.target(GOOD), {}, b"")

    assert wire.forbidden == ["::ffff:a9fe:a9fe"]


def test_planted_only_the_first_address_is_checked(wire, monkeypatch):
    monkeypatch.setattr(
        https.SafeSender,
        "_checked",
        lambda self, target, ends_at: [
            ip_address(one)
            for one in https.resolve(target.host, target.port, 1)
            if PUBLIC.allows(ip_address("1.1.1.1"))
        ],
    )
    wire.names[HOST], wire.dead = ["1.1.1.1", "10.0.0.1"], {"1.1.1.1"}

    post(wire)

    assert wire.forbidden == ["10.0.0.1"]


def test_planted_a_redirect_is_followed(wire, monkeypatch):
    once = https.SafeSender.post

    def following(self, target, headers, body):
        answer = once(self, target, headers, body)
        where = answer.headers.get("location", "")
        if where:
            socket.socket().connect((where.split("/")[2], 443))
        return answer

    monkeypatch.setattr(https.SafeSender, "post", following)

    with pytest.raises(AssertionError):
        test_a_redirect_is_an_answer_and_is_not_followed(wire, 302)
    assert wire.forbidden == ["169.254.169.254"]


class AnyName(dict):
    """A resolver that knows every name."""

    def __init__(self, address):
        super().__init__()
        self.address = address

    def get(self, _host, default=None):
        return [self.address]


def test_a_target_of_another_scheme_is_sent_without_tls_nowhere_but_in_tests():
    assert PUBLIC.scheme == "https"
    assert Target("https", HOST, 443, "/").scheme == PUBLIC.scheme
