"""Bugs in moving jobs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted
from tidemill.domain import settle
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import Verb
from tidemill.domain.message import Held
from tidemill.service import claiming, moving


def _without_the_time(moved: Any) -> Any:
    def planted(job: Job, *args: Any) -> Any:
        found = moved(job, *args)
        if found is None or found[0] is not Verb.POSTPONE:
            return found
        return found[0], replace(found[1], claimable_at=job.claimable_at)

    return planted


def _acked(refused: Any) -> Any:
    def planted(job: Job, held: Held, **rest: Any) -> Any:
        found = refused(job, held, **rest)
        return settle.ACK if isinstance(found, settle.Shelve) else found

    return planted


PLANTED: Final = (
    Planted(
        "a postponed job keeps its time",
        "I26",
        "moving",
        "a move of a job that only its queue has leaves its due time as it is",
        ((moving, "moved", _without_the_time),),
    ),
    Planted(
        "a postponed job's message acked",
        "I2",
        "moving",
        "a message that comes before its job's new time is taken for a spare one",
        ((claiming, "settle_refused", _acked),),
    ),
)
