"""What a caller meets who waits for a job."""

from __future__ import annotations

from typing import Any

from tidemill.domain.errors import TidemillError, UnavailableError


class JobFailedError(TidemillError):
    """The job is dead, cancelled or expired. `reason` says why, `failure` (a Failure) what its last attempt died of."""

    code = "job_failed"

    def __init__(self, job_id: str, state: str, reason: str | None, failure: Any = None) -> None:
        why = f" ({reason})" if reason else ""
        evidence = f": {failure.type}: {failure.message}" if failure else ""
        super().__init__(f"job {job_id} is {state}{why}{evidence}. Fix: no waiting helps; redrive it if it is dead")
        self.job_id, self.state, self.reason, self.failure = job_id, state, reason, failure


class JobUnfinishedError(TidemillError):
    """The job had not ended when the wait was over. It goes on."""

    code = "job_unfinished"

    def __init__(self, job_id: str, state: str) -> None:
        super().__init__(f"job {job_id} is still {state}, and goes on. Fix: run it again with this job_id, or its key")
        self.job_id, self.state = job_id, state


class UnansweredError(UnavailableError):
    """AWS did not answer for a job that was to be run and waited for: it may have been accepted, and go on."""

    def __init__(self, error: UnavailableError, job_id: str) -> None:
        super().__init__(error.operation, error.cause)
        self.args = (f"{self}, here job_id={job_id!r}: no second job comes of it",)
        self.job_id = job_id
