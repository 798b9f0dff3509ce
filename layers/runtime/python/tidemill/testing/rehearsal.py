"""The attempts of one job whose function a test calls itself: the engine around it, without a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.answer_errors import AnsweredError, AnswerLateError
from tidemill.domain.answers import checked_answer
from tidemill.domain.args import JobArgs
from tidemill.domain.conclusion import asked_to_stop
from tidemill.domain.context import JobContext
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.event import Event
from tidemill.domain.fact import data_of
from tidemill.domain.ids import caused_id
from tidemill.domain.interrupt import Awaiting
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lane import DEFAULT_LANES, Lane
from tidemill.domain.message import Delivery, Held
from tidemill.domain.outbox import Outbound
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.domain.waiting import Given, Question, Wait
from tidemill.service.claiming import Claimed
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.lifeline import AttemptLifeline
from tidemill.service.performing import Performer
from tidemill.service.reception import Enveloped
from tidemill.service.running import RunningJob
from tidemill.service.surroundings import Surroundings
from tidemill.service.untold import Untold
from tidemill.testing.clock import VirtualClock
from tidemill.testing.inline import InlineInterrupter
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.observing import Calls, Moment, Observed
from tidemill.testing.order import MemoryOrder
from tidemill.testing.store import MemoryStore
from tidemill.testing.telemetry import MemoryTelemetry
from tidemill.testing.waits import API_URL, MemoryWaits

NOTHING: Final = b"{}"
HELD: Final = Held("00000000-0000-7000-8000-000000000001", 0)


class _Lasting(InlineInterrupter):
    """Stays open: the job's function is called after the engine thinks that it has returned."""

    def close(self) -> None:
        """See InlineInterrupter."""


class NoArgs(JobArgs, kind="testing.context"):
    """The function is called by the test itself, with its own arguments."""


@dataclass
class _Unchecked:
    """Takes what a job would tell, of any type and kind: no registry is here that would list them."""

    job: Job
    outbounds: tuple[Outbound, ...] = ()
    _number: int = 0

    def publish(self, event: Event, subject: str | None, sequence: int | None) -> str:  # noqa: ARG002 - nobody hears it
        """See JobContext."""
        data_of(event)
        return self._id("fact")

    def submit(self, args: JobArgs, options: Mapping[str, Any]) -> str:  # noqa: ARG002 - nothing is sent
        """See JobContext."""
        args.canonical()
        return self._id("job")

    def _id(self, what: str) -> str:
        self._number += 1
        return caused_id(self.job.ref.id, self.job.generation, f"{what}/{self._number}")


