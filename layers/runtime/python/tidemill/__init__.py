"""Tidemill: typed Python functions as durable background jobs on AWS."""

from typing import TYPE_CHECKING

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
    from tidemill.service.client import JobClient
    from tidemill.service.submitter import Receipt

__all__ = (
    "DEFAULT_LANES",
    "DeathNotice",
    "DependencyDownError",
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

if not TYPE_CHECKING:

    def __getattr__(name: str) -> type:
        """Import the client's classes when they are asked for: a module of jobs does without them."""
        if name not in {"JobClient", "Receipt"}:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from tidemill.service import client

        return getattr(client, name)
