"""How long a job waits before its next attempt."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from tidemill.domain import limits
from tidemill.domain.declared import check_span, check_whole, check_word
from tidemill.domain.duration import hours, seconds
from tidemill.domain.errors import DefinitionError


class Jitter(StrEnum):
    """How the exponential delay is spread.

    The terms are those of the AWS Architecture Blog, "Exponential Backoff And Jitter".
    """

    FULL = "full"
    EQUAL = "equal"
    DECORRELATED = "decorrelated"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Retry:
    """When and how often a failed job is tried again.

    Either exponential (`base` doubling up to `cap`, spread by `jitter`) or, with `delays`, an
    explicit list whose last entry repeats. Throttles, deferrals and crashes cost no attempt.

    A dependency that is down costs none either: such waits are deferrals. They grow from `base` to `cap`
    whatever `delays` says, so that an outage is no hot loop: by default 100 of them last
    45 to 90 hours, 68 on average.

    Arguments:
        max_attempts: tries in all, the first included, 1 to 25.
        base: the first delay, at least 1 s.
        cap: the longest delay, at most 12 h.
        jitter: how delays are spread, so that jobs which failed together don't return together.
        delays: explicit delays, 1 to 24 of them, each at least 1 s and at most 12 h.
        max_deferrals: how often a dependency that is down is waited for before it costs attempts, 1 to 10,000.
        same_error_limit: after how many equal deterministic errors in a row (a TypeError at the same place with the
            same wording) the job is dead though it has attempts left, 2 to 25; None to use up the attempts.

    Raises:
        DefinitionError: a value is of another type or out of its range.
    """

    max_attempts: int = 5
    base: timedelta = seconds(2)
    cap: timedelta = hours(1)
    jitter: Jitter = Jitter.FULL
    delays: Sequence[timedelta] = ()
    max_deferrals: int = 100
    same_error_limit: int | None = 3

    def __post_init__(self) -> None:
        object.__setattr__(self, "jitter", check_word("Retry.jitter", self.jitter, Jitter))
        object.__setattr__(self, "delays", _spans(self.delays))
        check_whole("Retry.max_attempts", self.max_attempts, 1, limits.MAX_ATTEMPTS)
        check_whole("Retry.max_deferrals", self.max_deferrals, 1, limits.MAX_DEFERRALS)
        if self.same_error_limit is not None:
            # One error is not yet a repeated one.
            check_whole("Retry.same_error_limit", self.same_error_limit, 2, limits.MAX_ATTEMPTS)
        check_span("Retry.base", self.base)
        check_span("Retry.cap", self.cap)
        if not seconds(1) <= self.base <= self.cap <= limits.MAX_VISIBILITY:
            raise DefinitionError(f"Retry needs 1 s <= base <= cap <= 12 h, not base={self.base}, cap={self.cap}")
        if any(not seconds(1) <= delay <= limits.MAX_VISIBILITY for delay in self.delays):
            raise DefinitionError("Retry.delays holds a delay outside 1 s to 12 h. Fix: choose each within")
        if len(self.delays) >= limits.MAX_ATTEMPTS:
            raise DefinitionError(
                f"Retry.delays has {len(self.delays)} entries. Fix: give at most 24; the last repeats"
            )

    def delay(self, attempt: int, previous: timedelta, random: Callable[[], float]) -> timedelta:
        """The wait after failed attempt number `attempt` (from 1).

        `previous` is the wait before that attempt (zero for the first); only decorrelated jitter
        uses it. `random` returns a float in [0, 1). The result is between 0 and `cap`; one of `delays` is what it
        is, whatever `cap` says.
        """
        if self.delays:
            return self.delays[min(attempt, len(self.delays)) - 1]
        ceiling = self._ceiling(attempt)
        match self.jitter:
            case Jitter.FULL:
                return ceiling * random()
            case Jitter.EQUAL:
                half = ceiling / 2
                return half + (ceiling - half) * random()
            case Jitter.DECORRELATED:
                widest = max(self.base, previous * 3)
                return min(self.cap, self.base + (widest - self.base) * random())
            case Jitter.NONE:
                return ceiling

    def grown(self, failures: int) -> timedelta:
        """The longest wait that so many failed attempts can have grown to with decorrelated jitter; zero after none.

        A longer one was a dependency's, and says nothing of how soon to try again.
        """
        return self.base * min(3 ** (failures - 1), self.cap / self.base) if failures > 0 else timedelta(0)

    def deferral_delay(self, deferrals: int, previous: timedelta, random: Callable[[], float]) -> timedelta:
        """The wait of deferral number `deferrals` (from 1) of a job whose dependency names no time.

        `base` doubles with each up to `cap`; the wait is never shorter than half of that, whatever the jitter.
        `delays` has no say: it tells how often to try what may succeed, and this how often to ask whether it may.
        `previous` and `random` as for `delay`.
        """
        ceiling = self._ceiling(deferrals)
        if self.jitter is Jitter.NONE:
            return ceiling
        widest = min(self.cap, max(ceiling, previous * 3)) if self.jitter is Jitter.DECORRELATED else ceiling
        return ceiling / 2 + (widest - ceiling / 2) * random()

    def _ceiling(self, number: int) -> timedelta:
        # No kind has more attempts, and a second doubled 24 times is past any cap; the bound keeps 12 h doubled
        # within what a timedelta holds.
        doublings = min(number, limits.MAX_ATTEMPTS) - 1
        return min(self.cap, self.base * (1 << doublings))


def _spans(delays: object) -> tuple[timedelta, ...]:
    if not isinstance(delays, Iterable):
        raise DefinitionError(f"Retry.delays is {delays!r}. Fix: give a sequence such as (seconds(5), minutes(2))")
    spans = tuple(delays)
    for i, span in enumerate(spans):
        check_span(f"Retry.delays[{i}]", span)
    return spans
