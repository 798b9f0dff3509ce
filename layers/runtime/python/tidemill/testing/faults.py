"""What goes wrong in a test, as data: planned before, listed after."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from difflib import get_close_matches
from enum import StrEnum
from typing import Final, Literal, TypeAlias, get_args

from tidemill.domain.interrupt import WorkerDied

# The verbs of the ports (`tidemill.domain.ports`), which are what a fault can meet.
Call: TypeAlias = Literal[
    # the table, written
    "insert", "refuse", "claim", "conclude", "move", "extend", "keep", "keep_longer",
    # the table, read
    "find", "envelope_of", "result_of", "failures_of", "waiting", "due", "recent",
    # the queues
    "send", "hide", "delete",
    # the DLQs
    "depth", "peek", "dlq_move", "purge", "start_move",
    # what jobs remember, and large payloads
    "open", "remember", "forget", "checkpoint", "look", "put", "put_all", "get", "renew", "discard",
    # what jobs wait for
    "wait_of", "waits_of", "ask", "give_up", "answer", "key_of", "keep_key",
    # the numbers of entities on FIFO lanes
    "number", "last_finished", "finish",
    # schedules
    "find_schedules", "due_schedules", "record_schedule", "move_schedule",
    "listed", "version", "versions_of", "history",
    # sagas: their task tokens, and their state machines
    "keep_token", "find_token", "report", "start_saga", "look_at_saga", "history_of_saga",
    "left_of_saga",
    # batches
    "open_batch", "keep_jobs", "kept_jobs", "find_batches", "tally", "count_ends", "fill", "advance", "ask_cancel",
    "end_batch", "look_again", "due_batches",
    # the outbox and the bus
    "find_outbound", "standing", "remove", "outbox_page", "publish",
    # endpoints of webhooks
    "find_endpoint", "create_endpoint", "change_endpoint", "delete_endpoint",
]  # fmt: skip
CALLS: Final[tuple[str, ...]] = get_args(Call)
_NO_TIME: Final = timedelta(0)


class Crashed(WorkerDied):
    """The process ended here, as `kill -9` ends it. The harness catches it; nothing else should.

    Unlike the real thing it passes through `finally` and can be caught by a bare `except`: what it is caught by
    changes nothing for the engine, because the process does no more calls that count.
    """


class Process(StrEnum):
    """Who makes a call."""

    CLIENT = "client"
    WORKER = "worker"
    JANITOR = "janitor"
    DESK = "desk"
    RELAY = "relay"


class Kind(StrEnum):
    """What goes wrong."""

    THROTTLE = "throttle"
    LOSE_ANSWER = "lose the answer of"
    CRASH_BEFORE = "crash before"
    CRASH_INSIDE = "crash inside"
    CRASH_AFTER = "crash after"
    SLOW = "slow down"
    FREEZE = "freeze the process in"
    TWICE = "deliver twice"
    LATE = "deliver late"


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        at: a verb of a port, `step`, `message` or `job`.
        times: how often. `after`: how many such calls go well before.
        by: in which process; None for any.
        step: at which step of a job; None for any.
        span: how long it takes.
    """

    kind: Kind
    at: str
    times: int = 1
    after: int = 0
    by: Process | None = None
    step: str | None = None
    span: timedelta = _NO_TIME

    def __str__(self) -> str:
        parts = [f"{self.kind} {self.at}"]
        if self.step is not None:
            parts.append(repr(self.step))
        if self.span:
            parts.append(f"for {self.span}")
        if self.by is not None:
            parts.append(f"by the {self.by}")
        return " ".join(parts)


@dataclass(slots=True)
class _Plan:
    fault: Fault
    met: int = 0
    happened: int = 0


