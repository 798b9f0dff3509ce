"""Redriving many jobs, or whole DLQs: a canary first, at a stated pace, and all of it in the audit trail."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Final, TypeAlias

from tidemill.domain.errors import NothingMatchedError
from tidemill.domain.job import Job
from tidemill.domain.ports import Clock, DeadLetterQueue, JobReader
from tidemill.service.auditing import Auditor, Tally
from tidemill.service.canary import DEFAULT_WAIT, Canary, CanaryEnded
from tidemill.service.dead_filter import Filter, every_dead_job
from tidemill.service.manner import RESUME, Manner
from tidemill.service.pacing import Pace
from tidemill.service.redriving import NotRedriven, Redriven, Redriving, Terms
from tidemill.service.refusal import is_refusal

# A person or a program looks at so many messages of one DLQ at the most: what one walk through a queue meets.
SEARCH: Final = 10_000


@dataclass(frozen=True, slots=True)
class Care:
    """How carefully many jobs are redriven.

    Arguments:
        rate: jobs a second at the most; None for as fast as it goes.
        canary: so many first; the others follow if all of those end and none dies again.
        canary_wait: how long the canary may take.
    """

    rate: float | None = None
    canary: int = 0
    canary_wait: timedelta = DEFAULT_WAIT


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
        tenant, parts = (None, {}) if chosen is None else (chosen.tenant, chosen.parts())
        with self.audit.action("redrive", tenant, parts, str(manner)) as tally:
            tally.add("asked", count=len(jobs))
            birds = _birds(jobs, care)
            yield from self._flock(birds, manner, care, terms, tally)
            if tally.stopped is None:
                gone = {job.ref for job in birds}
                others = [job for job in jobs if job.ref not in gone]
                yield from self._told(others, manner, terms, tally)
            if tally.stopped is None and not terms.has_time():
                tally.stopped = "no_time"

    def lanes(self, lanes: Sequence[str], care: Care) -> Iterator[Event]:
        """See DeadLetterDesk.redrive_lanes."""
        depths = {lane: self._depth(lane) for lane in lanes}
        if not any(depths.values()):
            raise NothingMatchedError("message", f"the DLQs of {', '.join(lanes)}")
        with self.audit.action("redrive", None, {"lanes": ", ".join(lanes)}, str(RESUME)) as tally:
            tally.add("asked", count=sum(depths.values()))
            pace = Pace(care.rate, self.clock, self.sleep)
            for lane, depth in depths.items():
                if care.canary and depth and tally.stopped is None:
                    dead = every_dead_job(self.reader, Filter(lane=lane), self.clock.now_ms())
                    birds = list(islice((job for job in dead if not is_refusal(job)), care.canary))
                    yield from self._flock(birds, RESUME, care, Terms(SEARCH, pace), tally)
                if depth and tally.stopped is None:
                    yield from self._move(lane, depth, pace, tally)

    def _flock(
        self, birds: Sequence[Job], manner: Manner, care: Care, terms: Terms, tally: Tally
    ) -> Iterator[JobEvent]:
        """Redrive the canary, and stop the action if it does not pass."""
        if not birds:
            return
        flown = []
        for result in self._told(birds, manner, terms, tally):
            flown += [job for job in birds if isinstance(result, Redriven) and job.ref == result.ref]
            yield result
        ended = Canary(self.reader, self.clock, self.sleep, care.canary_wait).watch(flown)
        if not ended.passed:
            tally.stopped = "canary"
        yield ended

    def _told(
        self, jobs: Sequence[Job], manner: Manner, terms: Terms, tally: Tally
    ) -> Iterator[Redriven | NotRedriven]:
        for result in self.redriving.many(jobs, manner, terms):
            tally.add("redriven" if isinstance(result, Redriven) else "failed", result.ref)
            yield result

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

    def _depth(self, lane: str) -> int:
        # The count of SQS lags behind; a look does not.
        return self.dead_letters.depth(lane) or len(self.dead_letters.peek(lane, 1))


def _birds(jobs: Sequence[Job], care: Care) -> list[Job]:
    # A refused message becomes a job of its own, which nobody could watch.
    return list(islice((job for job in jobs if not is_refusal(job)), care.canary))
