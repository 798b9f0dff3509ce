"""Waiting for a submitted job over HTTP: its result in the same answer, if it ends in time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds, seconds
from tidemill.domain.errors import JobNotFoundError, TidemillError, UnavailableError, Violation
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.reply_errors import JobFailedError
from tidemill.entrypoints.http_lookup import LookupDesk, whole_number
from tidemill.entrypoints.http_problems import InvalidQueryError
from tidemill.service.polling import Polling
from tidemill.service.submitter import Receipt

# What the function needs for its answer once the wait is over.
_REST: Final = seconds(2)


class FailedReplyError(TidemillError):
    """The job that a request waited for is over without a result; `job` is its document."""

    def __init__(self, cause: JobFailedError, job: dict[str, Any]) -> None:
        super().__init__(str(cause))
        self.cause = cause
        self.job = job


@dataclass(frozen=True, slots=True)
class ReplyDesk:
    """Waits for one caller."""

    lookup: LookupDesk
    polling: Polling

    def reply(self, receipt: Receipt, wait: timedelta) -> dict[str, Any] | None:
        """The document of the job with its result, or None if that can't be said in time: it is accepted all the same.

        Raises:
            FailedReplyError: it is dead, cancelled or expired.
        """
        try:
            job = self.polling.until_final(receipt.job.ref, wait)
            if job is None or not job.state.is_final:
                return None
            if job.state is State.SUCCEEDED:
                return self.lookup.document(job)
            raise FailedReplyError(_failed(job), self.lookup.document(job, with_failures=True))
        except (UnavailableError, JobNotFoundError):
            return None


def wait_of(asked: dict[str, str], left_ms: int | None) -> timedelta | None:
    """How long a request is to wait; None if it is not to.

    Arguments:
        asked: its query. `left_ms`: how much of the function's time is left, if there is an end of it.

    Raises:
        InvalidQueryError: it is no whole number of seconds up to the limit.
    """
    if "wait" not in asked:
        return None
    wait = seconds(whole_number(asked["wait"], "wait"))
    if wait > limits.MAX_REPLY_WAIT:
        most = limits.MAX_REPLY_WAIT.seconds
        raise InvalidQueryError(
            Violation("wait", f"must be at most {most} seconds, which is what the API has", "range")
        )
    if left_ms is None:
        return wait
    return min(wait, timedelta(milliseconds=max(left_ms - milliseconds(_REST), 0)))


def _failed(job: Job) -> JobFailedError:
    return JobFailedError(job.ref.id, job.state, job.reason)
