"""Bugs that are planted in the shipped code, one at a time: a proof that can't fail is no proof.

A new one is a `Planted` in the module of its part, which has a line in `PLANTED`.
"""

from __future__ import annotations

from typing import Final

from tests.simulation.planted import (
    answers,
    batches,
    desk,
    engine,
    hearing,
    memory,
    moves,
    order,
    outbox,
    payloads,
    sagas,
    schedules,
    trouble,
    versions,
)
from tests.simulation.planted.plant import Planted

__all__ = ("PLANTED", "Planted")

PLANTED: Final = (
    *engine.PLANTED,
    *trouble.PLANTED,
    *memory.PLANTED,
    *order.PLANTED,
    *payloads.PLANTED,
    *desk.PLANTED,
    *moves.PLANTED,
    *batches.PLANTED,
    *schedules.PLANTED,
    *answers.PLANTED,
    *sagas.PLANTED,
    *outbox.PLANTED,
    *hearing.PLANTED,
    *versions.PLANTED,
)
