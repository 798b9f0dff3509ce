"""The Python client: submit, look up, list, cancel."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Unpack

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.conclusion import cancelled
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, TidemillError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb, allows
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.ports import AttemptFailure, Clock, JobReader, JobStore, Refused, Unwritten, Written
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

    def submit(self, args: JobArgs, **options: Unpack[Options]) -> Receipt:
        """Accept one job. Once this returns, the job survives the crash of anything.

        Options are those of `Submission`: key, tenant, lane, delay, expires_in, job_id,
        correlation_id, causation_id, traceparent, hops.

        Raises:
            InputError: a field is bad; nothing was written.
            KeyConflictError: the key belongs to a job with other arguments.
            JobFinalError: the key's job is over and its kind refuses a rerun.
            UnavailableError: AWS did not answer; the same call with the same key is safe.
        """
        result = self.submitter.submit([Submission(args, **options)])[0]
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
        answers = iter(self.submitter.submit(good) if good else ())
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
        """
        job = self.get(job_id, tenant)
        if job.state is not State.SUCCEEDED:
            raise JobStateError("asked for a result", job_id, job.state, "wait until it has succeeded")
        text = self.reader.result_of(job)
        return None if text is None else json.loads(text)

    def failures(self, job_id: str, tenant: str = DEFAULT_TENANT) -> list[AttemptFailure]:
        """The evidence of the job's failed attempts, oldest first.

        Raises:
            JobNotFoundError: there is no such job, or its retention is over.
        """
        return self.reader.failures_of(self.get(job_id, tenant).ref)

    def cancel(self, job_id: str, tenant: str = DEFAULT_TENANT) -> Job:
        """Cancel a job that waits; it never runs then. Cancelling a cancelled job changes nothing.

        Raises:
            JobNotFoundError: there is no such job, or its retention is over.
            JobStateError: it runs, or is over.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        job = self.get(job_id, tenant)
        for _ in range(_CANCEL_TRIES):
            if job.state is State.CANCELLED:
                return job
            if not allows(Verb.CANCEL, job.state):
                raise JobStateError("cancelled", job_id, job.state, _cancel_fix(job.state))
            now_ms = self.clock.now_ms()
            answer = self.store.move(Verb.CANCEL, job, cancelled(job, now_ms, now_ms + self._keep(job)))
            match answer:
                case Written(job=done):
                    return done
                case Unwritten(error=error):
                    raise error
                case Refused(job=Job() as current):
                    job = current
                case Refused():
                    raise JobNotFoundError(tenant, job_id)
        raise UnavailableError("cancel", "the job kept changing")

    def _keep(self, job: Job) -> int:
        try:
            return milliseconds(self.submitter.registry.resolve(job.kind).retention.result)
        except InputError:
            return milliseconds(Retention().result)


def _no_submission(index: int, job: object) -> InputError:
    return InputError.at(f"jobs[{index}]", f"must be a Submission, not {type(job).__name__}", "type")


def _cancel_fix(state: State) -> str:
    return "wait for it to end" if state is State.RUNNING else "nothing is left to cancel"
