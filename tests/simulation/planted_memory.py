"""What is made of the shipped code to plant bugs in what jobs remember and in how they live; see `planted`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from tidemill.domain.decide import HANDED_OVER
from tidemill.domain.errors import FenceLostError
from tidemill.domain.outcome import Cost


def without_fence(_: Any) -> Any:
    """Whoever once held the job may record."""
    return "#fence >= :fence OR #fence < :fence"


def shared(opened: Any) -> Any:
    """An attempt takes the memory as the last one left it, under that one's fence."""

    def planted(self: Any, job: Any, *given: Any) -> Any:
        return self.look(job.ref) or opened(self, job, *given)

    return planted


def recalls_nothing(recall: Any) -> Any:
    """A step is asked for, and taken for a new one."""

    def planted(self: Any, name: str) -> None:
        recall(self, name)

    return planted


def keeps_no_cursor(opened: Any) -> Any:
    """What is opened has no cursor."""
    return lambda self, *given: replace(opened(self, *given), cursor=None)


def hand_over_costs(wait: Any) -> Any:
    """A hand-over is counted like a failure."""

    def planted(waits: Any, span: Any, now_ms: int, cost: Cost, reason: str, *given: Any, **named: Any) -> Any:
        return wait(waits, span, now_ms, Cost.ATTEMPT if reason == HANDED_OVER else cost, reason, *given, **named)

    return planted


def forgets_nothing(_: Any) -> Any:
    """Whatever a redrive asks to forget stays."""
    return lambda self, _: self


def takes_refusals_for_records(remember: Any) -> Any:
    """A record that was refused is taken for one that was written."""

    def planted(self: Any, *given: Any) -> None:
        try:
            remember(self, *given)
        except FenceLostError:
            return

    return planted


def interrupts_at_once(_: Any) -> Any:
    """A timeout does not wait for the record of an effect."""

    def planted(self: Any, do: Any) -> bool:
        do()
        return True

    return planted


def tells_again(_: Any) -> Any:
    """The request to stop is raised at every call."""
    return property(lambda self: self.job.cancel_asked)


def key_of_attempt(key: Any) -> Any:
    """A step's key differs from attempt to attempt."""
    return lambda self, name: f"{key(self, name)}/{self.job.fence}"
