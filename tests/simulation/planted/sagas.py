"""Bugs to plant in sagas."""

from __future__ import annotations

from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.domain import closing
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.saga import machine, states
from tidemill.service import closer, redrivable, saga_cancelling, sagas
from tidemill.service.errands import Errands


def waits_for_nobody(decide: Any) -> Any:
    """A compensation begins while the job of its step runs."""

    def planted(job: Job, now_ms: int, keep_until: int) -> Any:
        end = decide(job, now_ms, keep_until)
        return closing.Closed() if isinstance(end, closing.Wait) else end

    return planted


def leaves_what_waits(decide: Any) -> Any:
    """A compensation does not end the job of a step that waits for its next attempt."""

    def planted(job: Job, now_ms: int, keep_until: int) -> Any:
        is_met = job.state in (State.RUNNING, State.DEAD) or job.state.is_final
        return decide(job, now_ms, keep_until) if is_met else closing.Closed()

    return planted


def leaves_the_dead(decide: Any) -> Any:
    """A dead job is over: whoever redrives it is not thought of."""

    def planted(job: Job, now_ms: int, keep_until: int) -> Any:
        return closing.Closed() if job.state is State.DEAD else decide(job, now_ms, keep_until)

    return planted


def undoes_from_the_one_before(_: Any) -> Any:
    """A step that failed is taken for one that was not applied."""

    def planted(self: Any, one: Any) -> Any:
        if self._saga.is_retried(one):
            return [*states.catch(machine._late(one), "States.Timeout"), *states.catch("needs attention")]
        place = next(place for place, part in enumerate(self._parts) if part is one)
        return states.catch(self._below(place) if one.compensate is not None else machine._close(one))

    return planted


def forwards(backwards: Any) -> Any:
    """The way back goes the way that was come."""

    def planted(self: Any, place: int) -> str:
        undone = [part for part in self._parts[:place] if getattr(part, "compensate", None) is not None]
        return machine._undo(undone[0]) if undone and place else str(backwards(self, place))

    return planted


def acks_all_the_same(report: Any) -> Any:
    """A message goes though its report did not come through."""

    def planted(self: Any, over: Any) -> list[bool]:
        report(self, over)
        return [True] * len(over)

    return planted


def from_the_beginning(_: Any) -> Any:
    """What is over answers at once: one may as well ask for it again."""

    def planted(saga: Any, place: str, data: dict[str, Any], *, is_cancelled: bool) -> dict[str, Any]:
        return {**{name: data[name] for name in ("saga", "tenant", "args")}, **states.prepared(saga)}

    return planted


PLANTED: Final = (
    Planted(
        "undone while it runs",
        "I29",
        "sagas",
        "a compensation asks the worker of its step to stop, and does not wait for it",
        ((closer, "closing", waits_for_nobody),),
    ),
    Planted(
        "undone while it waits",
        "I29",
        "sagas",
        "a compensation leaves the job of its step alone if it waits for its next attempt",
        ((closer, "closing", leaves_what_waits),),
    ),
    Planted(
        "the dead are not closed",
        "I29",
        "sagas",
        "a dead job of a saga that turned back can be redriven",
        ((closer, "closing", leaves_the_dead),),
    ),
    Planted(
        "the closed are edited",
        "I29",
        "sagas",
        "the desk does not ask whether the saga of a dead job is over",
        ((redrivable, "check_open", always(None)),),
    ),
    Planted(
        "failed step not undone",
        "I29",
        "sagas",
        "the way back begins with the step before the one that failed",
        ((machine._Machine, "_caught", undoes_from_the_one_before),),
    ),
    Planted(
        "acked before the report",
        "I29",
        "sagas",
        "a message goes whether or not the state machine could be told",
        ((Errands, "_report", acks_all_the_same),),
    ),
    Planted(
        "cancelled at any time",
        "I29",
        "sagas",
        "a cancel does not look at how far the pivot is",
        ((saga_cancelling, "_turns_back", always(True)),),
    ),
    Planted(
        "undone in the order of steps",
        "I29",
        "sagas",
        "the way back jumps to the first step from each of the others",
        ((machine._Machine, "_below", forwards),),
    ),
    Planted(
        "resumed from the beginning",
        "I29",
        "sagas",
        "the machine of a saga that was stopped runs from its first step again",
        ((sagas, "going_on", from_the_beginning),),
    ),
)
