"""Hands messages to workers, as Lambda's poller does, one invocation after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Final

from tidemill.domain.duration import days, milliseconds
from tidemill.domain.message import Delivery
from tidemill.testing.clock import VirtualClock
from tidemill.testing.faults import Crashed, Faults, Kind
from tidemill.testing.inline import InlineCrew
from tidemill.testing.stack import MemoryStack
from tidemill.testing.watching import Drops

# A wait of a second or more is one that somebody asked for.
_WAIT_MS: Final = 1_000


@dataclass
class Poller:
    """The poller of all lanes, and the end of invocations that take too long.

    Arguments:
        batch_size: messages of one invocation; None for what the lane says.
    """

    stack: MemoryStack
    clock: VirtualClock
    crew: InlineCrew
    faults: Faults
    drops: Drops
    batch_size: int | None = None
    _echoes: list[tuple[str, Delivery]] = field(default_factory=list)
    _invocations: int = 0
    # Of the invocation that runs right now, Unix milliseconds.
    _deadline: int | None = None

    def poll(self, lane: str) -> int:
        """Deliver what the lane has at this moment, at most one batch; answers how many messages that was."""
        self.relay()
        deliveries = self._receive(lane)
        if deliveries:
            self._invoke(lane, deliveries)
        return len(deliveries)

    def deliver(self, lane: str, wanted: Callable[[str], bool]) -> bool:
        """Deliver the first message of the lane whose body is wanted; whether there was one."""
        self.relay()
        deliveries = self.stack.queues.receive(lane, 1, wanted)
        if deliveries:
            self._invoke(lane, deliveries)
        return bool(deliveries)

    def relay(self) -> None:
        """Send what was committed, as the relay does within a second; what it leaves is the janitor's, too."""
        rows = list(self.stack.outbox.rows.values())
        if not rows:
            return
        try:
            with self.crew.elsewhere():
                self.stack.relay().relay(rows)
        except Crashed as crashed:
            self.stack.telemetry.alert("relay_ended", why=str(crashed))

    def next_at(self, lanes: Iterable[str]) -> int | None:
        """When the next message of the lanes can be received, Unix milliseconds; None if all can or there is none."""
        times = [self.stack.queues.next_visible_at(lane) for lane in lanes]
        return min((at for at in times if at is not None), default=None)

    def wait(self, since_ms: int, lanes: Iterable[str]) -> bool:
        """Wait for the next message of the lanes, less than a second after `since_ms`; whether there is one."""
        at = self.next_at(lanes)
        if at is None or at - since_ms >= _WAIT_MS:
            return False
        self.clock.move_to(at)
        return True

    def slow(self, span: timedelta) -> None:
        """A call takes so long."""
        self.clock.advance(span)
        self._check_deadline()

    def freeze(self, span: timedelta, others: Callable[[timedelta], object]) -> None:
        """The process that runs stands still for so long, while `others` go on."""
        deadline, self._deadline = self._deadline, None
        try:
            with self.crew.elsewhere():
                others(span)
        finally:
            self._deadline = deadline
        self._check_deadline()
        self.crew.ring()

    def _receive(self, lane: str) -> list[Delivery]:
        echoes = [delivery for name, delivery in self._echoes if name == lane]
        self._echoes = [echo for echo in self._echoes if echo[0] != lane]
        limit = self.batch_size or self.stack.registry.lanes[lane].batch_size
        found = self.stack.queues.receive(lane, limit - len(echoes))
        for delivery in found:
            for _ in self.faults.happening("message", Kind.TWICE):
                # The receipt of a message that was deleted is void.
                self._echoes.append((lane, replace(delivery, receipt="void", receives=delivery.receives + 1)))
        return echoes + found

    def _invoke(self, lane: str, deliveries: Sequence[Delivery]) -> None:
        self._invocations += 1
        # Nothing is received in the very millisecond in which it becomes visible; a claim relies on that.
        self.clock.advance(timedelta(milliseconds=1))
        before = self._deadline
        self._deadline = self.clock.now_ms() + milliseconds(self._function_timeout(lane))
        try:
            with self.crew.elsewhere():
                self._work(lane, deliveries, self._deadline)
        except Crashed as crashed:
            self.stack.telemetry.alert("worker_ended", lane=lane, why=str(crashed))
        finally:
            self._deadline = before

    def _work(self, lane: str, deliveries: Sequence[Delivery], deadline_ms: int) -> None:
        worker = self.stack.worker(lane)
        batch = worker.begin(deliveries, f"request-{self._invocations}", deadline_ms)
        self.crew.run(batch, batch.together)
        alone = worker.isolate(batch)
        if alone is not None:
            self.crew.run(batch, [alone])
        staying = worker.finish(batch)
        done = [delivery.receipt for delivery in deliveries if delivery.message_id not in staying]
        self.stack.queues.delete(lane, done)

    def _function_timeout(self, lane: str) -> timedelta:
        # A job that is dropped again and again has all the time it needs: what it is tested for is not its timeout.
        return days(1) if self.drops.is_on else self.stack.sizing[lane].function_timeout

    def _check_deadline(self) -> None:
        if self._deadline is not None and self.clock.now_ms() >= self._deadline:
            self.crew.crash("the function's time was over")
