"""Redriving many jobs, or whole DLQs: a canary first, at a stated pace, and all of it in the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import TypeAlias

from tidemill.domain.closing import is_closed
from tidemill.domain.errors import InputError, NothingMatchedError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Clock, DeadLetterQueue, JobReader
from tidemill.service.auditing import Auditor, Tally
from tidemill.service.canary import DEFAULT_WAIT, Bird, Canary, CanaryEnded
from tidemill.service.dead_filter import Filter
from tidemill.service.letters import is_of, ref_in
from tidemill.service.manner import RESUME, Manner
from tidemill.service.pacing import Pace
from tidemill.service.reception import receive
from tidemill.service.redriving import ONE_SEARCH, SEARCH, NotRedriven, Redriven, Redriving, Terms
from tidemill.service.refusal import is_refusal


@dataclass(frozen=True, slots=True)
class Care:
    """How carefully many jobs are redriven.

    Arguments:
        rate: jobs a second at the most; None for as fast as it goes.
        canary: so many first; the others follow if all of those are redriven, end, and do not die again.
        canary_wait: how long the canary may take.
        after: the canary of an action before this one, which has ended well.
    """

    rate: float | None = None
    canary: int = 0
    canary_wait: timedelta = DEFAULT_WAIT
    after: tuple[Bird, ...] = ()

    def parts(self) -> dict[str, str]:
        """What it asks for, by name, for the audit trail."""
        rate = {} if self.rate is None else {"rate": f"{self.rate:g}"}
        canary = {"canary": str(self.canary)} if self.canary else {}
        after = {"after": ", ".join(bird.ref.id for bird in self.after)} if self.after else {}
        return {**rate, **canary, **after}


@dataclass(frozen=True, slots=True)
class LaneMoved:
    """Messages of a whole DLQ are back, or, `by_sqs`, are being put back by SQS: about so many."""

    lane: str
    count: int
    by_sqs: bool


JobEvent: TypeAlias = Redriven | NotRedriven | CanaryEnded
Event: TypeAlias = JobEvent | LaneMoved


@dataclass(frozen=True, slots=True)
class Bulk:
    """Redrives many.

    Arguments:
        sleep: waits so many seconds.
    """

    redriving: Redriving
    reader: JobReader
    dead_letters: DeadLetterQueue
    audit: Auditor
    clock: Clock
    sleep: Callable[[float], None]

    def jobs(
        self, jobs: Sequence[Job], manner: Manner, care: Care, chosen: Filter | None, terms: Terms
    ) -> Iterator[JobEvent]:
        """See DeadLetterDesk.redrive_all."""
        birds = birds_of(jobs, care.canary) if care.canary else []
        gone = {job.ref for job in birds}
        others = [job for job in jobs if job.ref not in gone]
        with self._action(jobs, manner, care, chosen) as tally:
            yield from self._flock(birds, manner, care, terms, tally)
            if tally.stopped is None:
                yield from self._told(others, manner, terms, tally)
            if tally.stopped is None and tally.counts["redriven"] + tally.counts["failed"] < len(jobs):
                tally.stopped = "no_time"

    def canary(
        self, jobs: Sequence[Job], manner: Manner, care: Care, chosen: Filter | None, terms: Terms
    ) -> Iterator[Redriven | NotRedriven]:
        """See DeadLetterDesk.redrive_canary."""
        birds = birds_of(jobs, care.canary)
        with self._action(birds, manner, care, chosen) as tally:
            yield from self._told(birds, manner, terms, tally)

    def lanes(self, lanes: Sequence[str], care: Care) -> Iterator[Event]:
        """See DeadLetterDesk.redrive_lanes."""
        depths = {lane: depth for lane in lanes if (depth := self._depth(lane))}
        if not depths:
            raise NothingMatchedError("message", f"the DLQs of {', '.join(lanes)}")
        birds = {lane: birds_of(self._dead_in(lane), care.canary, lane) for lane in depths} if care.canary else {}
        chosen = {"lanes": ", ".join(lanes), **care.parts()}
        with self.audit.action("redrive", None, chosen, str(RESUME)) as tally:
            tally.add("asked", count=sum(depths.values()))
            pace = Pace(care.rate, self.clock, self.sleep)
            for lane, depth in depths.items():
                if tally.stopped is None:
                    yield from self._flock(birds.get(lane, []), RESUME, care, Terms(SEARCH, pace), tally)
                if tally.stopped is None:
                    yield from self._move(lane, depth, pace, tally)

    def _flock(
        self, birds: Sequence[Job], manner: Manner, care: Care, terms: Terms, tally: Tally
    ) -> Iterator[JobEvent]:
        """Redrive the canary, and stop the action if it does not pass."""
        if not birds:
            return
        flown = set()
        for result in self._told(birds, manner, terms, tally):
            if isinstance(result, Redriven):
                flown.add(result.ref)
            yield result
        flock = [Bird.of(job, flew=job.ref in flown) for job in birds]
        ended = Canary(self.reader, self.clock, self.sleep, care.canary_wait).watch(flock)
        if not ended.passed:
            tally.stopped = "canary"
        yield ended

    def _told(
        self, jobs: Sequence[Job], manner: Manner, terms: Terms, tally: Tally
    ) -> Iterator[Redriven | NotRedriven]:
        for result in self.redriving.many(jobs, manner, terms):
            tally.add("redriven" if isinstance(result, Redriven) else "failed", result.ref)
            yield result

    @contextmanager
    def _action(self, jobs: Sequence[Job], manner: Manner, care: Care, chosen: Filter | None) -> Iterator[Tally]:
        meant, parts = [job.ref for job in jobs], {}
        tenants = {ref.tenant for ref in meant}
        tenant = tenants.pop() if len(tenants) == 1 else None
        if chosen is not None:
            tenant, parts = chosen.tenant, chosen.parts()
        with self.audit.action("redrive", tenant, {**parts, **care.parts()}, str(manner), meant) as tally:
            tally.add("asked", count=len(jobs))
            yield tally

    def _move(self, lane: str, depth: int, pace: Pace, tally: Tally) -> Iterator[LaneMoved]:
        # SQS takes whole numbers only.
        by_sqs = pace.rate is None or pace.rate >= 1
        if by_sqs and self.dead_letters.start_move(lane, None if pace.rate is None else int(pace.rate)):
            tally.add("begun_by_sqs", count=depth)
            yield LaneMoved(lane, depth, by_sqs=True)
            return
        for count in self.redriving.whole_lane(lane, pace):
            tally.add("redriven", count=count)
            yield LaneMoved(lane, count, by_sqs=False)

    def _dead_in(self, lane: str) -> Iterator[Job]:
        """Dead jobs whose message is among the first of a lane's DLQ: what the table alone has stays dead."""
        messages = receive(self.dead_letters.peek(lane, ONE_SEARCH))
        records = self.reader.find([ref_in(message) for message in messages])
        for message, job in zip(messages, records, strict=True):
            if job is not None and job.state is State.DEAD and is_of(message, job):
                yield job

    def _depth(self, lane: str) -> int:
        # The count of SQS lags behind; a look does not.
        return self.dead_letters.depth(lane) or len(self.dead_letters.peek(lane, 1))


def birds_of(jobs: Iterable[Job], count: int, lane: str | None = None) -> list[Job]:
    """The first `count` of these dead jobs, at the most, for a canary.

    Raises:
        InputError: there are none.
    """
    # A refused message becomes a job of its own, which nobody could watch; one that is closed does not run.
    birds = list(islice((job for job in jobs if not is_refusal(job) and not is_closed(job)), count))
    if birds:
        return birds
    where = "none of the chosen jobs" if lane is None else f"no message of {lane}'s DLQ that was looked at"
    raise InputError.at(
        "canary",
        f"{where} can be watched: the death must be recorded, and be neither a refusal nor that of a saga's step whose "
        "saga is over. Nothing was changed. Fix: wait "
        "for the janitor's next census, or leave the canary out",
        "no_canary",
    )
