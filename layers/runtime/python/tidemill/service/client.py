"""The Python client: submit, look up, move, cancel."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Unpack

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.due import check_delay, new_due
from tidemill.domain.errors import InputError, JobNotFoundError, TidemillError, UnavailableError
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.ports import BatchStore, Page
from tidemill.domain.reply_errors import UnansweredError
from tidemill.service.answering import Answered, Answerer, Reply
from tidemill.service.batch_desk import BatchDesk
from tidemill.service.causing import caused
from tidemill.service.flow import Flow
from tidemill.service.listing import Listing, Query
from tidemill.service.moving import Mover
from tidemill.service.polling import RUN_WAIT, Polling
from tidemill.service.replying import Replies
from tidemill.service.reviving import Reviver
from tidemill.service.schedules import Schedules
from tidemill.service.starting import Started
from tidemill.service.submission import DEFAULT_TENANT, Options, Submission
from tidemill.service.submitter import Receipt, SubmitResult, no_submission
from tidemill.service.transacting import TransactingClient
from tidemill.service.withdrawing import Withdrawal

if TYPE_CHECKING:
    from tidemill.domain.ports.webhooks import Endpoints
    from tidemill.service.errands import Errands
    from tidemill.service.webhooks import WebhookDesk


@dataclass(frozen=True, slots=True)
class JobClient(TransactingClient):
    """Submits and looks after jobs of one stack. Safe for threads. `connect` builds one.

    Attributes:
        schedules: makes, changes and looks after schedules.
    """

    answerer: Answerer = field(kw_only=True)
    batch_store: BatchStore = field(kw_only=True)
    schedules: Schedules = field(kw_only=True)
    errands: Errands | None = field(default=None, kw_only=True)
    endpoints: Endpoints | None = field(default=None, kw_only=True)

    @property
    def batches(self) -> BatchDesk:
        """Looks after batches."""
        return BatchDesk(self.batch_store, self.submitter, self.reader, self.cancel, self.result_text)

    @property
    def webhooks(self) -> WebhookDesk:
        """Looks after the endpoints of webhooks.

        Raises:
            InputError: this client is one without them.
        """
        from tidemill.service.auditing import Auditor
        from tidemill.service.webhooks import WebhookDesk

        if self.endpoints is None:
            raise InputError.at("webhooks", "this client has no endpoints. Fix: connect(...) makes one that has")
        auditor = Auditor(self.answerer.trail, self.clock, self.submitter.random, self.answerer.actor)
        return WebhookDesk(self.submitter.registry, self.endpoints, self.submitter, auditor, self.clock)

    def start(self, flow: Flow, *, key: str | None = None, tenant: str = DEFAULT_TENANT) -> Started:
        """Accept a Batch, Chain or Graph of `tidemill.batches`, with all that is in it: see `BatchDesk.start`."""
        return self.batches.start(flow, key=key, tenant=tenant)

    def submit(self, args: JobArgs, **options: Unpack[Options]) -> Receipt:
        """Accept one job. Once this returns, the job survives the crash of anything.

        Options are those of `Submission`: key, tenant, lane, delay or run_at, durable_args, expires_in, job_id,
        correlation_id, causation_id, traceparent, hops, webhook, and entity and sequence for a FIFO lane.

        Raises:
            InputError: a field is bad; nothing was written.
            KeyConflictError: the key belongs to a job with other arguments.
            JobFinalError: the key's job is over and its kind refuses a rerun.
            UnavailableError: AWS did not answer; the same call with the same key is safe.
        """
        result = self.submitter.submit(caused([Submission(args, **options)]))[0]
        if isinstance(result, TidemillError):
            raise result
        return result

    def run(
        self,
        args: JobArgs,
        *,
        wait: timedelta = RUN_WAIT,
        sleep: Callable[[float], object] = time.sleep,
        **options: Unpack[Options],
    ) -> Any:
        """Submit a job, wait until it is over, and return its result.

        The result has the type that the job's function says it returns, if this registry has the function and its
        annotation is one that pydantic reads; else it is plain JSON. Nothing is held open meanwhile: the record is read
        at growing intervals (see Polling), about 20 times in 30 s, at one read unit each.

        Arguments:
            wait: how long at the most, 0 s to 365 days.
            sleep: lets so many seconds go by.
            options: those of `submit`. Without a key or a job_id the job has an id that is chosen here.

        Raises:
            InputError, KeyConflictError, JobFinalError: as `submit`; nothing was written.
            JobFailedError: the job is dead, cancelled or expired; to wait again changes nothing.
            JobUnfinishedError: it had not ended in time, and goes on.
            UnansweredError: AWS did not answer. Repeat the call with the error's job_id (or the same key).
            PayloadGoneError, IntegrityError: it succeeded, and its result is gone or of another type.
        """
        wait = check_delay(wait, "wait")
        tenant = options.get("tenant", DEFAULT_TENANT)
        if options.get("key") is None and options.get("job_id") is None:
            options["job_id"] = time_ordered_id(self.clock.now_ms(), self.submitter.random.getrandbits(74))
        job_id = options.get("job_id")
        try:
            job_id = self.submit(args, **options).job_id
            polling = Polling(self.reader, self.clock, self.submitter.random, sleep)
            replies = Replies(self.reader, self.submitter.registry, polling, self.result_text)
            return replies.of(JobRef(tenant, job_id), wait)
        except UnavailableError as error:
            raise UnansweredError(error, job_id or keyed_job_id(tenant, args.job_kind, str(options["key"]))) from error

    def wait_for(
        self,
        job_id: str,
        wait: timedelta,
        tenant: str = DEFAULT_TENANT,
        sleep: Callable[[float], object] = time.sleep,
    ) -> Job:
        """The job's record as soon as it is over, or as it is when `wait` is over.

        Arguments:
            wait: 0 s to 365 days. `sleep`: lets so many seconds go by.

        Raises:
            InputError: the id, the tenant or the wait is bad.
            JobNotFoundError: there is no such job, or its retention is over.
            UnavailableError: AWS did not answer the last read.
        """
        ref = JobRef(check_tenant(tenant), check_job_id(job_id))
        polling = Polling(self.reader, self.clock, self.submitter.random, sleep)
        job = polling.until_final(ref, check_delay(wait, "wait"))
        if job is None or job.is_gone(self.clock.now_ms()):
            raise JobNotFoundError(tenant, job_id)
        return job

    def submit_many(self, submissions: Iterable[Submission]) -> list[SubmitResult]:
        """Accept up to 10,000 jobs: a Receipt or an error for each, in the order given.

        What is no Submission is answered with an InputError that names `jobs[<index>]`.

        Raises:
            InputError: there are none, or more than 10,000; nothing was written.
        """
        jobs: list[object] = list(submissions)
        if not 1 <= len(jobs) <= limits.MAX_BULK_JOBS:
            problem = f"must hold 1 to {limits.MAX_BULK_JOBS} jobs, not {len(jobs)}"
            raise InputError.at("jobs", problem, "length")
        good = [job for job in jobs if isinstance(job, Submission)]
        answers = iter(self.submitter.submit(caused(good)) if good else ())
        return [next(answers) if isinstance(job, Submission) else no_submission(i, job) for i, job in enumerate(jobs)]

    def move(
        self,
        job_id: str,
        *,
        to: datetime | None = None,
        delay: timedelta | None = None,
        tenant: str = DEFAULT_TENANT,
    ) -> Job:
        """Let a job that waits start at another time, later or earlier, and never at its old one.

        A job that is `scheduled` can be moved to any time: one with a delay over 15 minutes, or a parked retry. So can
        a `queued` one that was submitted with durable_args. Of any other queued job only its queue has the arguments,
        so that it can be moved to a later time alone; its message finds the new time when it comes.

        Moving is one conditional write; to a later time, the stored arguments are read once and kept longer before
        (a read, and a write unit a kilobyte). What is due within two minutes is sent at once: one message, one write.
        Moving it to the time that it has changes nothing.

        `to` is a datetime with a time zone, up to 365 days ahead (30 s ago or less is now), or `delay` counts from now.

        Raises:
            InputError: the time is bad, past the job's own expiry, or its lane keeps an order; nothing was written.
            JobNotFoundError: there is no such job, or its retention is over.
            JobStateError: it runs, waits for a retry or is over; or it can't be moved to an earlier time.
            IntegrityError, PayloadGoneError: its arguments are not where the table says.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        due_ms, field = new_due(to, delay, self.clock.now_ms())
        return self.move_to(JobRef(tenant, job_id), due_ms, field)

    def move_to(self, ref: JobRef, due_ms: int, field: str) -> Job:
        """As `move`, to a time in Unix milliseconds that the caller calls `field`."""
        return self.mover.move(self._recorded(ref.id, ref.tenant), due_ms, field)

    @property
    def mover(self) -> Mover:
        """Moves jobs to a time in Unix milliseconds."""
        port = self.submitter
        reviver = Reviver(self.store, self.reader, port.queue, self.clock, port.random)
        return Mover(self.store, port.queue, port.payloads, reviver, self.clock)

    @property
    def _withdrawal(self) -> Withdrawal:
        return Withdrawal(self.store, self.submitter.registry, self.clock)

    def scheduled(self, tenant: str = DEFAULT_TENANT, *, limit: int = 50, cursor: str | None = None) -> Page:
        """The tenant's jobs that the table sends when they are due: `claimable_at` is that time, Unix milliseconds.

        The earliest come first in each of the index's eight parts, one part after the other. A delay of up to 15
        minutes waits in its queue, which can't be listed. `limit`: jobs a page, 1 to 100.

        Raises:
            InputError, UnavailableError: an argument is bad; AWS did not answer.
        """
        query = Query(tenant=tenant, state=State.SCHEDULED, limit=limit, cursor=cursor)
        return Listing(self.reader, self.clock, list_index=False).jobs(query)

    def cancel(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Job:
        """Cancel a job that waits, and ask one that runs to stop. The answer says which of the two it was.

        A job that waited answers as `cancelled`: it does not run again, and what earlier attempts did is left as it
        is. One that runs answers as `running` with `cancel_asked`: `JobCancelled` is raised in it at its next new
        step, checkpoint, heartbeat or progress, so that it can clean up, and it ends as cancelled; if it never looks,
        or ends before it does, it ends as it would have, but waits for no other attempt. If its worker dies, it runs
        again to clean up, provided that it had used its memory (a step, a step key or the cursor). Either way jobs
        that it submitted before live on: they are jobs of their own. Cancelling twice changes nothing.

        Raises:
            JobNotFoundError: there is no such job, or its retention is over.
            JobStateError: it is over, and not as cancelled; or its saga can't do without it.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        return self._end(job_id, tenant, self._withdrawal.cancel)

    def answer(
        self, job_id: str, name: str, value: object, *, tenant: str = DEFAULT_TENANT, by: str | None = None
    ) -> Answered:
        """Answer what a job waits for with `ctx.wait_for`, or will. Guarantees and errors are `Answerer.answer`'s.

        `name` is declared by the kind, `value` of its type. `by` (128 printable ASCII characters): by default your ARN.
        """
        ref, who = JobRef(check_tenant(tenant), check_job_id(job_id)), self.answerer.actor()
        return self.answerer.answer(Reply(ref, name, value, "client", who, by))

    def kill(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Job:
        """End a job without asking it. A job that waits is cancelled.

        One that runs is over at once, with no time to clean up: neither its result nor a failure is recorded any more.
        Its code may go on until it looks, or until its timeout, and it looks at most every five seconds. Effects that
        it begins until then happen; those that are steps are remembered, so that the memory says what is left.

        Raises:
            JobNotFoundError, JobStateError, UnavailableError: as `cancel`.
        """
        return self._end(job_id, tenant, self._withdrawal.kill)

    def _end(self, job_id: str, tenant: str, end: Callable[[Job], Job]) -> Job:
        job = self._recorded(job_id, tenant)
        # Whatever belongs to a saga has one.
        if self.errands is None or job.correlation_id is None:
            return end(job)
        self.errands.check_dispensable(job)
        job = end(job)
        if job.state.is_final:
            # The message of one that waited in the table never comes. Where this fails, its state's timeout is left.
            self.errands.tell([job])
        return job
