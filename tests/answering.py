"""An Answerer on ports in memory, for tests that put a program together themselves."""

from __future__ import annotations

from random import Random
from typing import Any

from tidemill.domain.registry import JobRegistry
from tidemill.service.answering import Answerer
from tidemill.service.reviving import Reviver
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.memory import MemoryOfJobs
from tidemill.testing.waits import MemoryWaits


def an_answerer(registry: JobRegistry, store: Any, queues: Any, clock: Any, **ports: Any) -> Answerer:
    """Arguments:
    ports: `waits`, `recall` and `trail`, by default those of `store`, and `actor`.
    """
    random = Random(3)  # noqa: S311 - chance that repeats
    return Answerer(
        registry,
        store,
        ports.get("waits") or MemoryWaits(store),
        ports.get("recall") or MemoryOfJobs(store.memories).look,
        ports.get("trail") or MemoryTrail(),
        Reviver(store, store, queues, clock, random),
        clock,
        random,
        lambda: ports.get("actor", "tester"),
    )
