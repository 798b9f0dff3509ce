"""An endpoint: where the webhooks of one name go, and with which secrets they are signed. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from enum import StrEnum
from typing import Final

from tidemill.domain import webhook_limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError
from tidemill.domain.webhook.signing import tag_of
from tidemill.domain.webhook_errors import RotationError

# What the partition of every endpoint begins with: no tenant begins with '#', and a role can be kept out by it.
ENDPOINT_PREFIX: Final = "#webhook#"


class Pause(StrEnum):
    """Why an endpoint gets nothing."""

    ASKED = "asked"
    # It answered 410 Gone.
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class EndpointRef:
    """Which endpoint: the tenant is part of the identity, so that no name alone reaches another tenant's."""

    tenant: str
    name: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.name}"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One endpoint as the table knows it. Times are Unix milliseconds. Its text form shows no URL and no secret.

    Attributes:
        url: in the one form that `Reach.target` takes.
        secret: what webhooks are signed with.
        previous: the secret before it, which signs beside it until `previous_until`.
        pause: why it gets nothing; None if it gets everything.
        revision: grows with every write, and begins anew with every create.
    """

    ref: EndpointRef
    url: str = field(repr=False)
    secret: str = field(repr=False)
    created_at: int
    changed_at: int
    previous: str | None = field(default=None, repr=False)
    previous_until: int | None = None
    pause: Pause | None = None
    revision: int = 1

    def secrets_at(self, now_ms: int) -> tuple[str, ...]:
        """What signs now, the newest first."""
        if self.previous is None or (self.previous_until or 0) <= now_ms:
            return (self.secret,)
        return self.secret, self.previous

    def led_to(self, url: str, now_ms: int) -> Endpoint:
        """After a change of its URL; as it is if it has that one."""
        return self if url == self.url else self._changed(now_ms, url=url)

    def rotated(self, secret: str, overlap: timedelta, now_ms: int) -> Endpoint:
        """With a new secret, beside which the one before signs for `overlap`.

        With the secret that it has it is as it is, but that an overlap of 0 ends the one before.

        Raises:
            RotationError: the one before that still signs, and `overlap` is not 0.
        """
        is_both = len(self.secrets_at(now_ms)) > 1
        if secret == self.secret and (overlap or not is_both):
            return self
        if overlap and is_both:
            raise RotationError(self.ref.name, self.previous_until or 0)
        if not overlap:
            return self._changed(now_ms, secret=secret, previous=None, previous_until=None)
        until = now_ms + milliseconds(overlap)
        return self._changed(now_ms, secret=secret, previous=self.secret, previous_until=until)

    def paused(self, pause: Pause | None, now_ms: int) -> Endpoint:
        """Paused, or (None) no more; as it is if it is so."""
        return self if pause is self.pause else self._changed(now_ms, pause=pause)

    def tags(self, now_ms: int) -> tuple[str, ...]:
        """What tells its secrets apart without showing them."""
        return tuple(tag_of(secret) for secret in self.secrets_at(now_ms))

    def _changed(self, now_ms: int, **changes: object) -> Endpoint:
        return replace(self, changed_at=now_ms, revision=self.revision + 1, **changes)  # type: ignore[arg-type]  # fields of this class


def check_overlap(overlap: object) -> timedelta:
    """`overlap` if it is 0 s to 30 days; raise InputError naming it."""
    if not isinstance(overlap, timedelta):
        raise InputError.at("overlap", f"must be a span such as days(1), not {type(overlap).__name__}", "type")
    if not timedelta(0) <= overlap <= webhook_limits.MAX_WEBHOOK_OVERLAP:
        raise InputError.at(
            "overlap", f"must be 0 s to {webhook_limits.MAX_WEBHOOK_OVERLAP.days} days, not {overlap}", "range"
        )
    return overlap
