"""How soon a job starts again whose worker died: one crash at every call of a few flows, measured in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING, Any

from tests.simulation.faults import Chosen, Fault
from tests.simulation.flows import Flow, jobs
from tests.simulation.jobs.behaviour import LANE
from tests.simulation.jobs.stepping import HEARTBEAT
from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.sizing import size_lane

if TYPE_CHECKING:
    from tests.simulation.schedule import Stage
    from tidemill.domain.registry import JobRegistry

# What a worker that died costs beside its lease: two clocks that are 30 s apart, and the calls until the next start.
MARGIN_MS = milliseconds(seconds(35))
_STEPS = {"plan": ["key", "free", "key large"], "trouble": []}
_UNITS = {"units": 6, "pace_ms": 2_000, "every": 1, "says": "progress", "cleans": "nothing", "trouble": []}


@dataclass(frozen=True, slots=True)
class Lease:
    """A flow, and how long its job's lease lasts without a sign of life."""

    flow: Flow
    has_heartbeat: bool

    def lasts_ms(self, registry: JobRegistry) -> int:
        """The heartbeat, or the function's timeout."""
        if self.has_heartbeat:
            return milliseconds(HEARTBEAT)
        return milliseconds(size_lane(registry.lanes[LANE], registry.in_lane(LANE)).function_timeout)


FLOWS = (
    Lease(Flow("steps", jobs(kind="sim.order", details=_STEPS)), has_heartbeat=False),
    Lease(Flow("steps with a heartbeat", jobs(kind="sim.ship", details={**_STEPS, "busy_s": 4})), has_heartbeat=True),
    Lease(Flow("units", jobs(kind="sim.tour", details=_UNITS)), has_heartbeat=False),
    Lease(Flow("units with a heartbeat", jobs(kind="sim.trek", details=_UNITS)), has_heartbeat=True),
)


@dataclass(frozen=True, slots=True)
class Recovery:
    """One crash: at which call, and how long after it the job started again, in virtual milliseconds."""

    flow: str
    call: int
    fault: Fault
    operation: str
    took_ms: int


class _Watch:
    """A story in which nothing matters but when a worker died, whether it had hidden its message, and what followed."""

    def __init__(self) -> None:
        self.died_at: int | None = None
        self.operation = ""
        self.started_at: int | None = None
        self._hidden: set[str] = set()

    def __call__(self, now_ms: int, who: str, what: tuple[Any, ...]) -> None:
        match what:
            case ("call", "ChangeMessageVisibilityBatch", *_):
                self._hidden.add(who)
            case ("fault", kind, operation) if kind.startswith("crash"):
                # An invocation's threads have its name and a number of their own.
                if who.partition(".")[0] in self._hidden or (kind, operation) == _AFTER_HIDING:
                    self.died_at, self.operation = now_ms, operation
            case ("start", *_) if self.died_at is not None and self.started_at is None:
                self.started_at = now_ms
            case _:
                pass


_AFTER_HIDING = (Fault.CRASH_AFTER.value, "ChangeMessageVisibilityBatch")


def recoveries(stage: Stage, lease: Lease) -> Iterator[Recovery]:
    """Every crash of a worker after its first call that left its job unfinished."""
    for call in range(_length(stage, lease.flow)):
        for fault in (Fault.CRASH_BEFORE, Fault.CRASH_AFTER):
            watch = _Watch()
            rng = Random(lease.flow.name)  # noqa: S311 - not a secret
            outcome = stage.play_with(lease.flow.setting(), rng, Chosen({call: fault}), watch)
            if outcome.violation is not None:
                raise outcome.violation
            if watch.died_at is not None and watch.started_at is not None:
                took_ms = watch.started_at - watch.died_at
                yield Recovery(lease.flow.name, call, fault, watch.operation, took_ms)


def _length(stage: Stage, flow: Flow) -> int:
    chosen = Chosen({})
    stage.play_with(flow.setting(), Random(flow.name), chosen)  # noqa: S311 - not a secret
    return len(chosen.operations)
