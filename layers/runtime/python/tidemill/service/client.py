"""The Python client: submit, look up, move, cancel."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Unpack

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.conclusion import asked_to_stop, cancelled, killed
from tidemill.domain.definition import Retention
from tidemill.domain.due import check_delay, due_at
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, TidemillError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.payload import Stored
from tidemill.domain.ports import AttemptFailure, Clock, JobReader, JobStore, Refused, Unwritten, Written
from tidemill.service.answering import Answered, Answerer, Reply
from tidemill.service.causing import caused
from tidemill.service.moving import Mover
from tidemill.service.reviving import Reviver
from tidemill.service.submission import DEFAULT_TENANT, Options, Submission
from tidemill.service.submitter import Receipt, SubmitResult, Submitter

# Each refusal means that the job moved in between; a job moves a few times in its life.
_CANCEL_TRIES = 5


@dataclass(frozen=True, slots=True)
class JobClient:
    """Submits and looks after jobs of one stack. Safe for threads. `connect` builds one."""

    submitter: Submitter
    store: JobStore
    reader: JobReader
    clock: Clock
    answerer: Answerer = field(kw_only=True)

    def submit(self, args: JobArgs, **options: Unpack[Options]) -> Receipt:
        """Accept one job. Once this returns, the job survives the crash of anything.

        Options are those of `Submission`: key, tenant, lane, delay or run_at, durable_args, expires_in, job_id,
        correlation_id, causation_id, traceparent, hops, and entity and sequence for a FIFO lane.

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
        return [next(answers) if isinstance(job, Submission) else _no_submission(i, job) for i, job in enumerate(jobs)]

    def get(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Job:
        """The job's record, as of now.

        Raises:
            InputError: the id or the tenant is ill-formed.
            JobNotFoundError: there is no such job, or its retention is over.
        """
        job = self.reader.find([JobRef(check_tenant(tenant), check_job_id(job_id))])[0]
        if job is None or job.is_gone(self.clock.now_ms()):
            raise JobNotFoundError(tenant, job_id)
        return job

    def result(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Any:
        """What a succeeded job returned, parsed from JSON.

        Raises:
            JobNotFoundError: there is no such job, or its retention is over.
            JobStateError: it has not succeeded (yet).
            PayloadGoneError: it was large, and somebody deleted it.
            IntegrityError: it was large, and is not what the job returned.
        """
        job = self.get(job_id, tenant)
        if job.state is not State.SUCCEEDED:
            raise JobStateError("asked for a result", job_id, job.state, "wait until it has succeeded")
        text = self.result_text(job)
        return None if text is None else json.loads(text)

    def result_text(self, job: Job) -> str | None:
        """What a job that has succeeded returned, as JSON text, wherever it is stored; None for None.

        Raises:
            PayloadGoneError, IntegrityError: see `result`.
        """
        found = self.reader.result_of(job)
        return self.submitter.payloads.get(job.ref, found).decode() if isinstance(found, Stored) else found

    def args_text(self, job: Job) -> str | None:
        """The arguments of `job` as JSON text; None where only its message has them.

        The table has those of a job that waits there or is dead.

        Raises:
            PayloadGoneError, IntegrityError: they are large, and somebody deleted or changed them.
        """
        envelope = self.reader.envelope_of(job) if job.owns_args else None
        if envelope is None:
            return None
        stored = envelope.stored
        data = envelope.args if stored is None else self.submitter.payloads.get(job.ref, stored)
        return data.decode()

    def failures(self, job_id: str, tenant: str = DEFAULT_TENANT) -> list[AttemptFailure]:
        """The evidence of the job's failed attempts, oldest first.

        Raises:
            JobNotFoundError: there is no such job, or its retention is over.
        """
        return self.reader.failures_of(self.get(job_id, tenant).ref)

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

        Arguments:
            to: a datetime with a time zone, up to 365 days ahead; 30 s ago or less is now.
            delay: from now, 0 s (at once) to 365 days. One of the two is given.

        Raises:
            InputError: the time is bad, past the job's own expiry, or its lane keeps an order; nothing was written.
            JobNotFoundError: there is no such job, or its retention is over.
            JobStateError: it runs, waits for a retry or is over; or it can't be moved to an earlier time.
            IntegrityError, PayloadGoneError: its arguments are not where the table says.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        due_ms, field = self._due(to, delay)
        return self._mover.move(self.get(job_id, tenant), due_ms, field)

    def _due(self, to: datetime | None, delay: timedelta | None) -> tuple[int, str]:
        if (to is None) == (delay is None):
            raise InputError.at("to", "or `delay` says the new time; give one of the two", "missing")
        now_ms = self.clock.now_ms()
        if delay is not None:
            return now_ms + milliseconds(check_delay(delay, "delay")), "delay"
        return due_at(to, now_ms, "to"), "to"

    @property
    def _mover(self) -> Mover:
        port = self.submitter
        reviver = Reviver(self.store, self.reader, port.queue, self.clock, port.random)
        return Mover(self.store, port.queue, port.payloads, reviver, self.clock)

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
            JobStateError: it is over, and not as cancelled.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        return self._end(job_id, tenant, self._cancelled)

    def answer(
        self, job_id: str, name: str, value: object, *, tenant: str = DEFAULT_TENANT, by: str | None = None
    ) -> Answered:
        """Answer what a job waits for with `ctx.wait_for`, or will: then it is kept until the job asks.

        A job that waits is due at once. Once this returns, the job uses the answer or is over. The same answer again
        changes nothing, and says who gave it first.

        Arguments:
            name: what the job's kind declares in `answers`. `value`: of the declared type, at most 16,384 bytes.
            by: who decided, at most 128 printable ASCII characters; by default your ARN, which stands in the audit
                trail in any case.

        Raises:
            InputError: the kind takes no such answer, or `value` does not fit; nothing was written.
            JobNotFoundError: there is no such job, or its retention is over.
            AnsweredError: it has another answer, which stands.
            AnswerLateError: nobody answered in time, and the job went on without.
            JobStateError: the job is over.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        ref = JobRef(check_tenant(tenant), check_job_id(job_id))
        return self.answerer.answer(Reply(ref, name, value, "client", self.answerer.actor(), by))

    def kill(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Job:
        """End a job without asking it. A job that waits is cancelled.

        One that runs is over at once, with no time to clean up: neither its result nor a failure is recorded any more.
        Its code may go on until it looks, or until its timeout, and it looks at most every five seconds. Effects that
        it begins until then happen; those that are steps are remembered, so that the memory says what is left.

        Raises:
            JobNotFoundError, JobStateError, UnavailableError: as `cancel`.
        """
        return self._end(job_id, tenant, self._killed)

    def _end(self, job_id: str, tenant: str, ended: Callable[[Job], tuple[Verb, Job]]) -> Job:
        job = self.get(job_id, tenant)
        for _ in range(_CANCEL_TRIES):
            if job.state is State.CANCELLED:
                return job
            if job.state.is_final:
                raise JobStateError("cancelled", job_id, job.state, "nothing is left to cancel")
            verb, after = ended(job)
            if after == job:
                return job
            answer = self.store.move(verb, job, after)
            if isinstance(answer, Written):
                return answer.job
            job = _standing(answer, tenant, job_id)
        raise UnavailableError("cancel", "the job kept changing")

    def _cancelled(self, job: Job) -> tuple[Verb, Job]:
        if job.state is State.RUNNING:
            return Verb.ASK_CANCEL, asked_to_stop(job)
        now_ms = self.clock.now_ms()
        return Verb.CANCEL, cancelled(job, now_ms, now_ms + self._keep(job))

    def _killed(self, job: Job) -> tuple[Verb, Job]:
        if job.state is not State.RUNNING:
            return self._cancelled(job)
        now_ms = self.clock.now_ms()
        return Verb.KILL, killed(job, now_ms, now_ms + self._keep(job))

    def _keep(self, job: Job) -> int:
        try:
            return milliseconds(self.submitter.registry.resolve(job.kind).retention.result)
        except InputError:
            return milliseconds(Retention().result)


def _no_submission(index: int, job: object) -> InputError:
    return InputError.at(f"jobs[{index}]", f"must be a Submission, not {type(job).__name__}", "type")


def _standing(answer: Refused | Unwritten, tenant: str, job_id: str) -> Job:
    """The record that stood in the way."""
    if isinstance(answer, Unwritten):
        raise answer.error
    if answer.job is None:
        raise JobNotFoundError(tenant, job_id)
    return answer.job
