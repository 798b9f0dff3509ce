"""What a failed test shows: the jobs, what went wrong on purpose, and what the engine said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Final

from tidemill.domain.job import Job
from tidemill.testing.faults import Faults
from tidemill.testing.telemetry import Said

# More of either is no help to a reader.
_JOBS: Final = 20
_LINES: Final = 30


def describe(job: Job) -> str:
    """Where the job stands, in one line."""
    why = "" if job.reason is None else f" ({job.reason})"
    due = "" if job.claimable_at in (None, 0) else f", claimable from {time_of(job.claimable_at)}"
    return f"{job.kind} {job.ref} is {job.state}{why}, attempt {job.attempt}, generation {job.generation}{due}"


def time_of(at_ms: int | None) -> str:
    """A virtual time of day, UTC."""
    return datetime.fromtimestamp((at_ms or 0) / 1000, UTC).strftime("%d %H:%M:%S")


def tell(now_ms: int, jobs: Sequence[Job], faults: Faults, lines: Sequence[Said]) -> str:
    """All of it, the last of what there is too much of."""
    log = (f"{time_of(said.at)} {said}" for said in lines[-_LINES:])
    shown = map(describe, jobs[-_JOBS:])
    return "\n".join(
        [
            f"at {time_of(now_ms)} there are {len(jobs)} jobs:",
            *_indented(shown),
            "faults:",
            *_indented(str(faults).splitlines()),
            "log:",
            *_indented(log),
        ]
    )


def _indented(lines: Iterable[str]) -> list[str]:
    return [f"  {line}" for line in lines]
