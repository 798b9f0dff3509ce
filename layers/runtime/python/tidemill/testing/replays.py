"""The archive of the bus in memory: the reference implementation of `Replays`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import product

from tidemill.domain.ports import Clock
from tidemill.domain.registry import JobRegistry
from tidemill.domain.replay import Archive, Replay, ReplayOrder, ReplayState, Subscriber
from tidemill.service.auditing import Auditor
from tidemill.service.replays import ReplayDesk
from tidemill.testing.outbox import MemoryBus
from tidemill.testing.stack import STACK, MemoryStack
from tidemill.testing.subscribing import message_text


@dataclass
class MemoryReplays:
    """`Replays` over what a `MemoryBus` has published. A replay is over when it has begun.

    Arguments:
        put: sends a message to a lane's queue.
    """

    registry: JobRegistry
    published: MemoryBus
    put: Callable[[str, str], object]
    clock: Clock
    bus: str = STACK
    _replays: dict[str, Replay] = field(default_factory=dict)

    def subscribers(self) -> list[Subscriber]:
        """See Replays."""
        heard = [(one.kind, subscription.event.event_type) for one, subscription in self.registry.subscriptions]
        return [Subscriber(kind, type_, f"rule/{kind}/{type_}") for kind, type_ in sorted(heard)]

    def archives(self) -> list[Archive]:
        """See Replays."""
        return [Archive(STACK)]

    def start(self, order: ReplayOrder) -> bool:
        """See Replays."""
        if order.name in self._replays:
            return False
        now = self.clock.now_ms()
        facts = [fact for fact in self.published.published if order.since <= fact.at <= order.until]
        for fact, one in product(facts, order.to):
            if one.type == fact.type:
                self.put(self._lane(one.kind), message_text(one.kind, fact.text, order.name))
        self._replays[order.name] = Replay(
            order.name,
            ReplayState.COMPLETED,
            order.since,
            order.until,
            reached=max((fact.at for fact in facts), default=None),
            started_at=now,
            ended_at=now,
            rules=tuple(one.rule for one in order.to),
        )
        return True

    def _lane(self, kind: str) -> str:
        return self.registry.route(self.registry.resolve(kind))

    def look(self, name: str) -> Replay | None:
        """See Replays."""
        return self._replays.get(name)

    def all(self) -> list[Replay]:
        """See Replays."""
        found = [replace(one, reason="", rules=()) for one in self._replays.values()]
        return sorted(found, key=lambda one: (-(one.started_at or 0), one.name))

    def cancel(self, name: str) -> bool:
        """See Replays."""
        return name in self._replays and not self._replays[name].state.is_final


def replay_desk_of(stack: MemoryStack) -> ReplayDesk:
    """The desk of a stack in memory."""
    auditor = Auditor(stack.trail, stack.clock, stack.random, lambda: "tester")
    return ReplayDesk(MemoryReplays(stack.registry, stack.bus, stack.queues.put, stack.clock), auditor, stack.clock)
