"""The five models by name, with their bounds and the numbers that are smaller in them than they ship."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.model import lease, moving, redrive, saga, settlement, waiting
from tests.model.parts import smaller
from tests.model.search import Finding, explore
from tidemill.domain.lifecycle import State, Verb


@dataclass(frozen=True, slots=True)
class Kind:
    """One model.

    Arguments:
        bounds: searched by every test run. `big`: searched by `python -m tests.model --big`.
        crashes, receives: how many of them are the most in it.
    """

    make: Any
    bounds: tuple[Any, ...]
    big: tuple[Any, ...]
    modelled: frozenset[Verb]
    left_out: dict[Verb, str]
    crashes: int
    receives: int

    def search(self, bounds: Any, most: int = 5_000_000) -> tuple[Finding, set[tuple[Verb, State]]]:
        """The finding, and the edges of the lifecycle table that were taken."""
        receives = getattr(bounds, "settings", {}).get("receives", self.receives)
        with smaller(self.crashes, receives):
            model = self.make(bounds)
            return explore(model, most), model.taken


MODELS = {
    "lease": Kind(lease.Lease, lease.BOUNDS, lease.BIG, lease.MODELLED, lease.LEFT_OUT, 3, 3),
    "settlement": Kind(
        settlement.Settlement,
        settlement.BOUNDS,
        settlement.BIG,
        settlement.MODELLED,
        settlement.LEFT_OUT,
        2,
        3,
    ),
    "waiting": Kind(
        waiting.Waiting,
        waiting.BOUNDS,
        waiting.BIG,
        waiting.MODELLED,
        waiting.LEFT_OUT,
        2,
        3,
    ),
    "redrive": Kind(
        redrive.Redrive,
        redrive.BOUNDS,
        redrive.BIG,
        redrive.MODELLED,
        redrive.LEFT_OUT,
        2,
        2,
    ),
    "saga": Kind(saga.SagaStep, saga.BOUNDS, saga.BIG, saga.MODELLED, saga.LEFT_OUT, 3, 3),
    "moving": Kind(
        moving.Moving,
        moving.BOUNDS,
        moving.BIG,
        moving.MODELLED,
        moving.LEFT_OUT,
        2,
        3,
    ),
}
