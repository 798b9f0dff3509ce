"""Tidemill: typed Python functions as durable background jobs on AWS."""

from importlib import import_module
from typing import TYPE_CHECKING, Final

from tidemill.connect import connect
from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.death import DeathNotice
from tidemill.domain.definition import JobDefinition, OnCodeChange, OnFinal, Retention, job
from tidemill.domain.duration import days, hours, minutes, seconds
from tidemill.domain.interrupt import HardTimeout, JobCancelled, SoftTimeoutError
from tidemill.domain.lane import DEFAULT_LANES, Lane
from tidemill.domain.lifecycle import State
from tidemill.domain.registry import JobRegistry
from tidemill.domain.retry import Jitter, Retry
from tidemill.domain.signals import DependencyDownError, PermanentError, RateLimitedError, TransientError
from tidemill.service.submission import Submission

if TYPE_CHECKING:
    from tidemill.domain.cron import Cron, Every
    from tidemill.domain.schedule import Schedule
    from tidemill.service.client import JobClient
    from tidemill.service.submitter import Receipt

__all__ = (
    "DEFAULT_LANES",
    "Cron",
    "DeathNotice",
    "DependencyDownError",
    "Every",
    "HardTimeout",
    "Jitter",
    "JobArgs",
    "JobCancelled",
    "JobClient",
    "JobContext",
    "JobDefinition",
    "JobRegistry",
    "Lane",
    "OnCodeChange",
    "OnFinal",
    "PermanentError",
    "RateLimitedError",
    "Receipt",
    "Retention",
    "Retry",
    "Schedule",
    "SoftTimeoutError",
    "State",
    "Submission",
    "TransientError",
    "connect",
    "days",
    "hours",
    "job",
    "minutes",
    "seconds",
)

# What not every module of jobs needs is imported when it is asked for.
_LATE: Final = {
    "Cron": "tidemill.domain.cron",
    "Every": "tidemill.domain.cron",
    "JobClient": "tidemill.service.client",
    "Receipt": "tidemill.service.client",
    "Schedule": "tidemill.domain.schedule",
}

if not TYPE_CHECKING:

    def __getattr__(name: str) -> type:
        """Import one of them."""
        if name not in _LATE:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(_LATE[name]), name)
