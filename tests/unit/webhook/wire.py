"""The lowest level there is: a socket that records what it is connected to, and a resolver that is told what to say."""

import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Any

from tidemill.domain.webhook.reach import PUBLIC
from tidemill.outside.https import SafeSender

ANSWER = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n"


@dataclass
class Wire:
    """Takes the place of `socket.socket` and `socket.getaddrinfo`, of which nothing else leads to a network.

    Attributes:
        names: the addresses of each name; a list of lists is one for each time that it is asked for.
        connects: what sockets were connected to, whoever connected them. `asked`: the names that were looked up.
        dead: addresses where nobody answers.
    """

    names: dict[str, Any] = field(default_factory=dict)
    answer: Sequence[bytes] = (ANSWER,)
    connects: list[tuple[str, int]] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    secured: list[str] = field(default_factory=list)
    sent: bytearray = field(default_factory=bytearray)
    dead: set[str] = field(default_factory=set)
    open: int = 0

    def plug(self, monkeypatch) -> None:
        monkeypatch.setattr(socket, "socket", lambda *_, **__: Recording(self))
        monkeypatch.setattr(socket, "getaddrinfo", self.look)

    def look(self, host, port, *_, **__):
        self.asked.append(host)
        found = self.names.get(host)
        if found is None:
            raise socket.gaierror(-2, "unknown")
        if found and isinstance(found[0], list):
            found = found.pop(0) if len(found) > 1 else found[0]
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port)) for one in found]

    def sender(self, clock: Callable[[], float] = lambda: 0.0) -> SafeSender:
        return SafeSender(PUBLIC, tls=lambda: Context(self), monotonic=clock)

    @property
    def forbidden(self) -> list[str]:
        """Connections to what the standard library has for not global, or what carries such."""
        return [host for host, _ in self.connects if not _is_global(host)]


class Recording:
    """A socket that is connected to nothing."""

    def __init__(self, wire):
        self.wire = wire
        self.left = list(wire.answer)
        wire.open += 1

    def settimeout(self, seconds):
        assert seconds > 0

    def connect(self, address):
        self.wire.connects.append(address[:2])
        if address[0] in self.wire.dead:
            raise ConnectionRefusedError(111, "refused")

    def sendall(self, data):
        self.wire.sent += data

    def recv_into(self, view):
        if not self.left:
            return 0
        part = self.left.pop(0)
        head, rest = part[: len(view)], part[len(view) :]
        if rest:
            self.left.insert(0, rest)
        view[: len(head)] = head
        return len(head)

    def close(self):
        self.wire.open -= 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Context:
    """A TLS context that secures nothing, and notes for which name."""

    def __init__(self, wire):
        self.wire = wire

    def wrap_socket(self, plain, server_hostname):
        self.wire.secured.append(server_hostname)
        self.wire.open += 1
        return plain


def _is_global(text):
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        # A name: whoever connects to it resolves it anew.
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return address.is_global and not address.is_multicast and (mapped is None or mapped.is_global)
