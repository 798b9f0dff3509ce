"""The dead jobs of all tenants, and redriving many of them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError, TidemillError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Page

if TYPE_CHECKING:
    from tidemill.domain.job import Job, JobRef
    from tidemill.domain.message import Delivery
    from tidemill.domain.ports import JobReader
    from tidemill.service.deadletters import DeadLetterDesk, Redriven

# A page of one lane or kind is looked for in so many pages of all before it is handed over short.
_SCANS: Final = 10
# Small enough for a progress bar that moves.
_CHUNK: Final = 50


@dataclass(frozen=True, slots=True)
class Filter:
    """Which dead jobs; what is None matches all."""

    tenant: str | None = None
    lane: str | None = None
    kind: str | None = None

    def matches(self, job: Job) -> bool:
        """Whether the job is one of them."""
        return self.tenant in (None, job.ref.tenant) and self.lane in (None, job.lane) and self.kind in (None, job.kind)


def dead_jobs(reader: JobReader, wanted: Filter, limit: int, cursor: str | None, now_ms: int) -> Page:
    """One page of dead jobs, earliest death first in each shard of the index.

    Raises:
        InputError: `limit` is out of range, or the cursor is not one of ours.
    """
    if not 1 <= limit <= limits.MAX_PAGE:
        raise InputError.at("limit", f"must be 1 to {limits.MAX_PAGE}", "range")
    found: list[Job] = []
    for _ in range(_SCANS):
        page = reader.waiting(State.DEAD, wanted.tenant, limit - len(found), cursor)
        found += [job for job in page.jobs if wanted.matches(job) and not job.is_gone(now_ms)]
        cursor = page.cursor
        if cursor is None or len(found) >= limit:
            break
    return Page(tuple(found), cursor)


def redrive_each(desk: DeadLetterDesk, refs: Sequence[JobRef]) -> Iterator[tuple[JobRef, Redriven | TidemillError]]:
    """Redrive these jobs one by one; one that can't be does not stop the others."""
    for ref in dict.fromkeys(refs):
        try:
            yield ref, desk.redrive(ref)
        except TidemillError as error:
            yield ref, error


def redrive_lane(desk: DeadLetterDesk, lane: str, limit: int | None) -> Iterator[int]:
    """Put the messages of a lane's DLQ back, all or up to `limit`; yields how many each step moved.

    A job that dies again at once comes back to the DLQ: its message, the same byte for byte, is left there.
    """
    seen: set[bytes] = set()
    left = limit
    while left is None or left > 0:
        step = _CHUNK if left is None else min(left, _CHUNK)
        moved = desk.redrive_lane(lane, step, _fresh(seen))
        if not moved:
            return
        left = None if left is None else left - moved
        yield moved


def _fresh(seen: set[bytes]) -> Callable[[Delivery], bool]:
    """Chooses messages whose bodies are not in `seen`, and adds them."""

    def choose(delivery: Delivery) -> bool:
        digest = hashlib.sha256(delivery.body.encode()).digest()
        is_new = digest not in seen
        seen.add(digest)
        return is_new

    return choose
