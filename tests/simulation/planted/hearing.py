"""Bugs to plant in what becomes of facts that are heard."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted
from tidemill.domain.context import JobContext
from tidemill.domain.fact_message import FactMessage
from tidemill.service import hearing


def of_the_message(job_id: Any) -> Any:
    """The id of a fact's job is another one for each message."""
    made = [0]

    def planted(self: Any, kind: str) -> str:
        made[0] += 1
        return str(job_id(replace(self, replay=f"{self.replay}{made[0]}"), kind))

    return planted


def of_the_fact_alone(job_id: Any) -> Any:
    """A replay has the jobs that there were."""
    return lambda self, kind: job_id(replace(self, replay=""), kind)


def under_a_key(parse: Any) -> Any:
    """A fact is a submit with a key, as others are."""

    def planted(document: Any, registry: Any) -> Any:
        found = parse(document, registry)
        return replace(found, job_id=None, key=f"fact-{found.job_id}")

    return planted


def without_its_number(parse: Any) -> Any:
    """The jobs of a line are numbered as they come, as others are."""
    return lambda document, registry: replace(parse(document, registry), sequence=None)


PLANTED: Final = (
    Planted(
        "a fact is its message",
        "I31",
        "subscribers",
        "the job of a fact that is sent again gets another id",
        ((FactMessage, "job_id", of_the_message),),
    ),
    Planted(
        "a replay is no other",
        "I31",
        "subscribers",
        "a replay's facts have the jobs that were made before it",
        ((FactMessage, "job_id", of_the_fact_alone),),
    ),
    Planted(
        "a fact is a key",
        "I31",
        "subscribers",
        "a fact that is sent again after its job died runs the job anew",
        ((hearing, "parse_fact_message", under_a_key),),
    ),
    Planted(
        "numbered as they come",
        "I31",
        "subscribers",
        "a fact's job in a lane in order gets the next number, and not its fact's",
        ((hearing, "parse_fact_message", without_its_number),),
    ),
    Planted(
        "never stale",
        "I31",
        "subscribers",
        "no job is told that a later fact was there before it",
        ((JobContext, "is_stale", lambda _: property(lambda _: False)),),
    ),
)
