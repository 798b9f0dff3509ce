"""What the relay has left: sent by the janitor, and shown to people."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.outbox import Outbound, OutboundFact
from tidemill.domain.ports import Clock, Outbox, OutboxPage, Telemetry
from tidemill.service.relay import Relay


@dataclass(frozen=True, slots=True)
class OutboxStatus:
    """What stands in the outbox.

    Attributes:
        jobs, facts: how many; `damaged`: how many more that nobody can read.
        oldest_at: when the oldest was written, Unix milliseconds; None if it is empty.
        is_whole: whether all of it was looked at.
    """

    jobs: int
    facts: int
    damaged: int
    oldest_at: int | None
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Leftovers:
    """The janitor's look at the outbox: it needs no stream, so that nothing is lost with one."""

    outbox: Outbox
    relay: Relay
    clock: Clock
    telemetry: Telemetry

    def sweep(self, deadline_ms: int | None = None) -> int:
        """Send what is older than two minutes; answers how much of it there was.

        It ends at `deadline_ms` (Unix milliseconds). Each run begins in another shard, so that none waits for ever.
        """
        found = damaged = 0
        first = self.clock.now_ms() // milliseconds(limits.SWEEP_PERIOD)
        for page in _pages(self.outbox, first, lambda: deadline_ms is None or self.clock.now_ms() < deadline_ms):
            before = self.clock.now_ms() - milliseconds(limits.OUTBOX_LEFTOVER)
            old = [outbound for outbound in page.outbounds if outbound.written_at <= before]
            self.relay.relay(old)
            found, damaged = found + len(old), damaged + len(page.damaged)
            for name in page.damaged:
                self.telemetry.alert("outbox_damaged", name=name)
        self.telemetry.count("OutboxLeftovers", found + damaged)
        return found


def look_at(outbox: Outbox, most: int) -> OutboxStatus:
    """Count what stands in the outbox, up to about `most` of it. A read unit for each 4 KB that is looked at.

    Raises:
        UnavailableError: AWS did not answer.
    """
    seen: list[Outbound] = []
    damaged: list[str] = []

    def goes_on() -> bool:
        return len(seen) < most

    for page in _pages(outbox, 0, goes_on):
        seen += page.outbounds
        damaged += page.damaged
    facts = sum(isinstance(outbound, OutboundFact) for outbound in seen)
    oldest = min((outbound.written_at for outbound in seen), default=None)
    return OutboxStatus(len(seen) - facts, facts, len(damaged), oldest, is_whole=len(seen) < most)


def _pages(outbox: Outbox, first: int, goes_on: Callable[[], bool]) -> Iterator[OutboxPage]:
    """All of the outbox from one shard on, as long as `goes_on`."""
    failure: UnavailableError | None = None
    for number in range(limits.OUTBOX_SHARDS):
        cursor: str | None = None
        while goes_on():
            try:
                page = outbox.page((first + number) % limits.OUTBOX_SHARDS, limits.MAX_PAGE, cursor)
            except UnavailableError as error:
                # The other shards have nothing to do with it.
                failure = error
                break
            yield page
            cursor = page.cursor
            if cursor is None:
                break
    if failure is not None:
        raise failure
