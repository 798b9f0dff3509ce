"""Waiting for a job to end."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from tidemill.cli.exits import CliError
from tidemill.domain.lifecycle import State

if TYPE_CHECKING:
    from tidemill.domain.job import Job, JobRef
    from tidemill.service.client import JobClient

# A read costs half a unit: often while somebody is likely to look on, seldom after.
_FIRST_PAUSE_S: Final = 0.1
_LONGEST_PAUSE_S: Final = 2.0


def wait_for(client: JobClient, ref: JobRef, seconds: float) -> Job:
    """The job once it is final, or as it stands when `seconds` are over."""
    deadline = time.monotonic() + seconds
    pause = _FIRST_PAUSE_S
    while True:
        job = client.get(ref.id, ref.tenant)
        left = deadline - time.monotonic()
        if job.state.is_final or left <= 0:
            return job
        time.sleep(min(pause, left))
        pause = min(pause * 1.5, _LONGEST_PAUSE_S)


def check_succeeded(job: Job, seconds: float) -> None:
    """Whoever waits for a job wants it to have succeeded.

    Raises:
        CliError: it has not.
    """
    if not job.state.is_final:
        message = f"job {job.ref.id} is still {job.state} after {seconds:g} s. Fix: look again with `tidemill get`"
        raise CliError("wait_timeout", message)
    if job.state is not State.SUCCEEDED:
        reason = f" ({job.reason})" if job.reason else ""
        message = f"job {job.ref.id} is {job.state}{reason}. Fix: see why with `tidemill get {job.ref.id}`"
        raise CliError("job_not_succeeded", message)
