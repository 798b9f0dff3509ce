"""The reply to whoever submitted a job and waits for it: its result, or why there is none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidemill.domain.errors import InputError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import JobReader
from tidemill.domain.registry import JobRegistry
from tidemill.domain.reply_errors import JobFailedError, JobUnfinishedError
from tidemill.domain.result import decode_result
from tidemill.service.polling import Polling


@dataclass(frozen=True, slots=True)
class Replies:
    """Waits for jobs and says how they ended.

    Arguments:
        result_text: what a job that has succeeded returned, as JSON text.
    """

    reader: JobReader
    registry: JobRegistry
    polling: Polling
    result_text: Callable[[Job], str | None]

    def of(self, ref: JobRef, wait: timedelta) -> Any:
        """What the job returned, as its function says, or as plain JSON.

        Raises:
            JobFailedError: it is dead, cancelled or expired.
            JobUnfinishedError: it goes on when `wait` is over.
            PayloadGoneError, IntegrityError: it succeeded, and its result is gone or of another type.
            UnavailableError: AWS did not answer.
        """
        job = self.polling.until_final(ref, wait)
        if job is None or not job.state.is_final:
            # A record that is not there yet is its worker's to write.
            raise JobUnfinishedError(ref.id, State.QUEUED if job is None else job.state)
        if job.state is not State.SUCCEEDED:
            raise self.failure_of(job)
        return self._decoded(job, self.result_text(job))

    def failure_of(self, job: Job) -> JobFailedError:
        """Why there is no result of a job that is over.

        Raises:
            UnavailableError: AWS did not answer.
        """
        found = self.reader.failures_of(job.ref)
        return JobFailedError(job.ref.id, job.state, job.reason, found[-1].failure if found else None)

    def _decoded(self, job: Job, text: str | None) -> Any:
        try:
            function = self.registry.resolve(job.kind).function
        except InputError:
            # Submitted under a kind that this registry knows no more.
            return decode_result(text, None)
        return decode_result(text, function)
