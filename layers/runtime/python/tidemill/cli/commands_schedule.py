"""`tidemill schedule list | next`: the schedules that the project's code declares, and when they fire."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from tidemill.cli.options import REGISTRY, Jobs, Json
from tidemill.domain.errors import InputError

if TYPE_CHECKING:
    from tidemill.domain.registry import AnyDefinition
    from tidemill.domain.schedule import Schedule

schedule_app = typer.Typer(name="schedule", help="What runs at a time, and when it does.", no_args_is_help=True)

After = Annotated[str | None, typer.Option(help="From when on: 2027-03-27 or 2027-03-28T01:00Z; by default now.")]

_MOST_TIMES: Final = 100


@schedule_app.command("list")
def list_schedules(*, jobs: Jobs = REGISTRY, after: After = None, as_json: Json = False) -> None:
    """List the schedules of the project's code, each with the next time it fires."""
    from tidemill.cli import render

    found = [_told(*one, _moment(after), 1) for one in _declared(jobs, ())]
    if as_json:
        render.as_json({"schedules": found})
        return
    headings = ("schedule", "kind", "lane", "tenant", "when", "zone", "next", "state")
    lines = [
        (
            one["schedule"],
            one["kind"],
            one["lane"],
            one["tenant"],
            one["when"] + (f", within {one['jitter_seconds'] // 60} min" if one["jitter_seconds"] else ""),
            one["zone"],
            next((time["local"] for time in one["next"]), "counts from its deployment"),
            "enabled" if one["enabled"] else "disabled",
        )
        for one in found
    ]
    render.rows(headings, lines, empty="no schedules")


@schedule_app.command("next")
def next_times(
    names: Annotated[list[str] | None, typer.Argument(metavar="[SCHEDULE]...", help="All by default.")] = None,
    *,
    count: Annotated[int, typer.Option(help=f"Times of each, 1 to {_MOST_TIMES}.")] = 5,
    jobs: Jobs = REGISTRY,
    after: After = None,
    as_json: Json = False,
) -> None:
    """Show the next times of schedules, in their zones and in UTC; jitter comes on top."""
    from tidemill.cli import render

    if not 1 <= count <= _MOST_TIMES:
        raise InputError.at("count", f"must be 1 to {_MOST_TIMES}, not {count}", "range")
    found = [_told(*one, _moment(after), count) for one in _declared(jobs, names or ())]
    if as_json:
        render.as_json({"schedules": found})
        return
    lines = [
        (one["schedule"], time["local"], one["zone"], time["utc"])
        for one in found
        for time in one["next"] or [{"local": f"{one['when']}, from its deployment on", "utc": ""}]
    ]
    render.rows(("schedule", "local time", "zone", "UTC"), lines, empty="no schedules")


def _declared(jobs: str, names: Iterable[str]) -> list[tuple[AnyDefinition, Schedule]]:
    from tidemill.cli.kinds import registry_at

    declared = {schedule.title: (definition, schedule) for definition, schedule in registry_at(jobs).schedules}
    for name in names:
        if name not in declared:
            known = ", ".join(declared) or "none"
            raise InputError.at("schedule", f"no schedule {name!r:.60}; the project has {known}", "unknown_schedule")
    return [declared[name] for name in dict.fromkeys(names)] or list(declared.values())


def _told(definition: AnyDefinition, schedule: Schedule, after: datetime, count: int) -> dict[str, Any]:
    from tidemill.domain.cron import Cron
    from tidemill.domain.zones import zone_of

    timing, next_ones = schedule.timing, []
    if isinstance(timing, Cron):
        zone = zone_of(timing.tz, f"schedule {schedule.title!r}: tz")
        next_ones = [(fire.astimezone(zone), fire) for fire in timing.next_fires(after, count)]
    return {
        "schedule": schedule.title,
        "kind": definition.kind,
        "lane": definition.lane,
        "tenant": schedule.tenant,
        "when": str(timing),
        "zone": timing.tz,
        "jitter_seconds": int(schedule.jitter.total_seconds()) if schedule.jitter else None,
        "expires_in_seconds": int(schedule.expires_in.total_seconds()) if schedule.expires_in else None,
        "enabled": schedule.enabled,
        "overlap": str(schedule.overlap),
        # Those of EventBridge Scheduler, which knows nothing of one that the janitor makes.
        "expressions": [] if schedule.is_swept else list(timing.expressions),
        "next": [
            {"local": f"{local:%a %Y-%m-%d %H:%M %z}", "utc": f"{utc:%Y-%m-%dT%H:%M:%SZ}"} for local, utc in next_ones
        ],
    }


def _moment(text: str | None) -> datetime:
    from datetime import UTC

    if text is None:
        return datetime.now(UTC)
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        problem = f"must be a time such as 2027-03-27 or 2027-03-28T01:00Z, not {text!r:.40}"
        raise InputError.at("after", problem, "format") from None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
