"""Which jobs can't be sent again, whoever asks and in whatever manner."""

from __future__ import annotations

from collections.abc import Callable

from tidemill.domain.closing import check_open
from tidemill.domain.errors import JobStateError
from tidemill.domain.job import Job


def check_redrivable(job: Job, has_lane: Callable[[str], bool]) -> None:
    """Refuse to let a dead job run again that must not, or can't.

    Raises:
        JobStateError: its saga is over, or its lane is gone.
    """
    check_open(job)
    check_lane_of(job, "redriven", has_lane)


def check_lane_of(job: Job, verb: str, has_lane: Callable[[str], bool]) -> None:
    """Refuse to send a job whose lane a later deployment took away.

    Raises:
        JobStateError: the stack has no lane of its name; the message has `verb`.
    """
    if not has_lane(job.lane):
        fix = f"the stack has no lane {job.lane!r} any more; deploy one of that name, or submit the job again"
        raise JobStateError(verb, job.ref.id, job.state, fix)
