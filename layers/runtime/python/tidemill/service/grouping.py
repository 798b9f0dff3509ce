"""Dead jobs grouped by what killed them: one fault, one group."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from tidemill.domain.job import Job, JobRef


@dataclass(frozen=True, slots=True)
class Group:
    """Dead jobs of one fault. Times are Unix milliseconds.

    Attributes:
        error: the fingerprint that they share; None for deaths without a failure, which share their reason.
        reasons, kinds, lanes: of the jobs, sorted.
        first, last: the earliest and the latest death.
        sample: the job that died last. `message`: what its last failure said, "" if it left none.
    """

    error: str | None
    reasons: tuple[str, ...]
    kinds: tuple[str, ...]
    lanes: tuple[str, ...]
    count: int
    first: int
    last: int
    sample: JobRef
    message: str = ""


def grouped(jobs: Iterable[Job]) -> list[Group]:
    """The groups, largest first, still without messages."""
    groups: dict[tuple[str | None, str | None], list[Job]] = {}
    for job in jobs:
        key = (job.error, None) if job.error is not None else (None, job.reason)
        groups.setdefault(key, []).append(job)
    found = [_group(error, members) for (error, _), members in groups.items()]
    return sorted(found, key=lambda group: (-group.count, -group.last, group.sample.id))


def _group(error: str | None, members: list[Job]) -> Group:
    deaths = [job.finished_at or 0 for job in members]
    latest = max(members, key=lambda job: (job.finished_at or 0, job.ref.id))
    return Group(
        error=error,
        reasons=tuple(sorted({job.reason or "" for job in members})),
        kinds=tuple(sorted({job.kind for job in members})),
        lanes=tuple(sorted({job.lane for job in members})),
        count=len(members),
        first=min(deaths),
        last=max(deaths),
        sample=latest.ref,
    )
