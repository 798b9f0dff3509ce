"""The lanes of a pipeline: a queue and a worker for each, found by name."""

from __future__ import annotations

from dataclasses import dataclass

from tidemill.domain.lane import Lane
from tidemill.domain.sizing import LaneSizing
from tidemill_cdk.queue import LaneQueue
from tidemill_cdk.worker import LaneWorker


@dataclass(frozen=True, slots=True)
class BuiltLane:
    """One lane: what was declared, what follows from it, and what was made of it."""

    lane: Lane
    sizing: LaneSizing
    queue: LaneQueue
    worker: LaneWorker
