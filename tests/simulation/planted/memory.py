"""Bugs in what jobs remember, and in how they show that they live. See `planted`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.aws import memory
from tidemill.domain import decide
from tidemill.domain.decide import HANDED_OVER
from tidemill.domain.errors import FenceLostError
from tidemill.domain.memory import Memory
from tidemill.domain.outcome import Cost
from tidemill.service.lifeline import AttemptLifeline
from tidemill.service.notebook import Notebook


def _without_fence(_: Any) -> Any:
    """Whoever once held the job may record."""
    return "#fence >= :fence OR #fence < :fence"


def _shared(opened: Any) -> Any:
    """An attempt takes the memory as the last one left it, under that one's fence."""

    def planted(self: Any, job: Any, *given: Any) -> Any:
        return self.look(job.ref) or opened(self, job, *given)

    return planted


def _recalls_nothing(recall: Any) -> Any:
    """A step is asked for, and taken for a new one."""

    def planted(self: Any, name: str) -> None:
        recall(self, name)

    return planted


def _keeps_no_cursor(opened: Any) -> Any:
    """What is opened has no cursor."""
    return lambda self, *given: replace(opened(self, *given), cursor=None)


def _hand_over_costs(wait: Any) -> Any:
    """A hand-over is counted like a failure."""

    def planted(waits: Any, span: Any, now_ms: int, cost: Cost, reason: str, *given: Any, **named: Any) -> Any:
        return wait(waits, span, now_ms, Cost.ATTEMPT if reason == HANDED_OVER else cost, reason, *given, **named)

    return planted


def _forgets_nothing(_: Any) -> Any:
    """Whatever a redrive asks to forget stays."""
    return lambda self, _: self


def _takes_refusals_for_records(remember: Any) -> Any:
    """A record that was refused is taken for one that was written."""

    def planted(self: Any, *given: Any) -> None:
        try:
            remember(self, *given)
        except FenceLostError:
            return

    return planted


def _interrupts_at_once(_: Any) -> Any:
    """A timeout does not wait for the record of an effect."""

    def planted(self: Any, do: Any) -> bool:
        do()
        return True

    return planted


def _tells_again(_: Any) -> Any:
    """The request to stop is raised at every call."""
    return property(lambda self: self.job.cancel_asked)


def _key_of_attempt(key: Any) -> Any:
    """A step's key differs from attempt to attempt."""
    return lambda self, name: f"{key(self, name)}/{self.job.fence}"


PLANTED: Final = (
    Planted(
        "step recorded without fence",
        "I5",
        "steps",
        "a step is recorded whoever holds the job",
        ((memory, "_MINE", _without_fence),),
    ),
    Planted(
        "memory shared by attempts",
        "I5",
        "steps",
        "an attempt takes the memory as the last one left it, and does not shut it out",
        ((memory, "_MINE", _without_fence), (memory.DynamoJobMemory, "open", _shared)),
    ),
    Planted(
        "step forgotten on retry",
        "I7",
        "steps",
        "a recorded step is taken for a new one",
        ((Notebook, "recall", _recalls_nothing),),
    ),
    Planted(
        "key of an attempt",
        "I7",
        "steps",
        "the key of a step differs from attempt to attempt",
        ((Notebook, "key", _key_of_attempt),),
    ),
    Planted(
        "refused record taken for done",
        "I7",
        "steps",
        "a step whose record was refused answers all the same",
        ((memory.DynamoJobMemory, "remember", _takes_refusals_for_records),),
    ),
    Planted(
        "timeout reaches into a record",
        "I7",
        "steps",
        "a timeout does not wait until an effect is recorded",
        ((AttemptLifeline, "interrupt", _interrupts_at_once),),
    ),
    Planted(
        "restart forgets nothing",
        "I9",
        "steps",
        "a redrive that asks to forget steps is answered with them",
        ((Memory, "forgetting", _forgets_nothing),),
    ),
    Planted(
        "cursor not kept",
        "I7",
        "living",
        "an attempt does not find the cursor of the last one",
        ((memory.DynamoJobMemory, "open", _keeps_no_cursor),),
    ),
    Planted(
        "hand-over spends an attempt",
        "I14",
        "living",
        "a hand-over is counted like a failure",
        ((decide, "_wait", _hand_over_costs),),
    ),
    Planted(
        "lease not extended",
        "I5",
        "living",
        "the worker does not say that its job lives",
        ((AttemptLifeline, "beat", always(None)),),
    ),
    Planted(
        "cancel ignored",
        "I4",
        "living",
        "the request to stop is heard and not raised",
        ((AttemptLifeline, "_hear", always(None)),),
    ),
    Planted(
        "told to stop again",
        "I8",
        "living",
        "the request to stop is raised in the clean-up too",
        ((AttemptLifeline, "_is_to_stop", _tells_again),),
    ),
)