@dataclass(frozen=True, slots=True)
class Faults:
    """The faults of one harness: plan them with its methods, in any number and order.

    Every method takes `times` (how often it happens, from 1) and `after` (how many such calls go well before).
    A planned fault that never happens fails the test when the harness ends: it would have proved nothing.
    """

    _plans: list[_Plan] = field(default_factory=list)

    # --- calls of AWS -----------------------------------------------------------------------------

    def throttle(self, call: Call, *, times: int = 1, after: int = 0, by: Process | str | None = None) -> None:
        """AWS refuses the call, and nothing was done."""
        self._call(Kind.THROTTLE, call, times, after, by)

    def lose_answer(self, call: Call, *, times: int = 1, after: int = 0, by: Process | str | None = None) -> None:
        """The call is done, and its caller hears that it failed."""
        self._call(Kind.LOSE_ANSWER, call, times, after, by)

    def crash_before(self, call: Call, *, times: int = 1, after: int = 0, by: Process | str | None = None) -> None:
        """The process ends just before the call.

        A worker or janitor is started again when its time comes. In the test itself (`client`, `desk`), `Crashed`
        is raised.
        """
        self._call(Kind.CRASH_BEFORE, call, times, after, by)

    def crash_after(self, call: Call, *, times: int = 1, after: int = 0, by: Process | str | None = None) -> None:
        """The process ends when the call is done, before it does anything else. See `crash_before`."""
        self._call(Kind.CRASH_AFTER, call, times, after, by)

    def slow(
        self, call: Call, span: timedelta, *, times: int = 1, after: int = 0, by: Process | str | None = None
    ) -> None:
        """The call takes `span`. Meanwhile the worker's other duties go on: heartbeats, timeouts."""
        self._call(Kind.SLOW, call, times, after, by, span)

    def freeze(
        self, call: Call, span: timedelta, *, times: int = 1, after: int = 0, by: Process | str | None = None
    ) -> None:
        """The whole process stands still for `span` before the call, while all others go on.

        A worker that wakes after its lease is a zombie: another one has its job. One that wakes after its
        function's timeout does not wake at all.
        """
        self._call(Kind.FREEZE, call, times, after, by, span)

    # --- a worker at a step of a job --------------------------------------------------------------

    def crash_before_step(self, step: str, *, times: int = 1, after: int = 0) -> None:
        """The worker ends before the step's function is called."""
        self._plan(Fault(Kind.CRASH_BEFORE, "step", times, after, step=step))

    def crash_inside_step(self, step: str, *, times: int = 1, after: int = 0) -> None:
        """The worker ends between the step's effect and its record: the next attempt calls the function again."""
        self._plan(Fault(Kind.CRASH_INSIDE, "step", times, after, step=step))

    def crash_after_step(self, step: str, *, times: int = 1, after: int = 0) -> None:
        """The worker ends when the step is remembered."""
        self._plan(Fault(Kind.CRASH_AFTER, "step", times, after, step=step))

    # --- messages ---------------------------------------------------------------------------------

    def deliver_twice(self, *, times: int = 1, after: int = 0) -> None:
        """SQS hands a message out again although it was handled and deleted."""
        self._plan(Fault(Kind.TWICE, "message", times, after))

    def deliver_late(self, span: timedelta, *, times: int = 1, after: int = 0) -> None:
        """A message that is sent reaches its queue only after `span`, in whole seconds, rounded up.

        None of a FIFO lane is late by itself: SQS keeps the order of an entity.
        """
        self._plan(Fault(Kind.LATE, "message", times, after, span=span))

    # --- what happened ----------------------------------------------------------------------------

    def happening(self, at: str, *kinds: Kind, by: Process | None = None, step: str | None = None) -> Iterator[Fault]:
        """The faults of these kinds that happen now; each is counted. For the harness."""
        for plan in self._plans:
            fault = plan.fault
            if (
                fault.kind not in kinds
                or fault.at != at
                or fault.by not in (None, by)
                or fault.step not in (None, step)
            ):
                continue
            plan.met += 1
            if plan.met > fault.after and plan.happened < fault.times:
                plan.happened += 1
                yield fault

    @property
    def outstanding(self) -> tuple[Fault, ...]:
        """Those that have not happened as often as they were planned."""
        return tuple(plan.fault for plan in self._plans if plan.happened < plan.fault.times)

    def forget(self) -> None:
        """Let nothing go wrong from now on, and expect nothing of what was planned."""
        self._plans.clear()

    def __str__(self) -> str:
        lines = [f"{plan.fault}: happened {plan.happened} of {plan.fault.times} times" for plan in self._plans]
        return "\n".join(lines) or "none"

    def _call(
        self,
        kind: Kind,
        call: str,
        times: int,
        after: int,
        by: Process | str | None,
        span: timedelta = _NO_TIME,
    ) -> None:
        if call not in CALLS:
            near = ", ".join(get_close_matches(call, CALLS)) or ", ".join(CALLS)
            raise ValueError(f"{call!r} is no call that a fault can meet. Fix: choose one of {near}")
        self._plan(Fault(kind, call, times, after, None if by is None else Process(by), span=span))

    def _plan(self, fault: Fault) -> None:
        if fault.times < 1 or fault.after < 0:
            raise ValueError(f"{fault} happens {fault.times} times after {fault.after}. Fix: times >= 1, after >= 0")
        self._plans.append(_Plan(fault))
