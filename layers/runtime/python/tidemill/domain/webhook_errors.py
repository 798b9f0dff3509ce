"""What can be wrong with webhooks, beside input. See `tidemill.domain.errors` for the tree."""

from __future__ import annotations

from enum import StrEnum

from tidemill.domain.errors import TidemillError


class Doubt(StrEnum):
    """Why a received webhook is not believed."""

    MISSING = "missing"
    MALFORMED = "malformed"
    WRONG = "wrong"
    OLD = "old"
    EARLY = "early"


class WebhookSignatureError(TidemillError):
    """A received webhook can't be believed. Answer 400 or 401, and do nothing of what it says."""

    code = "webhook_signature"

    def __init__(self, doubt: Doubt, problem: str) -> None:
        super().__init__(
            f"webhook refused: {problem}. Fix: verify the bytes as they came, with the secret of this endpoint"
        )
        self.doubt = doubt


class EndpointNotFoundError(TidemillError):
    """The tenant has no endpoint of this name."""

    code = "endpoint_not_found"

    def __init__(self, tenant: str, name: str) -> None:
        super().__init__(
            f"tenant {tenant!r} has no endpoint {name!r}. Fix: `tidemill webhook create {name} --url https://...`"
        )
        self.tenant = tenant
        self.name = name


class EndpointExistsError(TidemillError):
    """The tenant has an endpoint of this name already."""

    code = "endpoint_exists"

    def __init__(self, tenant: str, name: str) -> None:
        super().__init__(
            f"tenant {tenant!r} has an endpoint {name!r} already. Fix: change its URL, or rotate its secret; "
            "a new one takes a delete first"
        )
        self.tenant = tenant
        self.name = name


class RotationError(TidemillError):
    """The secret before still signs: a third one would leave receivers without one that they know."""

    code = "rotation"

    def __init__(self, name: str, until_ms: int) -> None:
        super().__init__(
            f"endpoint {name!r} still signs with the secret before its newest, until {until_ms} (Unix ms). "
            "Fix: wait until then, or rotate with an overlap of 0 if a secret is known to others"
        )
        self.name = name
        self.until_ms = until_ms


class UnreachableError(TidemillError):
    """A receiver did not answer: no name, no connection, no TLS, no HTTP, or not in time."""

    code = "webhook_unreachable"
    retryable = True

    def __init__(self, host: str, problem: str) -> None:
        super().__init__(f"webhook to {host}: {problem}")
        self.host = host


class ForbiddenAddressError(TidemillError):
    """The name of a receiver leads to an address that webhooks may not be sent to. No connection was made."""

    code = "webhook_address"

    def __init__(self, host: str, address: str) -> None:
        super().__init__(
            f"webhook to {host}: its name leads to {address}, which is no public address. "
            "Fix: let the name have public addresses alone, or give the endpoint another URL; then redrive"
        )
        self.host = host
        self.address = address
