"""A recurring schedule of a kind, as its program declares it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Literal, TypeAlias

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.cron import Cron, Every, Timing
from tidemill.domain.declared import check_instance, check_span, check_word
from tidemill.domain.duration import minutes
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.names import DEFAULT_TENANT, check_schedule, check_tenant
from tidemill.domain.overlap import Overlap

_MINUTE = minutes(1)


@dataclass(frozen=True, slots=True)
class Schedule:
    """When jobs of a kind are made without anybody asking, and with which arguments.

        @job(CloseBooks, schedule=Schedule(Cron("0 3 1 * *", tz="Europe/Paris"), jitter=minutes(15)))

    `cdk deploy` makes an EventBridge Scheduler schedule of it, which sends straight to the lane's queue. Each of its
    times is a tick, and a tick makes one job however often it is sent, within 19 days. Scheduler sends it within
    the minute, or within the minutes of the jitter.

    Arguments:
        timing: a Cron or an Every.
        args: what each job is given, an instance of the kind's arguments class; may be left out if all of them
            have defaults.
        name: unique in the program, by default the kind; lower-case words joined by . _ or -, at most 54
            characters. It is part of a tick's identity: under a new name, it is another schedule.
        tenant: whose the jobs are.
        jitter: whole minutes, 1 to 1,440: each tick is sent at some time within them, so that many schedules of one
            minute don't start at once.
        expires_in: a tick's job that has not started so long after the tick's time never runs: it is `expired`.
            At least a minute longer than the jitter. By default late ticks run, all of them. One interval lets
            only the last of those run that have piled up behind a stopped lane.
        enabled: whether it is deployed active.
        overlap: what becomes of a tick while the job of an earlier one is not over: `allow` it, `skip` it, or
            `queue_one`. Scheduler can't know: with any but the first, the janitor makes the ticks, as those of
            schedules that are made at run time, and `expires_in` has no place.

    Raises:
        DefinitionError: a value is of another type or out of its range.
    """

    timing: Timing
    args: JobArgs | None = None
    name: str | None = None
    tenant: str = DEFAULT_TENANT
    jitter: timedelta | None = None
    expires_in: timedelta | None = None
    enabled: bool = True
    overlap: Overlap | Literal["allow", "skip", "queue_one"] = Overlap.ALLOW

    def __post_init__(self) -> None:
        if not isinstance(self.timing, Cron | Every):
            raise DefinitionError(f"Schedule is of {self.timing!r:.80}. Fix: give a Cron('...') or Every(minutes(...))")
        where = f"Schedule({self.timing})" if self.name is None else f"Schedule {self.name!r:.80}"
        try:
            check_tenant(self.tenant)
            if self.name is not None:
                check_schedule(self.name, "name")
        except InputError as error:
            raise DefinitionError(f"{where}: {error}") from error
        check_instance(f"{where}: enabled", self.enabled, bool)
        if self.args is not None:
            check_instance(f"{where}: args", self.args, JobArgs)
        self._check_spans(where)
        object.__setattr__(self, "overlap", check_word(f"{where}: overlap", self.overlap, Overlap))
        if self.is_swept:
            self._check_swept(where)

    def _check_swept(self, where: str) -> None:
        """What the janitor makes is a row of the table, which has no place for everything."""
        if self.expires_in is not None:
            raise DefinitionError(
                f"{where}: expires_in does not go with overlap={self.overlap}, whose late ticks are made once. "
                "Fix: leave it out, or let the job look at ctx.scheduled_at"
            )
        if isinstance(self.timing, Cron) and len(self.timing.expression) > limits.MAX_CRON_CHARS:
            raise DefinitionError(
                f"{where}: its cron has {len(self.timing.expression)} characters, the limit beside an overlap is "
                f"{limits.MAX_CRON_CHARS}. Fix: write ranges and steps, such as */5"
            )

    def _check_spans(self, where: str) -> None:
        if self.jitter is not None:
            check_span(f"{where}: jitter", self.jitter)
            if self.jitter % _MINUTE or not _MINUTE <= self.jitter <= limits.MAX_SCHEDULE_JITTER:
                most = limits.MAX_SCHEDULE_JITTER // _MINUTE
                raise DefinitionError(f"{where}: jitter is {self.jitter}. Fix: choose whole minutes, 1 to {most}")
        if self.expires_in is not None:
            check_span(f"{where}: expires_in", self.expires_in)
            least = (self.jitter or timedelta(0)) + _MINUTE
            if not least <= self.expires_in <= limits.MAX_DELAY:
                raise DefinitionError(
                    f"{where}: expires_in is {self.expires_in}. Fix: choose {least} (a tick may be sent so late) to "
                    f"{limits.MAX_DELAY}"
                )

    @property
    def is_swept(self) -> bool:
        """Whether the janitor makes its ticks, because they may not overlap; else EventBridge Scheduler does."""
        return self.overlap is not Overlap.ALLOW

    @property
    def title(self) -> str:
        """Its name; only one that a definition holds is sure to have one."""
        return self.name or ""

    def is_twin_of(self, other: Schedule) -> bool:
        """Whether both would make the same jobs at the same times, whatever they are called."""
        return _substance(self) == _substance(other)


Declared: TypeAlias = Schedule | Cron | Every
Declarations: TypeAlias = Declared | Iterable[Declared]


def schedules_of(where: str, args_type: type[JobArgs], declared: object) -> tuple[Schedule, ...]:
    """What a kind declares, each with its name and arguments.

    Raises:
        DefinitionError: something else stands there, the arguments are another kind's or missing, two have one name
            or mean the same.
    """
    alone = isinstance(declared, Cron | Every | Schedule)
    if not alone and (isinstance(declared, str) or not isinstance(declared, Iterable)):
        raise DefinitionError(
            f"{where} schedule is {declared!r:.80}. Fix: give Cron('...'), Every(minutes(5)), or a list"
        )
    several: Any = (declared,) if alone else declared
    made = tuple(_bound(where, args_type, one) for one in several)
    for place, schedule in enumerate(made):
        _check_apart(where, schedule, made[:place])
    return made


def _bound(where: str, args_type: type[JobArgs], declared: object) -> Schedule:
    if isinstance(declared, Cron | Every):
        declared = Schedule(declared)
    if not isinstance(declared, Schedule):
        raise DefinitionError(f"{where} schedule has {declared!r:.80}. Fix: give Cron('...') or Every(minutes(5))")
    if declared.name is None:
        try:
            declared = replace(declared, name=check_schedule(args_type.job_kind, "name"))
        except InputError as error:
            raise DefinitionError(f"{where} its kind can't name its schedule: {error}. Fix: name='...'") from error
    return replace(declared, args=_args(f"{where} schedule {declared.name!r}", args_type, declared.args))


def _args(where: str, args_type: type[JobArgs], given: JobArgs | None) -> JobArgs:
    if given is not None:
        if not isinstance(given, args_type):
            raise DefinitionError(
                f"{where} has args of {type(given).__name__}. Fix: give an instance of {args_type.__name__}"
            )
        return given
    needed = [name for name, field in args_type.model_fields.items() if field.is_required()]
    if needed:
        raise DefinitionError(
            f"{where} has no args, and {args_type.__name__} needs {', '.join(needed)}. "
            f"Fix: Schedule(..., args={args_type.__name__}({needed[0]}=...))"
        )
    try:
        return args_type()
    except ValueError as error:
        raise DefinitionError(f"{where} has no args, and {args_type.__name__}() is refused: {error}") from error


def _check_apart(where: str, schedule: Schedule, others: Sequence[Schedule]) -> None:
    for other in others:
        if schedule.name == other.name:
            raise DefinitionError(f"{where} two schedules are called {schedule.name!r}. Fix: Schedule(..., name='...')")
        if schedule.is_twin_of(other):
            raise DefinitionError(
                f"{where} schedules {other.name!r} and {schedule.name!r} make the same jobs at the same times. "
                "Fix: leave one out"
            )


def _substance(schedule: Schedule) -> tuple[object, ...]:
    timing = schedule.timing
    return (timing.expressions, timing.tz, schedule.tenant, schedule.args and schedule.args.canonical())
