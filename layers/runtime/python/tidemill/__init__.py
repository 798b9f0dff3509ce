"""Tidemill: typed Python functions as durable background jobs on AWS."""

from tidemill.connect import connect
from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.definition import JobDefinition, OnFinal, Retention, job
from tidemill.domain.duration import days, hours, minutes, seconds
from tidemill.domain.lane import DEFAULT_LANES, Lane
from tidemill.domain.registry import JobRegistry
from tidemill.domain.retry import Jitter, Retry
from tidemill.domain.signals import PermanentError, RateLimitedError, TransientError
from tidemill.service.submission import Submission

__all__ = (
    "DEFAULT_LANES",
    "Jitter",
    "JobArgs",
    "JobContext",
    "JobDefinition",
    "JobRegistry",
    "Lane",
    "OnFinal",
    "PermanentError",
    "RateLimitedError",
    "Retention",
    "Retry",
    "Submission",
    "TransientError",
    "connect",
    "days",
    "hours",
    "job",
    "minutes",
    "seconds",
)
