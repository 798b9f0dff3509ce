"""The jobs that are run. A new sort is a module and a line in `_SORTS`."""

from __future__ import annotations

from tests.simulation.jobs import (
    answered,
    batched,
    hearing,
    large,
    lasting,
    mended,
    noticed,
    ordered,
    ordinary,
    stepping,
    telling,
    ticking,
    travelling,
    versioned,
)
from tests.simulation.jobs.behaviour import LANE, LINE
from tidemill import JobRegistry, Lane

_SORTS = (ordinary, stepping, lasting, ordered, large, mended, noticed, batched, ticking, answered, versioned)
# The two that may run side by side: the current one and the one before.
VERSIONS = ("new", "old")


def registries(
    batch_size: int = 10,
    concurrency: int = 10,
    *,
    has_sagas: bool = False,
    has_outbox: bool = False,
    has_subscribers: bool = False,
) -> dict[str, JobRegistry]:
    """The jobs as each version of the code declares them, newest first."""
    sagas = travelling.SAGAS if has_sagas else ()
    chosen = ((travelling, has_sagas), (telling, has_outbox), (hearing, has_subscribers))
    sorts = (*_SORTS, *(sort for sort, is_there in chosen if is_there))
    events = (*((telling.Told,) if has_outbox else ()), *((hearing.Moved,) if has_subscribers else ()))
    lanes = (Lane(LANE, batch_size=batch_size, concurrency=concurrency), Lane(LINE, fifo=True))
    return {
        version: JobRegistry(
            *(one for sort in sorts for one in sort.definitions(version)), lanes=lanes, sagas=sagas, events=events
        )
        for version in VERSIONS
    }
