"""The job that closes a step which has no compensation: its gate does all of it."""

from __future__ import annotations

from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import seconds
from tidemill.domain.retry import Retry
from tidemill.domain.saga.words import CLOSE_KIND


class CloseStep(JobArgs, kind=CLOSE_KIND):
    """Nothing: which step is meant stands in the job's errand."""


def _closed(_args: CloseStep, _context: JobContext) -> None:
    """The step's job is over by now."""


def closing_in(lane: str) -> JobDefinition[CloseStep, None]:
    """The closing job of a registry whose first standard lane this is. It runs on the lane of the step it closes."""
    return JobDefinition(CloseStep, _closed, lane=lane, retry=Retry(max_attempts=25), timeout=seconds(5))