@dataclass
class Rehearsal:
    """What the attempts of one job share."""

    definition: AnyDefinition
    clock: VirtualClock
    code: str
    entity: str | None
    sequence: int | None
    scheduled_at: int | None
    store: MemoryStore = field(default_factory=MemoryStore)
    memory: MemoryOfJobs = field(default_factory=MemoryOfJobs)
    calls: Calls = field(default_factory=Calls)
    waits: MemoryWaits = field(init=False)

    _lifeline: AttemptLifeline | None = None

    def __post_init__(self) -> None:
        self.waits = MemoryWaits(self.store)

    def answer(self, ref: JobRef, name: str, value: object) -> None:
        """Somebody gives an answer, as `JobClient.answer` does.

        Raises:
            InputError: the job declares no such answer, or it does not fit.
            AnsweredError, AnswerLateError: it has another, or gave up.
        """
        checked, text = checked_answer(self.definition.kind, self.definition.answers, name, value)
        before, now_ms = self.waits.wait_of(ref, checked), self.clock.now_ms()
        if before is not None and before.given is not None:
            given = before.given
            if given.value == text:
                return
            raise AnsweredError(ref.id, checked, given.by, given.at, given.means)
        if before is not None and (before.timed_out_at is not None or before.is_late(now_ms)):
            raise AnswerLateError(ref.id, checked, "its time is over", before.ends_at)
        job = self.store.jobs[ref]
        wait = before or Wait(checked, job.generation)
        self.waits.answer(job, before, wait.answered(Given(text, "tester", "client", now_ms)), now_ms, job.ttl_s)

    def ask_cancel(self, ref: JobRef) -> None:
        """The record says it, and the attempt has heard it."""
        self.store.jobs[ref] = asked_to_stop(self.store.jobs[ref])
        if self._lifeline is not None:
            self._lifeline.job = asked_to_stop(self._lifeline.job)

    def cut(self) -> None:
        """End the hold of the last attempt on the job."""
        if self._lifeline is not None:
            self._lifeline.cut()

    def attempt(self, job: Job) -> JobContext:
        """Begin one, as a worker does that has claimed the job."""
        deadline = self.clock.now_ms() + milliseconds(self.definition.timeout + limits.FUNCTION_OVERHEAD)
        job = replace(job, claimable_at=deadline + milliseconds(limits.CLOCK_SKEW))
        self.store.jobs[job.ref] = job
        made: list[JobContext] = []
        started: list[RunningJob] = []

        def begin(running: RunningJob) -> bool:
            started.append(running)
            return True

        caught = replace(
            self.definition,
            args_type=NoArgs,
            function=lambda _, context: made.append(context),
            on_dead=None,
            schedule=None,
            webhook=None,
        )
        around = Surroundings(
            JobRegistry(caught, lanes=self._lanes),
            self.store,
            self.memory,
            MemoryPayloads(),
            self.clock,
            MemoryTelemetry(self.clock.now_ms),
            lambda _receipt, _seconds: None,
            EventLoopThread(),
            self.code,
            _Lasting,
            order=MemoryOrder(),
            waits=self.waits,
            api_url=API_URL,
        )
        Performer(around, deadline).perform(Claimed(self._received(job), job), begin)
        attempt = _Attempt(self.clock, started[0])
        self._lifeline = started[0].lifeline
        self._lifeline.untold = Untold(lambda: _Unchecked(job))
        self.clock.wake(attempt)
        return replace(made[0], kind=self.definition.kind, lifeline=_Rehearsed(made[0].lifeline, self.calls, attempt))

    @property
    def _lanes(self) -> Sequence[Lane]:
        known = [lane for lane in DEFAULT_LANES if lane.name != self.definition.lane]
        return (*known, Lane(self.definition.lane))

    def _received(self, job: Job) -> Enveloped:
        envelope = Envelope(
            send_id=HELD.send_id,
            ref=job.ref,
            kind=NoArgs.job_kind,
            args=NOTHING,
            fingerprint=job.fingerprint,
            submitted_at=job.created_at,
            correlation_id=job.ref.id,
            generation=job.generation,
            entity=self.entity,
            sequence=self.sequence,
            scheduled_at=self.scheduled_at,
        )
        return Enveloped(Delivery("message", "receipt", "", job.created_at, job.attempt), envelope)


@dataclass
class _Rehearsed(Observed):
    """An attempt that ends where it waits: no timeout comes after that."""

    watcher: _Attempt

    def wait_for(self, question: Question) -> Any:
        """See JobContext."""
        try:
            return super().wait_for(question)
        except Awaiting:
            self.watcher.is_over = True
            raise


@dataclass
class _Attempt:
    """See Watcher and Alarm: raises what is due in the job, and never ends it otherwise."""

    clock: VirtualClock
    running: RunningJob
    is_over: bool = False

    def glance(self) -> None:
        self.ring()

    def at_step(self, name: str, moment: Moment) -> None: ...

    def at_cursor(self, cursor: object) -> None: ...

    def next_at(self) -> int | None:
        return None if self.is_over else self.running.tend(self.clock.now_ms())

    def ring(self) -> None:
        if self.is_over:
            return
        self.running.tend(self.clock.now_ms())
        if isinstance(self.running.interrupter, InlineInterrupter):
            self.running.interrupter.deliver()
