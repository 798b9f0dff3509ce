"""What webhooks may reach, and the one form in which their URLs are written. Pure.

A URL is read by one expression that takes nothing but canonical ones, and what it read is what is connected to: there
is no second parser that could read it otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tidemill.domain import webhook_limits
from tidemill.domain.errors import InputError
from tidemill.domain.webhook.address import Address, is_public

_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
# RFC 3986, section 3.3 and 3.4: the characters of a path and a query, percent-encodings in full.
_PATH: Final = r"(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*"
_URL: Final = re.compile(
    rf"(?P<scheme>[a-z]+)://(?P<host>{_LABEL}(?:\.{_LABEL})*)(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    rf"(?P<path>/{_PATH})(?P<query>\?(?:{_PATH}|\?)*)?",
    re.ASCII,
)
# A top-level domain has letters (RFC 3696, section 2). What ends in a number is read as an IPv4 address by many.
_TOP: Final = re.compile(r"[a-z]{2,63}|xn--[a-z0-9-]{1,59}", re.ASCII)
# RFC 6761, RFC 6762, RFC 8375, RFC 9476: names that mean this host, this network, or nothing.
_SPECIAL: Final = frozenset(
    {"localhost", "local", "localdomain", "internal", "intranet", "lan", "home", "corp", "arpa"}
)
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Target:
    """Where a request goes. `path`: with its query."""

    scheme: str
    host: str
    port: int
    path: str


@dataclass(frozen=True, slots=True)
class Reach:
    """What webhooks may be sent to. Production has `PUBLIC` and no setting for another; tests make their own.

    Attributes:
        scheme: of all URLs. `ports`: that may be connected to; None: any.
        allows: whether an address may be connected to.
        named: hosts have to be names of the public DNS: no address, no name of a local network.
    """

    scheme: str = "https"
    ports: frozenset[int] | None = frozenset({443})
    allows: Callable[[Address], bool] = is_public
    named: bool = True

    def target(self, url: object, field: str = "url") -> Target:
        """Where `url` leads.

        Raises:
            InputError: it is not written in the one form that is taken, or leads where webhooks may not go; it names
                `field`, and does not quote the URL, whose path may be a secret.
        """
        if not isinstance(url, str):
            raise InputError.at(field, f"must be a string, not {type(url).__name__}", "type")
        if not 1 <= len(url) <= webhook_limits.MAX_WEBHOOK_URL_CHARS:
            raise InputError.at(field, f"must have 1 to {webhook_limits.MAX_WEBHOOK_URL_CHARS} characters", "length")
        found = _URL.fullmatch(url)
        if found is None:
            raise InputError.at(field, _why_not(url), "format")
        host, port = found["host"], found["port"]
        if found["scheme"] != self.scheme:
            raise InputError.at(field, f"must begin with {self.scheme}://", "scheme")
        self._check_host(host, field)
        default = _PORTS[self.scheme]
        number = int(port or default)
        if port is not None and number == default:
            raise InputError.at(field, f"names the port that {self.scheme} has anyway. Fix: leave :{port} out", "port")
        if number > 65_535 or (self.ports is not None and number not in self.ports):
            allowed = ", ".join(map(str, sorted(self.ports or ())))
            raise InputError.at(field, f"names port {number}, and webhooks go to port {allowed} alone", "port")
        return Target(self.scheme, host, number, found["path"] + (found["query"] or ""))

    def _check_host(self, host: str, field: str) -> None:
        if len(host) > 253:
            raise InputError.at(field, "has a host of more than 253 characters", "host")
        *rest, top = host.split(".")
        if not self.named:
            return
        if not rest or not _TOP.fullmatch(top):
            problem = "must name a host of the public DNS such as hooks.example.com: no address, no single word"
            raise InputError.at(field, problem, "host")
        if top in _SPECIAL:
            raise InputError.at(field, f"names a host under .{top}, which is no public domain", "host")


PUBLIC: Final = Reach()


def _why_not(url: str) -> str:
    """Which part of a URL is not in the one form. What no part explains is said in general."""
    for what, problem in (
        (r".*[^!-~].*", "holds a space, a control character or one outside of ASCII (write such a host as xn--...)"),
        (r".*\\.*", "holds a backslash"),
        (r".*#.*", "holds a fragment, which is never sent"),
        (r"[^/]*//[^/?]*@.*", "holds a user or a password. Fix: webhooks are signed; leave it out"),
        (r"[^/]*//[^/?]*%.*", "has a percent sign in its host"),
        (r"[^/]*//\[.*", "names an IPv6 address. Fix: name a host of the public DNS"),
        (r"[^/]*//[^/?]*\.(:\d*)?([/?].*)?", "has a host that ends in a dot"),
        (r"[^/]*//[^/?]*[A-Z].*", "has capital letters in its host. Fix: write it in lower case"),
        (r"[a-z]+://[^/?]+(\?.*)?", "has no path. Fix: end the host with /"),
    ):
        if re.fullmatch(what, url, re.DOTALL):
            return problem
    return "must be written as https://host/path, in lower case up to the path and with nothing left out"
