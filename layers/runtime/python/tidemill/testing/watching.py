"""Jobs whose calls of their context are seen, and which can be ended at any of their steps."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import update_wrapper
from typing import Any, Final, TypeAlias

from tidemill.domain.context import JobContext
from tidemill.domain.job import JobRef
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.testing.faults import Crashed, Faults, Kind
from tidemill.testing.inline import Again, InlineCrew, Stint
from tidemill.testing.observing import Calls, Moment, Observed

_KIND_AT: Final = {
    Moment.BEFORE: Kind.CRASH_BEFORE,
    Moment.INSIDE: Kind.CRASH_INSIDE,
    Moment.AFTER: Kind.CRASH_AFTER,
}


@dataclass
class Drops:
    """Where attempts are dropped so that the job runs again: at each place once for each job.

    Attributes:
        after, inside: drop after each step's record; between each step's effect and its record.
        complaints: what was wrong with the ways that jobs took.
    """

    after: bool = False
    inside: bool = False
    complaints: list[str] = field(default_factory=list)
    _done: set[tuple[JobRef, str, str]] = field(default_factory=set)

    @property
    def is_on(self) -> bool:
        """Whether any attempt is dropped."""
        return self.after or self.inside

    def wants(self, ref: JobRef, what: str, name: str = "") -> bool:
        """Whether the job is to be dropped here; only the first time."""
        wanted = self.inside if what == "inside" else self.after
        place = (ref, what, name)
        if not wanted or place in self._done:
            return False
        self._done.add(place)
        return True

    def recorded(self, ref: JobRef) -> list[str]:
        """The steps after which the job was dropped."""
        return sorted(name for job, what, name in self._done if job == ref and what == "after")

    def has_cursor(self, ref: JobRef) -> bool:
        """Whether the job was dropped at a checkpoint: then it may well leave out what was done before."""
        return any(job == ref and what == "cursor" for job, what, _ in self._done)


@dataclass
class AttemptWatcher:
    """Watches one run of one job."""

    crew: InlineCrew
    stint: Stint
    faults: Faults
    drops: Drops
    ref: JobRef
    _asked: set[str] = field(default_factory=set)

    def glance(self) -> None:
        """See Watcher."""
        self.stint.check()
        if self.crew.stint is self.stint:
            self.crew.ring()

    def at_step(self, name: str, moment: Moment) -> None:
        """See Watcher."""
        self.stint.check()
        if moment is Moment.ASKED:
            self._asked.add(name)
            return
        for fault in self.faults.happening("step", _KIND_AT[moment], step=name):
            self.stint.drop(Crashed(str(fault)))
        if moment is Moment.BEFORE:
            self._compare(f"called the new step {name!r}")
        elif self.drops.wants(self.ref, moment.name.lower(), name):
            self.stint.drop(Again(f"dropped {moment.value} of step {name!r}"))

    def at_cursor(self, cursor: object) -> None:
        """See Watcher."""
        self.stint.check()
        if self.drops.wants(self.ref, "cursor", json.dumps(cursor, sort_keys=True)):
            self.stint.drop(Again("dropped after a checkpoint"))

    def returned(self) -> None:
        """The job's function has returned, and nothing is recorded of that."""
        self.stint.check()
        self._compare("returned")
        if self.drops.wants(self.ref, "return"):
            self.stint.drop(Again("dropped before its result was recorded"))

    def _compare(self, what: str) -> None:
        missed = [name for name in self.drops.recorded(self.ref) if name not in self._asked]
        if missed and not self.drops.has_cursor(self.ref) and not self.drops.complaints:
            self.drops.complaints.append(
                f"job {self.ref} {what} without asking for {', '.join(map(repr, missed))}, which it remembers from the "
                "run before: it does not take the same way twice, so effects happen twice. Fix: names of steps, and "
                "the way to them, must follow from the args and from other steps, not from time, chance or the world"
            )


Watch: TypeAlias = Callable[[JobContext], tuple[Observed, AttemptWatcher]]


def watched(registry: JobRegistry, watch: Watch) -> JobRegistry:
    """The same jobs, each run of which goes through what `watch` makes of its context."""
    jobs = [replace(definition, function=_watched(definition, watch)) for definition in registry]
    return JobRegistry(
        *jobs,
        lanes=tuple(registry.lanes.values()),
        sagas=tuple(registry.sagas.values()),
        events=tuple(registry.events.values()),
        outbox=registry.has_outbox,
        webhooks=registry.webhooks,
    )


def _watched(definition: AnyDefinition, watch: Watch) -> Callable[[Any, JobContext], Any]:
    def run(args: Any, context: JobContext) -> Any:
        observed, watcher = watch(context)
        value = definition.function(args, replace(context, lifeline=observed))
        watcher.returned()
        return value

    async def run_async(args: Any, context: JobContext) -> Any:
        observed, watcher = watch(context)
        value = await definition.function(args, replace(context, lifeline=observed))
        watcher.returned()
        return value

    # `updated`: what a callable object knows is its own.
    return update_wrapper(run_async if definition.is_async else run, definition.function, updated=())


@dataclass
class Watching:
    """Makes the watchers of one harness.

    Attributes:
        calls: what each job asked of its context.
    """

    crew: InlineCrew
    faults: Faults
    drops: Drops = field(default_factory=Drops)
    calls: dict[JobRef, Calls] = field(default_factory=dict)

    def __call__(self, context: JobContext) -> tuple[Observed, AttemptWatcher]:
        """See Watch."""
        stint = self.crew.stint
        if stint is None:
            raise AssertionError("the harness runs jobs only in its own worker")
        ref = JobRef(context.tenant, context.job_id)
        watcher = AttemptWatcher(self.crew, stint, self.faults, self.drops, ref)
        return Observed(context.lifeline, self.calls.setdefault(ref, Calls()), watcher), watcher
