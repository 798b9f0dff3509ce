"""Making tokens that let people answer without credentials of AWS, and believing them."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from tidemill.domain import answer_token, limits
from tidemill.domain.answer_errors import AnswerLateError
from tidemill.domain.answer_token import KEY_BYTES, Grant
from tidemill.domain.duration import milliseconds, minutes, seconds
from tidemill.domain.errors import InputError
from tidemill.domain.ports import Clock, JobWaits

# How long a process believes the key that it has read, or that there is none: one that was deleted, because
# somebody saw it, is out of use after that.
_BELIEVED: Final = minutes(5)


@dataclass(frozen=True, slots=True)
class AnswerTokens:
    """Makes and reads tokens. The key of each period is a random one that whoever is first writes into the table."""

    waits: JobWaits
    clock: Clock
    entropy: Callable[[int], bytes] = secrets.token_bytes
    _known: dict[int, tuple[bytes | None, int]] = field(default_factory=dict, repr=False)

    def make(self, grant: Grant) -> str:
        """The token.

        Raises:
            UnavailableError: AWS did not answer.
        """
        period = answer_token.period_of(self.clock.now_ms())
        key = self._key(period) or self.waits.keep_key(
            period, self.entropy(KEY_BYTES), answer_token.key_ends_at(period) // 1000
        )
        self._believe(period, key)
        return answer_token.sealed(grant, period, key)

    def expiry(self, lasts: object) -> int:
        """When a token ends that is made now to last so long, Unix milliseconds.

        Raises:
            InputError: it is no span of 1 s to 365 days; the field is `lasts`.
        """
        if not isinstance(lasts, timedelta):
            raise InputError.at("lasts", f"must be a span such as days(3), not {type(lasts).__name__}", "type")
        if not seconds(1) <= lasts <= limits.MAX_DELAY:
            raise InputError.at("lasts", f"must be 1 s to {limits.MAX_DELAY.days} days, not {lasts}", "range")
        return self.clock.now_ms() + milliseconds(lasts)

    def read(self, token: str) -> Grant:
        """What the token lets its holder do.

        Raises:
            AnswerTokenError: it was not made here, or its key is gone. No job was looked at.
            AnswerLateError: its time is over.
            UnavailableError: AWS did not answer.
        """
        now_ms = self.clock.now_ms()
        found = answer_token.read(token, now_ms)
        grant = answer_token.check(found, self._key(found.period))
        if grant.expires_at <= now_ms:
            raise AnswerLateError(grant.ref.id, grant.name, "this token has expired", grant.expires_at)
        return grant

    def _key(self, period: int) -> bytes | None:
        known = self._known.get(period)
        if known is not None and known[1] > self.clock.now_ms():
            return known[0]
        return self._believe(period, self.waits.key_of(period))

    def _believe(self, period: int, key: bytes | None) -> bytes | None:
        self._known[period] = (key, self.clock.now_ms() + milliseconds(_BELIEVED))
        return key
