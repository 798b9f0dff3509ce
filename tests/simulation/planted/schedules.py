"""Bugs to plant in schedules that are made at run time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.aws import schedules
from tidemill.domain import schedule_row, tick, ticking
from tidemill.domain.errors import UnavailableError
from tidemill.domain.schedule_row import Settling, TickJob
from tidemill.service import schedule_change, tick_sweep, ticks
from tidemill.service.tick_withdrawal import Withdrawing


def of_the_send(job_id: Any) -> Any:
    """The id of a tick's job is another one each time."""
    made = [0]

    def planted(*given: Any) -> str:
        made[0] += 1
        return str(job_id(given[0], made[0], *given[2:]))

    return planted


def of_the_message(job_id: Any) -> Any:
    """The same of a tick that Scheduler sends."""
    made = [0]

    def planted(found: Any, tenant: str, kind: str) -> str:
        made[0] += 1
        return str(job_id(replace(found, at=found.at + made[0]), tenant, kind))

    return planted


def under_a_key(parse_tick: Any) -> Any:
    """A tick is a submit with a key, as others are."""

    def planted(document: Any, registry: Any) -> Any:
        found = parse_tick(document, registry)
        return replace(found, job_id=None, key=f"tick-{found.scheduled_at}")

    return planted


def takes_doubt_for_done(after_submit: Any) -> Any:
    """A submit whose answer was lost has made the job."""

    def planted(self: Any, row: Any, tick: Any, result: Any) -> Any:
        return self._made(row, tick) if isinstance(result, UnavailableError) else after_submit(self, row, tick, result)

    return planted


def settles_nothing(settling_for: Any) -> Any:
    """A change is answered once it is written."""

    def planted(row: Any, now_ms: int) -> Settling:
        return Settling((), settling_for(row, now_ms).base)

    return planted


def only_what_was_made(withdrawable: Any) -> Any:
    """Nobody thinks of the tick that a sweep may be about to send."""
    return lambda row, now_ms: tuple(tick for tick in withdrawable(row, now_ms) if tick in row.made)


def whatever_stands_there(unchanged: Any) -> Any:
    """A row is written over any other one."""
    return lambda before: unchanged(None) if before is None else {"ConditionExpression": "attribute_exists(pk)"}


PLANTED: Final = (
    Planted(
        "no ticks",
        "I15",
        "schedules",
        "the janitor does not look at schedules",
        ((tick_sweep.TickSweep, "run", always(0)),),
    ),
    Planted(
        "a tick's id is its send's",
        "I15",
        "schedules",
        "the job of a tick that is made again gets another id",
        ((schedule_row, "tick_job_id", of_the_send),),
    ),
    Planted(
        "doubt is done",
        "I15",
        "schedules",
        "a row moves on past a tick whose submit was not answered",
        ((tick_sweep._Rounds, "_after_submit", takes_doubt_for_done),),
    ),
    Planted(
        "answered when written",
        "I15",
        "schedules",
        "a change withdraws no job that was sent ahead",
        ((schedule_change, "settling_for", settles_nothing),),
    ),
    Planted(
        "withdrawn in words",
        "I15",
        "schedules",
        "a tick is taken for withdrawn, and nothing is done about its job",
        ((Withdrawing, "withdraw", always(True)),),
    ),
    Planted(
        "the next one is forgotten",
        "I15",
        "schedules",
        "a change withdraws what was made, and not what a sweep is about to make",
        ((ticking, "withdrawable", only_what_was_made),),
    ),
    Planted(
        "row without condition",
        "I15",
        "schedules",
        "a row is written whoever wrote it since it was read",
        ((schedules, "_unchanged", whatever_stands_there),),
    ),
    Planted(
        "withdrawn for good",
        "I15",
        "schedules",
        "a tick that was withdrawn keeps the number of its job when it is made again",
        ((TickJob, "again", lambda _: property(lambda tick: tick)),),
    ),
    Planted(
        "a tick is its message",
        "I15",
        "fires",
        "the job of a tick that Scheduler sends again gets another id",
        ((tick.Tick, "job_id", of_the_message),),
    ),
    Planted(
        "a tick is a key",
        "I15",
        "fires",
        "a tick that is sent again after its job died runs the job anew",
        ((ticks, "parse_tick", under_a_key),),
    ),
)
