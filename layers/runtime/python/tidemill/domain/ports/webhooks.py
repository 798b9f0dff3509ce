"""Endpoints of webhooks, and the way to them, as the service layer uses them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    # Workers import the ports, and do without what is behind these.
    from tidemill.domain.webhook.endpoint import Endpoint, EndpointRef
    from tidemill.domain.webhook.reach import Reach, Target


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What a receiver answered: its status and its headers, in lower case. Nobody looks at the body."""

    status: int
    headers: Mapping[str, str]


class Endpoints(Protocol):
    """Endpoints in the table. Every read is consistent; each method raises UnavailableError."""

    def find(self, ref: EndpointRef) -> Endpoint | None:
        """The endpoint; None if there is none."""

    def create(self, endpoint: Endpoint) -> Endpoint | None:
        """Write it if there is none of its name: None if it is written, else the one that is there.

        One that equals the wanted one is the wanted one, as after an answer that was lost.
        """

    def change(self, before: Endpoint, after: Endpoint) -> bool:
        """Write `after` if the endpoint still is `before`; whether it is `after` now.

        One that was created at another time is another endpoint, whatever its revision.
        """

    def delete(self, ref: EndpointRef) -> bool:
        """Delete it with its secrets; whether there was one."""


class WebhookSender(Protocol):
    """Makes one request of a delivery."""

    @property
    def reach(self) -> Reach:
        """Where it goes: what URLs are read with, and which addresses are connected to."""

    def post(self, target: Target, headers: Mapping[str, str], body: bytes) -> HttpAnswer:
        """POST `body`, and answer what the receiver answered, whatever that is. Nothing is followed or tried again.

        Raises:
            UnreachableError: no answer came in time, or it is none of HTTP; it may be another time.
            ForbiddenAddressError: the name leads where webhooks may not go. No connection was made.
        """
