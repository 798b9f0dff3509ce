"""Reading one job: its record, result, arguments and failures."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from tidemill.domain.errors import JobNotFoundError, JobStateError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.payload import Stored
from tidemill.domain.ports import AttemptFailure, Clock, JobReader, JobStore
from tidemill.service.submission import DEFAULT_TENANT
from tidemill.service.submitter import Submitter


@dataclass(frozen=True, slots=True)
class JobLookup:
    """Reads the jobs of one stack."""

    submitter: Submitter
    store: JobStore
    reader: JobReader
    clock: Clock

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
