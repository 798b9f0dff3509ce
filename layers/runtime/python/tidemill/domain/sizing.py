"""The AWS numbers of a lane, derived from what its jobs declare."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from tidemill.domain import limits
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import minutes
from tidemill.domain.errors import DefinitionError
from tidemill.domain.lane import Lane


@dataclass(frozen=True, slots=True)
class LaneSizing:
    """What the infrastructure of one lane must be for its jobs to have the time they declare.

    Attributes:
        function_timeout: the worker function's; jobs of a full batch that run after each other all fit.
        visibility_timeout: the queue's: six function timeouts and the window, as the Lambda Developer
            Guide asks ("Creating and configuring an Amazon SQS event source").
        max_receives: deliveries of one message before SQS moves it to the DLQ.
        retention: of the queue. `dlq_retention`: of its DLQ, always longer.
    """

    function_timeout: timedelta
    visibility_timeout: timedelta
    max_receives: int = limits.MAX_RECEIVES
    retention: timedelta = limits.SOURCE_RETENTION
    dlq_retention: timedelta = limits.DLQ_RETENTION


def longest_timeout(jobs: Iterable[JobDefinition[Any, Any]]) -> timedelta:
    """What a lane with these jobs grants to each job, also to those that a submit sends there."""
    return max((job.timeout for job in jobs), default=minutes(1))


def size_lane(lane: Lane, jobs: Iterable[JobDefinition[Any, Any]]) -> LaneSizing:
    """Derive the numbers of `lane` from the jobs that run in it.

    Raises:
        DefinitionError: a full batch of the slowest job would not fit into one Lambda invocation.
    """
    slowest = longest_timeout(jobs)
    waves = math.ceil(lane.batch_size / lane.concurrency)
    function_timeout = timedelta(seconds=math.ceil((slowest * waves + limits.FUNCTION_OVERHEAD).total_seconds()))
    if function_timeout > limits.MAX_FUNCTION_TIMEOUT:
        raise DefinitionError(
            f"lane {lane.name!r}: {waves} jobs after each other of up to {slowest} need {function_timeout}, "
            f"a Lambda function has {limits.MAX_FUNCTION_TIMEOUT}. Fix: lower batch_size, raise concurrency, "
            "or shorten the timeout"
        )
    return LaneSizing(
        function_timeout,
        visibility_timeout=function_timeout * 6 + lane.batch_window,
        max_receives=limits.MAX_FIFO_RECEIVES if lane.fifo else limits.MAX_RECEIVES,
    )
