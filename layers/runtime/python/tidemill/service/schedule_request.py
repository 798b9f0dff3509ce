"""What a caller wants of a schedule, checked before anything is written."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from random import Random
from typing import Any, Literal, TypedDict

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.cron import Cron, Every, Timing
from tidemill.domain.errors import InputError
from tidemill.domain.names import check_schedule, check_tenant
from tidemill.domain.overlap import Overlap
from tidemill.domain.registry import JobRegistry
from tidemill.domain.schedule import Schedule
from tidemill.domain.schedule_row import Missed, Plan, ScheduleRef, ScheduleRow, ScheduleVersion
from tidemill.domain.zones import zone_of
from tidemill.service.submission import DEFAULT_TENANT, Submission, check


class ScheduleOptions(TypedDict, total=False):
    """What a schedule has beside its name, its arguments and its times.

    Arguments:
        lane: another lane than the kind's. `entity`: what the jobs are about, on a FIFO lane and only there.
        overlap: what becomes of a tick while the job of an earlier one is not over (`allow`).
        missed: what becomes of ticks that the sweep was more than a minute late for (`run_once`).
        missed_limit: how many ticks `run_all` makes up for, 1 to 100.
        jitter: whole minutes, 1 to 1,440, in which each tick's job starts at a time of its own, and before the next
            tick; none or zero lets all start on time.
    """

    lane: str | None
    entity: str | None
    overlap: Overlap | Literal["allow", "skip", "queue_one"]
    missed: Missed | Literal["skip", "run_once", "run_all"]
    missed_limit: int
    jitter: timedelta | None


class ScheduleChanges(ScheduleOptions, total=False):
    """What is to be another; what is left out stays."""

    args: JobArgs
    timing: Timing


@dataclass(frozen=True, slots=True)
class Wanted:
    """A checked request: what the schedule is to do, and with which arguments (canonical JSON)."""

    plan: Plan
    args: bytes


def schedule_ref(name: object, tenant: object = DEFAULT_TENANT) -> ScheduleRef:
    """Which schedule is meant.

    Raises:
        InputError: the name or the tenant is ill-formed.
    """
    return ScheduleRef(check_tenant(tenant), check_schedule(name, "name"))


def check_wanted(
    ref: ScheduleRef,
    args: JobArgs,
    timing: Timing,
    options: ScheduleOptions,
    registry: JobRegistry,
    now_ms: int,
    since: int,
) -> Wanted:
    """What the schedule is to do.

    Arguments:
        since: from when an Every counts.

    Raises:
        InputError: a field is bad; it is named, and nothing was written.
    """
    if unknown := sorted(set(options) - set(ScheduleOptions.__annotations__)):
        raise InputError.at(unknown[0], "is nothing that a schedule has", "extra")
    _check_timing(timing)
    asked = Submission(args, tenant=ref.tenant, lane=options.get("lane"), entity=options.get("entity"))
    # The random bits name a send that never happens.
    order = check(asked, registry, now_ms, Random(0))  # noqa: S311
    if order.envelope.stored is not None:
        raise InputError.at(
            "args",
            f"are {len(order.args)} bytes, a schedule keeps at most {limits.MAX_ARGS_BYTES}. "
            "Fix: store the data in S3 and pass its key",
            "too_large",
        )
    plan = Plan(
        kind=order.envelope.kind,
        timing=timing,
        since=since,
        lane=order.lane,
        entity=options.get("entity"),
        overlap=_one_of(Overlap, options.get("overlap", Overlap.ALLOW), "overlap"),
        missed=_one_of(Missed, options.get("missed", Missed.RUN_ONCE), "missed"),
        missed_limit=_limit(options.get("missed_limit")),
        jitter=_jitter(options.get("jitter")),
    )
    if plan.missed is not Missed.RUN_ALL and options.get("missed_limit") not in (None, 1):
        raise InputError.at("missed_limit", "means something with missed=run_all only. Fix: leave it out", "extra")
    if plan.first_fire(now_ms) is None:
        raise InputError.at("timing", "names no time that is still to come", "never")
    return Wanted(plan, order.args)


def changed_wish(
    row: ScheduleRow, old: ScheduleVersion, changes: ScheduleChanges, registry: JobRegistry, now_ms: int
) -> Wanted:
    """What `row`, which is in version `old`, is to do after these changes. See `check_wanted` for what it raises."""
    asked: dict[str, Any] = dict(changes)
    args = asked.pop("args", None)
    timing = asked.pop("timing", row.plan.timing)
    options: dict[str, Any] = {**options_of(row.plan)}
    if args is not None and getattr(args, "job_kind", None) != row.plan.kind:
        # Another kind has a lane of its own.
        options["lane"] = None
    if "missed" in asked:
        options["missed_limit"] = None
    options |= asked
    since = row.plan.since if timing == row.plan.timing else now_ms
    wanted = old_args(old, registry) if args is None else args
    return check_wanted(row.ref, wanted, timing, options, registry, now_ms, since)  # type: ignore[arg-type]


def reverted_wish(row: ScheduleRow, earlier: ScheduleVersion, registry: JobRegistry, now_ms: int) -> Wanted:
    """What `row` is to do to be as it was in version `earlier`. See `check_wanted` for what it raises."""
    plan = earlier.plan
    # An Every of another span counts anew; an equal one goes on.
    since = row.plan.since if plan.timing == row.plan.timing else now_ms
    return check_wanted(row.ref, old_args(earlier, registry), plan.timing, options_of(plan), registry, now_ms, since)


def check_undeclared(ref: ScheduleRef, registry: JobRegistry) -> None:
    """Raise InputError if the program declares a schedule of this name: a job names its schedule as its cause."""
    if any(schedule.name == ref.name for _, schedule in registry.schedules):
        problem = f"{ref.name!r} is a schedule that the program's code declares. Fix: choose another name"
        raise InputError.at("name", problem, "declared")


def check_own(ref: ScheduleRef, registry: JobRegistry) -> None:
    """Raise InputError if the schedule is one that the janitor keeps as the program's code says."""
    if ref in declared_in(registry):
        problem = f"{ref.name!r} is a schedule that the program's code declares. Fix: change the code, or pause it"
        raise InputError.at("name", problem, "declared")


