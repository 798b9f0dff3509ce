"""What one job is: arguments, function, lane, retry policy, timeout, retention."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from inspect import iscoroutinefunction
from typing import Any, Generic, TypeVar, overload

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.duration import days, minutes, seconds
from tidemill.domain.errors import DefinitionError
from tidemill.domain.lane import DEFAULT_LANE
from tidemill.domain.retry import Retry

A = TypeVar("A", bound=JobArgs)
R = TypeVar("R")


class OnFinal(StrEnum):
    """What a repeated key does when its first job is dead, cancelled or expired."""

    RERUN = "rerun"
    RETURN = "return"
    REFUSE = "refuse"


@dataclass(frozen=True, slots=True)
class Retention:
    """How long a finished job is kept, 1 hour to 400 days each.

    Arguments:
        result: after this, a succeeded, cancelled or expired job and its result are gone.
        dead: after this, a dead job's record, arguments and errors are gone from the table.
    """

    result: timedelta = days(7)
    dead: timedelta = days(30)

    def __post_init__(self) -> None:
        for name, span in (("result", self.result), ("dead", self.dead)):
            if not minutes(60) <= span <= limits.MAX_RETENTION:
                raise DefinitionError(f"Retention.{name} is {span}. Fix: choose 1 hour to 400 days")


@dataclass(frozen=True, slots=True)
class JobDefinition(Generic[A, R]):
    """A job as the registry knows it. Calling it calls the function directly, as any function.

    Raises:
        DefinitionError: a value is out of its range, or the arguments class has no kind.
    """

    args_type: type[A]
    function: Callable[[A, JobContext], R] = field(repr=False)
    lane: str = DEFAULT_LANE
    retry: Retry = field(default_factory=Retry)
    timeout: timedelta = minutes(1)
    on_final: OnFinal = OnFinal.RERUN
    retention: Retention = field(default_factory=Retention)

    def __post_init__(self) -> None:
        object.__setattr__(self, "on_final", OnFinal(self.on_final))
        if not hasattr(self.args_type, "job_kind"):
            raise DefinitionError(
                f"{self.args_type.__name__} has no kind. Fix: class {self.args_type.__name__}(JobArgs, kind='...')"
            )
        longest = limits.MAX_FUNCTION_TIMEOUT - limits.FUNCTION_OVERHEAD
        if not seconds(1) <= self.timeout <= longest:
            raise DefinitionError(
                f"job {self.kind!r} has timeout {self.timeout}. Fix: choose 1 s to {longest}, "
                "what a Lambda function has beside the worker's own work"
            )

    @property
    def kind(self) -> str:
        """The stable name of the job."""
        return self.args_type.job_kind

    @property
    def is_async(self) -> bool:
        """Whether the function is `async def`."""
        return iscoroutinefunction(self.function)

    def __call__(self, args: A, context: JobContext) -> R:
        """Call the job's function in this process, without queue, record or retry."""
        return self.function(args, context)


class _JobDecorator(Generic[A]):
    """What `@job(...)` returns: typed so that the arguments class and the function must agree."""

    def __init__(self, args_type: type[A], options: dict[str, Any]) -> None:
        self._args_type = args_type
        self._options = options

    @overload
    def __call__(self, function: Callable[[A, JobContext], Awaitable[R]]) -> JobDefinition[A, Awaitable[R]]: ...
    @overload
    def __call__(self, function: Callable[[A, JobContext], R]) -> JobDefinition[A, R]: ...
    def __call__(self, function: Callable[[A, JobContext], Any]) -> JobDefinition[A, Any]:
        return JobDefinition(self._args_type, function, **self._options)


def job(
    args_type: type[A],
    *,
    lane: str = DEFAULT_LANE,
    retry: Retry | None = None,
    timeout: timedelta = minutes(1),
    on_final: OnFinal | str = OnFinal.RERUN,
    retention: Retention | None = None,
) -> _JobDecorator[A]:
    """Turn a function into a job definition. Nothing is registered: `JobRegistry(...)` lists the jobs.

    Arguments:
        args_type: the `JobArgs` subclass that is the job's contract.
        lane: the lane it runs in unless a submit says otherwise.
        retry: the policy; by default 5 attempts, exponential from 2 s with full jitter.
        timeout: the longest one attempt may take, 1 s to 14 min 45 s. The worker's function timeout,
            the queue's visibility timeout and the lease are derived from it.
        on_final: what a repeated key does once the job is dead, cancelled or expired: `rerun` it as a
            new generation, `return` it as it is, or `refuse`.
        retention: how long results and dead jobs are kept.

    Raises:
        DefinitionError: a value is out of its range, or the arguments class has no kind.
    """
    options = {
        "lane": lane,
        "retry": retry or Retry(),
        "timeout": timeout,
        "on_final": on_final,
        "retention": retention or Retention(),
    }
    return _JobDecorator(args_type, options)
