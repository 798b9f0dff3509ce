"""A whole Tidemill in one process, for tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from types import TracebackType
from typing import Any, Self, Unpack, overload

from tidemill.domain.args import JobArgs
from tidemill.domain.duration import days, milliseconds
from tidemill.domain.job import Job, JobRef
from tidemill.domain.ports import AttemptFailure
from tidemill.domain.registry import JobRegistry
from tidemill.service.submission import Options
from tidemill.testing.clock import VirtualClock
from tidemill.testing.duties import Duties
from tidemill.testing.faults import Faults, Process
from tidemill.testing.inline import InlineCrew
from tidemill.testing.inline_loop import InlineLoop
from tidemill.testing.naming import JobLike, ref_in, ref_of
from tidemill.testing.observing import Calls
from tidemill.testing.poller import Poller
from tidemill.testing.receiving import Receiver
from tidemill.testing.replays import replay_desk_of
from tidemill.testing.stack import MemoryStack
from tidemill.testing.story import tell
from tidemill.testing.submitted import Ledger, Submitted
from tidemill.testing.tampering import Tampering
from tidemill.testing.telemetry import MemoryTelemetry
from tidemill.testing.ticking import send_tick
from tidemill.testing.watching import Watching, watched


class Harness:
    """The real engine on queues and a table in memory, with a clock that moves only when told to.

        with Harness(registry) as tide:
            receipt = tide.client.submit(Charge(card="good", cents=100))
            tide.drain()
            assert_succeeded(tide, receipt)

    Everything happens in the calling thread, in an order that follows from the seed: no thread, no socket, no sleep.
    A job that takes time says so with `tide.advance(...)`; `asyncio.sleep` takes virtual time by itself.

    Arguments:
        registry: the program's jobs and lanes, as they are deployed.
        seed: of all chance: ids, jitter.
        now: the time at which it begins, by default 2027-01-15 08:00 UTC.
        batch_size: messages that one invocation of a worker gets; by default what the lane says.
        code: the version of the code, as a deployment names it. Assign another to `tide.code` to deploy.

    Attributes:
        client: submits and looks after jobs; hand it to the code that is tested.
        desk: the DLQ desk: look, redrive, edit, purge. `replays`: lets subscribers hear again what was published.
        sagas: starts sagas and looks after them; their machines are interpreted as they would be compiled.
        faults: what is to go wrong. `clock`: the virtual clock, for code that wants to know the time.
        queues: the lanes' queues; `tide.queues.put(lane, text)` sends a plain message, as another system does.
        outbox: `tide.outbox.commit(items)` commits a transaction; the relay works as messages are delivered.
        bus: what was published; see `assert_published`.
        telemetry: metrics and log lines of the engine so far.
        receiver: takes the webhooks: what was sent, and how the next ones are answered.
    """

    def __init__(
        self,
        registry: JobRegistry,
        *,
        seed: int = 1,
        now: datetime | None = None,
        batch_size: int | None = None,
        code: str = "",
    ) -> None:
        self.clock = VirtualClock() if now is None else VirtualClock(int(now.timestamp() * 1000))
        self.faults = Faults()
        self.telemetry = MemoryTelemetry(self.clock.now_ms)
        self._crew = InlineCrew(self.clock)
        self._watching = Watching(self._crew, self.faults)
        self._loop, self._ledger = InlineLoop(self.clock), Ledger()
        self.receiver = Receiver(self.clock)
        self._stack = MemoryStack(
            watched(self.receiver.manned(registry, self.telemetry), self._watching),
            self.clock,
            Random(seed),  # noqa: S311 - chance that repeats
            self.telemetry,
            self._loop,
            self._tampering,
            code,
            endpoints=self.receiver.endpoints,
        )
        self._poller = Poller(self._stack, self.clock, self._crew, self.faults, self._watching.drops, batch_size)
        stack = self._stack
        duties = Duties(stack, stack.janitor(), stack.ticks(), stack.batch_watch(), self._crew, stack.leftovers())
        self.clock.wake(duties, self._crew, self._stack.machines)
        self.client, self.listing = stack.client(), stack.listing()
        self.desk, self.sagas, self.replays = stack.desk(), stack.sagas(), replay_desk_of(stack)
        self.queues, self.outbox, self.bus = stack.queues, stack.outbox, stack.bus

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close; say what happened if the test failed, and fail if a planned fault never happened."""
        self._loop.close()
        if error is not None:
            error.add_note(self.story())
        elif outstanding := self.faults.outstanding:
            raise AssertionError(
                "planned and never happened: "
                + "; ".join(map(str, outstanding))
                + ". Fix: plan only what the test meets, or tide.faults.forget()\n"
                + self.story()
            )

    # --- running ----------------------------------------------------------------------------------

    @overload
    def run_one(self, job: JobArgs, **options: Unpack[Options]) -> Job: ...
    @overload
    def run_one(self, job: JobLike) -> Job: ...
    def run_one(self, job: JobArgs | JobLike, **options: Unpack[Options]) -> Job:
        """Run the next attempt of one job, and nothing else; answers its record after it.

        Arguments:
            job: arguments, which are submitted first with `options` (those of `client.submit`), or a job that is
                submitted already.

        Raises:
            AssertionError: none of its messages can be received now; the message says why.
        """
        ref = self.client.submit(job, **options).job.ref if isinstance(job, JobArgs) else self.ref(job)
        moment = self.clock.now_ms()
        while True:
            if any(self._poller.deliver(lane, lambda body: ref_in(body) == ref) for lane in self._stack.lanes):
                self._check_ways()
                return self.job(ref)
            if not self._poller.wait(moment, self._stack.lanes):
                break
        raise AssertionError(
            f"no message of job {ref} can be received now. Fix: tide.advance(...) until it is due\n{self.story()}"
        )

    def drain(self, lane: str | None = None, *, limit: int = 1_000) -> int:
        """Deliver messages until none can be received within a second; answers how many were delivered.

        A second, because SQS's delays are whole seconds, rounded up.

        Arguments:
            lane: only this one.
            limit: how many at the most.

        Raises:
            AssertionError: there are more: jobs that make jobs, or come back at once, without end.
        """
        lanes = self._stack.lanes if lane is None else (lane,)
        delivered = 0
        moment = self.clock.now_ms()
        while (found := sum(self._poller.poll(name) for name in lanes)) or self._poller.wait(moment, lanes):
            delivered += found
            self._check_ways()
            if delivered > limit:
                raise AssertionError(f"still busy after {limit} deliveries\n{self.story()}")
        return delivered

    def tick(self, schedule: str, at: datetime | None = None) -> JobRef:
        """Let a schedule fire for this minute, or for `at`; answers whose job it is. None fires by itself here."""
        return send_tick(self._stack.registry, self.queues, schedule, at or self.now.replace(second=0))

    def advance(self, span: timedelta) -> None:
        """Let `span` go by without workers: the janitor does what it would have done, nothing is delivered.

        In a job, it is the job that takes so long: its heartbeats go on, and its timeouts are raised here.
        """
        self.clock.advance(span)

    def run_for(self, span: timedelta, *, limit: int = 10_000) -> int:
        """Let `span` go by as in the cloud: every message is delivered when it can be received.

        Answers how many were delivered.

        Raises:
            AssertionError: there are more than `limit`.
        """
        return self._run_until(self.clock.now_ms() + milliseconds(span), limit, stop_when_idle=False)

    def drain_until_idle(self, *, within: timedelta = days(30), limit: int = 10_000) -> int:
        """Jump from one due time to the next until every job is final; answers how many messages were delivered.

        Raises:
            AssertionError: `within` is over or `limit` messages were delivered and some job is not final.
        """
        delivered = self._run_until(self.clock.now_ms() + milliseconds(within), limit, stop_when_idle=True)
        open_jobs = [job for job in self.jobs() if not job.state.is_final]
        if open_jobs:
            raise AssertionError(f"{len(open_jobs)} jobs are not final {within} later\n{self.story()}")
        return delivered

    # --- trouble ----------------------------------------------------------------------------------

    def kill_worker(self) -> None:
        """In a job: the worker ends here and now. Elsewhere: the next one that claims a job ends right after it."""
        if self._crew.stint is not None:
            self._crew.crash("killed by the test")
        self.faults.crash_after("claim", by=Process.WORKER)

    def crash_after_each_step(self) -> None:
        """From now on every job runs again after each step and checkpoint, and after its function returned.

        It then goes on from what it remembers: an effect outside of a step happens once more each time. No attempt is
        counted, so that the outcome is what it would be without.
        """
        self._watching.drops.after = True

    def crash_inside_each_step(self) -> None:
        """From now on every step's function is called twice: the worker ends between the first effect and its record.

        Only a dependency that knows `ctx.step_key(name)` can tell the second call from a new one.
        """
        self._watching.drops.inside = True

    # --- looking ----------------------------------------------------------------------------------

    @property
    def now(self) -> datetime:
        """The virtual time, UTC."""
        return datetime.fromtimestamp(self.clock.now_ms() / 1000, UTC)

    @property
    def code(self) -> str:
        """The version of the code that workers run."""
        return self._stack.code

    @code.setter
    def code(self, code: str) -> None:
        self._stack.code = code

    def ref(self, job: JobLike) -> JobRef:
        """Which job is meant."""
        return ref_of(job)

    def job(self, job: JobLike) -> Job:
        """Its record as of now.

        Raises:
            AssertionError: there is none.
        """
        found = self._stack.store.jobs.get(self.ref(job))
        if found is None:
            raise AssertionError(f"there is no job {self.ref(job)}\n{self.story()}")
        return found

    def jobs(self) -> list[Job]:
        """All records, oldest first."""
        return list(self._stack.store.jobs.values())

    def submitted(self) -> list[Submitted[Any]]:
        """All jobs that were accepted, with their arguments, in the order they were submitted."""
        return self._ledger.submitted(self._stack.store, self._stack.registry, self._stack.payloads)

    def calls(self, job: JobLike) -> Calls:
        """What the job asked of its context, over all attempts."""
        return self._watching.calls.setdefault(self.ref(job), Calls())

    def failures(self, job: JobLike) -> list[AttemptFailure]:
        """The evidence of its failed attempts, oldest first."""
        return self._stack.store.failures_of(self.ref(job))

    def story(self) -> str:
        """Jobs, faults and the end of the log: what a failed test shows."""
        return tell(self.clock.now_ms(), self.jobs(), self.faults, self.telemetry.lines)

    # --- inside -----------------------------------------------------------------------------------

    def _run_until(self, end_ms: int, limit: int, *, stop_when_idle: bool) -> int:
        delivered = 0
        while True:
            delivered += self.drain(limit=limit - delivered)
            stops = (self.clock.next_stop(), self._poller.next_at(self._stack.lanes))
            stop = min((at for at in stops if at is not None), default=None)
            if stop is None and stop_when_idle:
                return delivered
            if self.clock.now_ms() >= end_ms:
                return delivered
            self.clock.move_to(end_ms if stop is None else min(stop, end_ms))

    def _check_ways(self) -> None:
        if self._watching.drops.complaints:
            raise AssertionError(f"{self._watching.drops.complaints[0]}\n{self.story()}")

    def _tampering(self, by: Process) -> Tampering:
        crew = self._crew
        return Tampering(by, self.faults, crew.lives, crew.crash, self._slow, self._freeze, self._ledger.saw)

    def _slow(self, span: timedelta) -> None:
        self._poller.slow(span)

    def _freeze(self, span: timedelta) -> None:
        self._poller.freeze(span, self.run_for)