def declared_in(registry: JobRegistry) -> dict[ScheduleRef, Schedule]:
    """The schedules that the program declares and whose ticks the janitor is to make."""
    return {
        ScheduleRef(schedule.tenant, schedule.title): schedule
        for _, schedule in registry.schedules
        if schedule.is_swept and schedule.enabled
    }


def declared_wish(ref: ScheduleRef, schedule: Schedule, registry: JobRegistry, now_ms: int, since: int) -> Wanted:
    """What the row of a declared schedule is to do. See `check_wanted` for what it raises."""
    if schedule.args is None:
        raise InputError.at("args", "are missing: take the schedule from its definition", "missing")
    options: ScheduleOptions = {"overlap": schedule.overlap, "jitter": schedule.jitter}
    wanted = check_wanted(ref, schedule.args, schedule.timing, options, registry, now_ms, since)
    return replace(wanted, plan=replace(wanted.plan, declared=True))


def old_args(version: ScheduleVersion, registry: JobRegistry) -> JobArgs:
    """The arguments of a version.

    Raises:
        InputError: its kind is gone, or takes others by now.
    """
    args: JobArgs = registry.resolve(version.plan.kind).args_type.from_message(version.args)
    return args


def options_of(plan: Plan) -> ScheduleOptions:
    """The options that make this plan."""
    return {
        "lane": plan.lane,
        "entity": plan.entity,
        "overlap": plan.overlap,
        "missed": plan.missed,
        "missed_limit": plan.missed_limit,
        "jitter": plan.jitter,
    }


def _check_timing(timing: object) -> None:
    if isinstance(timing, Every):
        return
    if not isinstance(timing, Cron):
        problem = f"must be a Cron or an Every, not {type(timing).__name__}"
        raise InputError.at("timing", problem, "type")
    if len(timing.expression) > limits.MAX_CRON_CHARS:
        problem = f"has {len(timing.expression)} characters, the limit is {limits.MAX_CRON_CHARS}. "
        raise InputError.at("cron", problem + "Fix: write ranges and steps, such as */5", "length")
    zone_of(timing.tz)


def _one_of(choices: Any, value: object, field: str) -> Any:
    try:
        return choices(value)
    except ValueError:
        known = ", ".join(choice.value for choice in choices)
        raise InputError.at(field, f"is {value!r:.60}. Fix: one of {known}", "choice") from None


def _jitter(value: object) -> timedelta | None:
    if value is None or value == timedelta(0):
        return None
    minute = timedelta(minutes=1)
    if not isinstance(value, timedelta) or value % minute or not minute <= value <= limits.MAX_SCHEDULE_JITTER:
        most = limits.MAX_SCHEDULE_JITTER // minute
        raise InputError.at("jitter", f"must be whole minutes, 1 to {most}, not {value!r:.60}", "range")
    return value


def _limit(value: object) -> int:
    if value is None:
        return 1
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= limits.MAX_MISSED_RUNS:
        raise InputError.at("missed_limit", f"must be 1 to {limits.MAX_MISSED_RUNS}", "range")
    return value
