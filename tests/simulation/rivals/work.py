"""The work itself, the same for every rival: begin, charge the customer, finish. Called by their handlers."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, cast

from tests.simulation import stage
from tests.simulation.calls import _PAUSES_MS
from tests.simulation.faults import Fault
from tests.simulation.rivals.orders import Mishap, Order

if TYPE_CHECKING:
    from tests.simulation.rivals.match import Match


class MishapError(Exception):
    """An order's own code failed."""


class Book:
    """What was done, whatever any handler believes.

    Attributes:
        started, finished: how often each order's work began and came to its end.
        is_mended: the bug in the code is gone.
    """

    def __init__(self, orders: tuple[Order, ...]) -> None:
        self.orders = {order.number: order for order in orders}
        self.started: Counter[int] = Counter()
        self.finished: Counter[int] = Counter()
        self.is_mended = False

    def mishap(self, number: int) -> Mishap:
        """What befalls the work that was started last."""
        order = self.orders[number]
        if order.mishap is Mishap.BUG:
            return Mishap.NONE if self.is_mended else Mishap.BUG
        return order.mishap if self.started[number] <= order.times else Mishap.NONE


def begin(number: int) -> None:
    """What an order does before its effect."""
    match_, book = _match(), _match().book
    book.started[number] += 1
    match_.tell("start", number)
    _meet_fault(match_)
    match book.mishap(number):
        case Mishap.FAILS | Mishap.BUG as mishap:
            raise MishapError(mishap.value)
        case Mishap.KILLS:
            match_.scheduler.crash()
        case Mishap.HANGS:
            for _ in range(300):
                match_.scheduler.sleep(1_000)
        case _:
            pass


def charge(number: int, key: str) -> None:
    """The effect, under the key that the handler passes."""
    _match().dependency.apply(key, number)


def finish(number: int) -> None:
    """What an order does after its effect."""
    match_, book = _match(), _match().book
    _meet_fault(match_)
    match book.mishap(number):
        case Mishap.FAILS_AFTER as mishap:
            raise MishapError(mishap.value)
        case Mishap.KILLS_AFTER:
            match_.scheduler.crash()
        case _:
            pass
    book.finished[number] += 1
    match_.tell("finished", number)


def passes_message_id() -> bool:
    """Whether the rival that plays knows no better key than the message's id."""
    return _match().rival.key == "messageId"


def _meet_fault(match_: Match) -> None:
    """A process may die or be frozen in the midst of its own work: a handler that calls no AWS is not spared."""
    match match_.faults.at_call("work"):
        case (Fault.CRASH_BEFORE | Fault.CRASH_AFTER) as fault:
            match_.strike(fault)
            match_.scheduler.crash()
        case (Fault.PAUSE_BEFORE | Fault.PAUSE_AFTER) as fault:
            match_.strike(fault)
            pause_ms = match_.rng.choice(_PAUSES_MS)
            match_.scheduler.hold(pause_ms)
            match_.scheduler.sleep(pause_ms)
        case _:
            pass


def _match() -> Match:
    return cast("Match", stage.playing())
