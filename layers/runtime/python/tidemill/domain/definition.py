"""What one job is: arguments, function, lane, retry policy, timeout, retention."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from inspect import isasyncgenfunction, isgeneratorfunction, signature
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast, overload

from tidemill.domain import limits
from tidemill.domain.answers import check_answers
from tidemill.domain.args import JobArgs
from tidemill.domain.context import JobContext
from tidemill.domain.death import DeathNotice, check_death_notice
from tidemill.domain.declared import check_instance, check_span, check_word
from tidemill.domain.duration import days, minutes, seconds
from tidemill.domain.errors import DefinitionError
from tidemill.domain.lane import DEFAULT_LANE
from tidemill.domain.retry import Retry
from tidemill.domain.returning import is_async

if TYPE_CHECKING:
    from tidemill.domain.lifecycle import State
    from tidemill.domain.schedule import Declarations, Schedule
    from tidemill.domain.subscription import Subscription

A = TypeVar("A", bound=JobArgs)
R = TypeVar("R")


class OnFinal(StrEnum):
    """What a repeated key does when its first job is dead, cancelled or expired."""

    RERUN = "rerun"
    RETURN = "return"
    REFUSE = "refuse"


class OnCodeChange(StrEnum):
    """What a job with remembered steps does when it goes on under another version of the code.

    The version is the deployment's; a rollback is a change too.
    """

    # The steps are kept. One of a name that is new to the job is refused while steps of the other version are still
    # to come: it may be one of them under a new name, whose effect would happen twice. A cursor is gone on from.
    CHECK = "check"
    # The steps are kept and their names are trusted.
    CONTINUE = "continue"
    # The steps and the cursor are forgotten: all effects happen again, under new step keys.
    RESTART = "restart"
    # The job dies with reason `code_changed`, and a person decides.
    STOP = "stop"


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
            check_span(f"Retention.{name}", span)
            if not minutes(60) <= span <= limits.MAX_RETENTION:
                raise DefinitionError(f"Retention.{name} is {span}. Fix: choose 1 hour to 400 days")

    @property
    def memory(self) -> timedelta:
        """How long what stands beside the record outlives its last use: the job may wait and die until then."""
        return self.dead + limits.MEMORY_HORIZON


@dataclass(frozen=True, slots=True)
class JobDefinition(Generic[A, R]):
    """A job as the registry knows it. Calling it calls the function directly, as any function.

    Raises:
        DefinitionError: a value is of another type or out of its range, the function can't take the
            arguments and the context, or the arguments class has no kind of its own.
    """

    args_type: type[A]
    function: Callable[[A, JobContext], R] = field(repr=False)
    lane: str = DEFAULT_LANE
    retry: Retry = field(default_factory=Retry)
    timeout: timedelta = minutes(1)
    on_final: OnFinal = OnFinal.RERUN
    retention: Retention = field(default_factory=Retention)
    soft_timeout: timedelta | None = None
    heartbeat: timedelta | None = None
    on_code_change: OnCodeChange = OnCodeChange.CHECK
    on_dead: type[DeathNotice] | None = None
    schedule: Declarations | None = None
    answers: Mapping[str, Any] = field(default_factory=dict, hash=False)
    hears: tuple[Subscription, ...] = ()
    announces: Iterable[State] = ()
    webhook: str | None = None

    def __post_init__(self) -> None:
        _check_args_type(self.args_type)
        _check_function(self.kind, self.function)
        where = f"job {self.kind!r}:"
        object.__setattr__(self, "on_final", check_word(f"{where} on_final", self.on_final, OnFinal))
        check_instance(f"{where} lane", self.lane, str)
        check_instance(f"{where} retry", self.retry, Retry)
        check_instance(f"{where} retention", self.retention, Retention)
        check_span(f"{where} timeout", self.timeout)
        longest = limits.MAX_FUNCTION_TIMEOUT - limits.FUNCTION_OVERHEAD
        if not seconds(1) <= self.timeout <= longest:
            raise DefinitionError(
                f"job {self.kind!r} has timeout {self.timeout}. Fix: choose 1 s to {longest}, "
                "what a Lambda function has beside the worker's own work"
            )
        word = check_word(f"{where} on_code_change", self.on_code_change, OnCodeChange)
        object.__setattr__(self, "on_code_change", word)
        _check_within(f"{where} soft_timeout", self.soft_timeout, seconds(1), self.timeout)
        _check_within(f"{where} heartbeat", self.heartbeat, limits.MIN_HEARTBEAT, longest)
        check_death_notice(where, self.args_type, self.on_dead)
        check_answers(where, self.answers)
        if self.announces != ():
            # Few kinds announce anything.
            from tidemill.domain.job_events import check_announced

            object.__setattr__(self, "announces", check_announced(where, self.announces))
        if self.webhook is not None:
            check_instance(f"{where} webhook", self.webhook, str)
        if self.schedule is not None:
            # Few kinds have one, and no worker asks for it.
            from tidemill.domain.schedule import schedules_of

            object.__setattr__(self, "schedule", schedules_of(where, self.args_type, self.schedule))

    @property
    def schedules(self) -> tuple[Schedule, ...]:
        """Its schedules, each with a name and arguments."""
        return cast("tuple[Schedule, ...]", self.schedule or ())

    @property
    def kind(self) -> str:
        """The stable name of the job."""
        return self.args_type.job_kind

    @property
    def is_async(self) -> bool:
        """Whether the function is `async def`."""
        return is_async(self.function)

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


def job(  # noqa: PLR0913 - one keyword an option of a job, and a signature that an editor can show
    args_type: type[A],
    *,
    lane: str = DEFAULT_LANE,
    retry: Retry | None = None,
    timeout: timedelta = minutes(1),
    on_final: OnFinal | str = OnFinal.RERUN,
    retention: Retention | None = None,
    soft_timeout: timedelta | None = None,
    heartbeat: timedelta | None = None,
    on_code_change: OnCodeChange | str = OnCodeChange.CHECK,
    on_dead: type[DeathNotice] | None = None,
    answers: Mapping[str, Any] | None = None,
    schedule: Declarations | None = None,
    announces: Iterable[State] = (),
    webhook: str | None = None,
) -> _JobDecorator[A]:
    """Turn a function into a job definition. Nothing is registered: `JobRegistry(...)` lists the jobs.

    Arguments:
        args_type: the `JobArgs` subclass that is the job's contract. `lane`: where it runs unless a submit differs.
        retry: the policy; by default 5 attempts, exponential from 2 s with full jitter.
        timeout: the longest one attempt may take, 1 s to 14 min 45 s; function timeout, visibility and lease follow
            from it. It is hard: `HardTimeout` is raised inside, and what runs on regardless ends with its process.
            After `soft_timeout`, `SoftTimeoutError` is raised inside once, so that the job can clean up.
        heartbeat: its lease without a sign of life, at least 10 s, renewed every third of it by one write.
        on_final: what a repeated key does once the job is dead, cancelled or expired: `rerun`, `return`, or `refuse`.
        retention: of results and dead jobs. `on_code_change`: see OnCodeChange. `on_dead`: the DeathNotice of a death.
        schedule: when jobs are made of it without a submit: a Cron, an Every, a Schedule, or a list of them.
        answers: the type of each answer to `ctx.wait_for`, by name, at most 16. `webhook`: the endpoint told of ends.
        announces: which of State.SUCCEEDED and State.DEAD is published as a fact with it, at four write units each.

    Raises:
        DefinitionError: as `JobDefinition`, or a schedule or an answer can't be.
    """
    options: dict[str, Any] = {"lane": lane, "timeout": timeout, "webhook": webhook, "schedule": schedule}
    options |= {
        "retry": Retry() if retry is None else retry,
        "on_final": on_final,
        "retention": Retention() if retention is None else retention,
        "soft_timeout": soft_timeout,
        "heartbeat": heartbeat,
        "on_code_change": on_code_change,
        "on_dead": on_dead,
        "answers": answers or {},
        "announces": announces,
    }
    return _JobDecorator(_checked_args_type(args_type), options)


def _check_within(field: str, span: object, least: timedelta, most: timedelta) -> None:
    if span is None:
        return
    check_span(field, span)
    if not isinstance(span, timedelta) or not least <= span <= most:
        raise DefinitionError(f"{field} is {span}. Fix: choose {least} to {most}, or leave it out")


def _checked_args_type(args_type: type[A]) -> type[A]:
    _check_args_type(args_type)
    return args_type


def _check_args_type(args_type: object) -> None:
    if not isinstance(args_type, type) or not issubclass(args_type, JobArgs):
        raise DefinitionError(
            f"args_type is {args_type!r}. Fix: @job(MyArgs), where class MyArgs(JobArgs, kind='...') has the arguments"
        )
    name = args_type.__name__
    fix = f"Fix: class {name}({getattr(args_type.__base__, '__name__', 'JobArgs')}, kind='...')"
    if not hasattr(args_type, "job_kind"):
        raise DefinitionError(f"{name} has no kind. {fix}")
    # pydantic makes a class for each Generic[...]; its kind is that of the class that was written.
    written = args_type.__pydantic_generic_metadata__["origin"] or args_type
    if "job_kind" not in vars(written):
        raise DefinitionError(f"{name} has no kind of its own, only its parent's {args_type.job_kind!r}. {fix}")


def _check_function(kind: str, function: object) -> None:
    if not callable(function):
        raise DefinitionError(f"job {kind!r}: function is {function!r}. Fix: decorate a function of (args, ctx)")
    if isgeneratorfunction(function) or isasyncgenfunction(function):
        # Calling it runs nothing: its body would run while its result is written, outside of every timeout.
        raise DefinitionError(
            f"job {kind!r}: function is a generator. Fix: return a list, and `yield` in another function"
        )
    try:
        parameters = signature(function)
    except (TypeError, ValueError):
        # Some callables written in C don't say what they take.
        return
    try:
        parameters.bind(None, None)
    except TypeError as error:
        raise DefinitionError(
            f"job {kind!r}: function takes {parameters}, which does not fit two positional arguments ({error}). "
            "Fix: def function(args, ctx)"
        ) from None
