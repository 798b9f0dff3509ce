"""A POST to a machine that somebody else named. See `tidemill.domain.ports.webhooks.WebhookSender`.

What makes it safe is that nothing is asked twice. The name is resolved once; every address that came is looked at, and
one that is not allowed refuses them all; the socket is connected to an address that was looked at, and never to a name,
so that a name which leads elsewhere a moment later leads nowhere. TLS is then made with the name. There is no redirect,
no cookie, no second request, and no proxy, whatever the environment says.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from http.client import HTTPException, HTTPResponse
from ipaddress import IPv4Address, ip_address
from typing import Any, Final, cast

from tidemill.domain import webhook_limits
from tidemill.domain.ports.webhooks import HttpAnswer
from tidemill.domain.webhook.address import Address
from tidemill.domain.webhook.reach import PUBLIC, Reach, Target
from tidemill.domain.webhook_errors import ForbiddenAddressError, UnreachableError
from tidemill.outside.bounded import BoundedStream
from tidemill.outside.resolving import resolve

_TIME_S: Final = webhook_limits.WEBHOOK_TIME.total_seconds()
_AGENT: Final = "tidemill-webhooks"


@cache
def machine_tls() -> ssl.SSLContext:
    """Certificates are verified by the machine's authorities, and for the name; TLS 1.2 or later. Made once."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_default_certs(ssl.Purpose.SERVER_AUTH)
    return context


@dataclass(frozen=True, slots=True)
class SafeSender:
    """Sends webhooks to addresses of the public Internet. Safe for threads.

    Arguments:
        reach: what may be connected to. Only tests have another than `PUBLIC`.
        tls: gives the context of a connection: by default the machine's certificate authorities, and TLS 1.2 or later.
        monotonic: seconds that only grow.
    """

    reach: Reach = PUBLIC
    tls: Callable[[], ssl.SSLContext] = field(default=machine_tls, repr=False)
    monotonic: Callable[[], float] = field(default=time.monotonic, repr=False)

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """See WebhookSender."""
        ends_at = self.monotonic() + _TIME_S
        try:
            return self._post(target, headers, body, ends_at)
        except TimeoutError:
            raise UnreachableError(target.host, f"no answer within {_TIME_S:.0f} s") from None
        except ssl.SSLError as error:
            raise UnreachableError(target.host, f"no TLS: {error.reason or type(error).__name__}") from None
        except (OSError, HTTPException) as error:
            # Its text may quote what the receiver sent.
            raise UnreachableError(target.host, _story(error)) from None

    def _post(self, target: Target, headers: Mapping[str, str], body: bytes, ends_at: float) -> HttpAnswer:
        addresses = self._checked(target, ends_at)
        with self._connected(target, addresses, ends_at) as plain, self._secured(plain, target, ends_at) as stream:
            stream.settimeout(self._left(ends_at))
            stream.sendall(_request(target, headers, body))
            return _answer(BoundedStream(stream, lambda: self._left(ends_at), webhook_limits.MAX_WEBHOOK_ANSWER))

    def _checked(self, target: Target, ends_at: float) -> Sequence[Address]:
        """Every address that the name has, if all of them may be connected to."""
        found = [_address(text) for text in resolve(target.host, target.port, self._left(ends_at))]
        for address in found:
            if not self.reach.allows(address):
                raise ForbiddenAddressError(target.host, str(address))
        if not found:
            raise UnreachableError(target.host, "its name has no address")
        return found[: webhook_limits.MAX_WEBHOOK_ADDRESSES]

    def _connected(self, target: Target, addresses: Sequence[Address], ends_at: float) -> socket.socket:
        """A connection to the first of the addresses that takes one."""
        failure: OSError = OSError("no address")
        for place, address in enumerate(addresses):
            family = socket.AF_INET if isinstance(address, IPv4Address) else socket.AF_INET6
            plain = socket.socket(family, socket.SOCK_STREAM)
            try:
                # One that does not answer must leave time for the others.
                plain.settimeout(self._left(ends_at) / (len(addresses) - place))
                plain.connect((str(address), target.port))
            except OSError as error:
                plain.close()
                failure = error
            except BaseException:
                plain.close()
                raise
            else:
                return plain
        raise failure

    def _secured(self, plain: socket.socket, target: Target, ends_at: float) -> socket.socket:
        plain.settimeout(self._left(ends_at))
        if target.scheme != "https":
            return plain
        return self.tls().wrap_socket(plain, server_hostname=target.host)

    def _left(self, ends_at: float) -> float:
        left = ends_at - self.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def _address(text: str) -> Address:
    """The address in what the resolver said. Scopes stay, so that they are seen: no public address has one."""
    return ip_address(text)


def _request(target: Target, headers: Mapping[str, str], body: bytes) -> bytes:
    default = {"https": 443, "http": 80}[target.scheme]
    host = target.host if target.port == default else f"{target.host}:{target.port}"
    lines = {
        "Host": host,
        "User-Agent": _AGENT,
        "Content-Type": "application/json",
        "Content-Length": str(len(body)),
        "Accept-Encoding": "identity",
        "Connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {target.path} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _answer(stream: BoundedStream) -> HttpAnswer:
    response = HTTPResponse(cast("Any", stream), method="POST")
    try:
        response.begin()
        headers = {name.lower(): value for name, value in response.getheaders()}
        # The body is nobody's business. It is not waited for either: who answers has answered.
        return HttpAnswer(response.status, headers)
    finally:
        response.close()


def _story(error: Exception) -> str:
    if isinstance(error, socket.gaierror):
        return "its name can't be resolved"
    if isinstance(error, HTTPException):
        return f"the answer is no HTTP ({type(error).__name__})"
    return f"no connection ({type(error).__name__})"
