"""One rival's schedule: trouble, healing, the console's redrive of all that is in the DLQ, and the books."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from random import Random
from typing import Any

from bench.cloud.account import Account, TableDefinition
from bench.cloud.ids import numbered_ids
from tests.simulation.cloud import Cloud
from tests.simulation.faults import Plan
from tests.simulation.rivals.entrants import IDEMPOTENCY_TABLE, JOBS_TABLE, Rival
from tests.simulation.rivals.orders import Order, Programme
from tests.simulation.rivals.score import Score, Seen, count, look
from tests.simulation.rivals.work import Book
from tests.simulation.watchers.invariants import Violation
from tests.simulation.world import Story, World
from tidemill.domain.registry import JobRegistry

# An operator comes some minutes after everything has healed.
_OPERATOR_AFTER_MS = 5 * 60_000
_PRESSES = 3
# Five receives, a visibility timeout apart, take half an hour.
_QUIET_WITHIN_MS = 12 * 3_600_000


class _WithTables(Cloud):
    """The stack's account, and the two tables that a textbook build has."""

    def __init__(self, now_ms: Callable[[], int], registry: JobRegistry, watch: Any) -> None:
        super().__init__(now_ms, registry, watch)
        tables = [TableDefinition(name, ("id",), ttl="expiration") for name in (IDEMPOTENCY_TABLE, JOBS_TABLE)]
        self._rows = Account(tables=tables, now_ms=now_ms, new_id=numbered_ids())

    def call(self, service: str, operation: str, arguments: Mapping[str, Any]) -> dict[str, Any]:
        if arguments.get("TableName") in self._rows.tables:
            return self._rows.call(service, operation, dict(arguments))
        return super().call(service, operation, arguments)

    def rows(self) -> dict[str, str]:
        """The states that the textbook's handler wrote down, by order id."""
        items = self._rows.tables[JOBS_TABLE].items
        return {key[0]: item["state"]["S"] for key, item in items.items()}


class Match(World):
    """One schedule of one rival.

    Attributes:
        accepted: the orders whose caller was told so.
    """

    cloud: _WithTables

    def __init__(self, rng: Random, faults: Plan, rival: Rival, programme: Programme, story: Story | None) -> None:
        super().__init__(rng, faults, [rival.deployment], story)
        self.rival = rival
        self.book = Book(programme.orders)
        self.accepted: set[int] = set()
        self._programme = programme
        self.cloud = _WithTables(lambda: self.scheduler.now_ms, rival.deployment.registry, self.records.look)

    @property
    def struck(self) -> int:
        """How many faults happened between calls."""
        return self._struck

    def play(self) -> Score:
        """Play it, and count what became of every order."""
        violated, before = 0, Seen()
        try:
            self._trouble()
            self._heal()
            self._settle()
            before = look(self)
            self.book.is_mended = True
            self._redrive_all()
        except Violation as violation:
            violated = 1
            self.tell("violation", violation.invariant, violation.text)
        self.is_over = True
        return count(self, before, look(self), violated)

    def _trouble(self) -> None:
        begin, programme = self.scheduler.now_ms, self._programme
        for order in programme.orders:
            self.later(begin + order.at_ms, lambda order=order: self._submit(order))
        if programme.down_for_ms:
            self.scheduler.at(begin + programme.down_at_ms, lambda: self._go_down(True))
            self.scheduler.at(begin + programme.down_at_ms + programme.down_for_ms, lambda: self._go_down(False))
        self._begin(programme.trouble_ms)
        end = begin + programme.trouble_ms
        while (at := self.scheduler.next_at()) is not None and at <= end:
            self._step()

    def _redrive_all(self) -> None:
        """The button, and once more for what somebody's look at the DLQ hid just then: AWS's own task waits for it."""
        held = self._in_dlq()
        for _ in range(_PRESSES):
            self.operators.redrive_at_console(self.scheduler.now_ms + _OPERATOR_AFTER_MS)
            self._settle()
            if not held & self._in_dlq():
                return

    def _in_dlq(self) -> set[str]:
        return {message.id for message in self.cloud.buried()}

    def _go_down(self, is_down: bool) -> None:  # noqa: FBT001 - the outage's two ends
        self.tell("the dependency is down" if is_down else "the dependency is back")
        self.dependency.is_down = is_down

    def _submit(self, order: Order) -> None:
        def main() -> None:
            if self.rival.submit(self, order):
                self.accepted.add(order.number)
                self.tell("accepted", order.number)

        self.start(f"caller-{order.number}", main, role="client")

    def _settle(self) -> None:
        until = self.scheduler.now_ms + _QUIET_WITHIN_MS
        while not self.is_at_rest() and self.scheduler.now_ms <= until and self._step():
            pass

    def _step(self) -> bool:
        """No bound on calls: the time to settle is bounded, and a rival may go round in it as long as it likes."""
        return self.scheduler.step()

    # --- nobody but Tidemill has a janitor --------------------------------------------------------

    def has_work_for_janitor(self) -> bool:
        return not self.rival.handler and super().has_work_for_janitor()

    def idle_minutes(self) -> int:
        return 1_440 if self.rival.handler else super().idle_minutes()
