"""The events of a job's own life, for kinds that announce them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tidemill.domain.errors import DefinitionError
from tidemill.domain.event import Event
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State


class JobSucceeded(Event, type="job.succeeded"):
    """A job of a kind that announces it has succeeded."""

    job_id: str
    kind: str
    lane: str
    generation: int
    attempts: int


class JobDied(Event, type="job.died"):
    """A job of a kind that announces it is dead, in this generation."""

    job_id: str
    kind: str
    lane: str
    generation: int
    attempts: int
    reason: str
    error: str | None = None


ANNOUNCED: Final[dict[State, type[Event]]] = {State.SUCCEEDED: JobSucceeded, State.DEAD: JobDied}


def event_of(job: Job) -> Event:
    """What is announced of `job`, the record as it will be: succeeded or dead."""
    if job.state is State.SUCCEEDED:
        return JobSucceeded(
            job_id=job.ref.id, kind=job.kind, lane=job.lane, generation=job.generation, attempts=job.attempt
        )
    return JobDied(
        job_id=job.ref.id,
        kind=job.kind,
        lane=job.lane,
        generation=job.generation,
        attempts=job.attempt,
        reason=job.reason or "unknown",
        error=job.error,
    )


def check_announced(where: str, states: object) -> frozenset[State]:
    """The states that a job announces.

    Raises:
        DefinitionError: one of them is no end that can be announced.
    """
    listed = (states,) if isinstance(states, str) else states
    if not isinstance(listed, Iterable):
        raise DefinitionError(f"{where} announces is {states!r}. Fix: announces=(State.SUCCEEDED, State.DEAD)")
    found: set[State] = set()
    for state in listed:
        try:
            known = State(state)
        except ValueError:
            known = None
        if known not in ANNOUNCED:
            names = " and ".join(f"State.{one.name}" for one in ANNOUNCED)
            raise DefinitionError(f"{where} announces {state!r}. Fix: only {names} can be announced")
        found.add(known)
    return frozenset(found)
