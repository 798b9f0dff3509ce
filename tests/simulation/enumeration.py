"""Every fault at every call of a few flows, alone and in pairs: complete, where the seeds are a sample."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING, Self

from tests.simulation.faults import Chosen, Fault
from tests.simulation.flows import FLOWS, Flow
from tests.simulation.tally import Tally

if TYPE_CHECKING:
    from tests.simulation.schedule import Stage
    from tests.simulation.world import Outcome, Story

KINDS = (
    Fault.THROTTLE,
    Fault.ERROR,
    Fault.ERROR_AFTER,
    Fault.UNSENT,
    Fault.CRASH_BEFORE,
    Fault.CRASH_AFTER,
    Fault.ACK_LOST,
    Fault.PAUSE_BEFORE,
    Fault.PAUSE_AFTER,
    Fault.PARTIAL,
    Fault.CONFLICT,
    Fault.CLOCK_JUMP,
)
# In pairs, one of each sort: it did not happen, it happened and nobody knows, the process is gone, it is late.
PAIRED = (Fault.ERROR, Fault.ACK_LOST, Fault.CRASH_AFTER, Fault.PAUSE_AFTER)
_NAMED = re.compile(r"flow '(?P<flow>.+)': (?P<faults>.*)")
_AT = re.compile(r"(.+) at call (\d+)")


@dataclass(frozen=True, slots=True)
class Trial:
    """One schedule: a flow, and what goes wrong at which of its calls. Written `flow 'parked': crash after at call 3`.

    A pair's trouble ends when all is at rest: the janitor's later minutes are its last one again.
    """

    flow: Flow
    faults: Mapping[int, Fault] = field(default_factory=dict)
    ends_at_rest: bool = False

    def __str__(self) -> str:
        named = ", ".join(f"{kind.value} at call {at}" for at, kind in self.faults.items())
        return f"flow {self.flow.name!r}: {named or 'no fault'}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read what `str` writes of a single or a pair.

        Raises:
            ValueError: there is no such flow or no such fault, or it is not written so.
        """
        named = _NAMED.fullmatch(text)
        flow = next((flow for flow in FLOWS if named and flow.name == named["flow"]), None)
        if named is None or flow is None:
            raise ValueError(f"no flow in {text!r}; known: {', '.join(flow.name for flow in FLOWS)}")
        hits = [_AT.fullmatch(one) for one in named["faults"].split(", ")]
        faults = {int(hit[2]): Fault(hit[1]) for hit in hits if hit}
        if not faults or len(faults) < len(hits):
            raise ValueError(f"not written as 'crash after at call 3, answer lost at call 7': {named['faults']!r}")
        return cls(flow, faults, ends_at_rest=len(faults) > 1)

    def play(self, stage: Stage, story: Story | None = None) -> Outcome:
        """The schedule; the same every time."""
        return self._play(stage, Chosen(self.faults), story)

    def calls(self, stage: Stage) -> int:
        """How many calls there are until the trouble is over."""
        chosen = Chosen(self.faults)
        self._play(stage, chosen)
        return len(chosen.operations)

    def _play(self, stage: Stage, chosen: Chosen, story: Story | None = None) -> Outcome:
        rng = Random(self.flow.name)  # noqa: S311 - not a secret
        return stage.play_with(self.flow.setting(ends_at_rest=self.ends_at_rest), rng, chosen, story)


def singles(flow: Flow, stage: Stage) -> Iterator[Trial]:
    """Every kind at every call."""
    for at in range(Trial(flow).calls(stage)):
        for kind in KINDS:
            yield Trial(flow, {at: kind})


def pairs(flow: Flow, stage: Stage, share: int = 0, shares: int = 1) -> Iterator[Trial]:
    """Every two of a few kinds, the second at every call that there is after the first.

    Arguments:
        share: which of `shares` of the first calls, counted from 0: each of them is as long as the others.
    """
    for first in range(share, Trial(flow, ends_at_rest=True).calls(stage), shares):
        for kind in PAIRED:
            for second in range(first + 1, Trial(flow, {first: kind}, ends_at_rest=True).calls(stage)):
                for other in PAIRED:
                    yield Trial(flow, {first: kind, second: other}, ends_at_rest=True)


def tally_of(trials: Iterator[Trial], stage: Stage) -> Tally:
    """What they came to."""
    return sum((Tally.of(trial, trial.play(stage)) for trial in trials), Tally())
