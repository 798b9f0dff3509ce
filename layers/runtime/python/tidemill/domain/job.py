"""The record of a job: its state, never its arguments."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held


@dataclass(frozen=True, slots=True)
class JobRef:
    """Which job: the tenant is part of the identity, so no id alone reaches another tenant's job."""

    tenant: str
    id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.id}"


@dataclass(frozen=True, slots=True)
class Job:
    """One job as the table knows it. Times are Unix milliseconds.

    Attributes:
        fence: grows with every claim and every new generation; a writer with an older one is refused.
        concluded: claims whose end was recorded. `fence - concluded` tells the crashes.
        claimable_at: from when a worker may claim; absent when final.
        held: the physical message of the last claim; tells a redrive from a duplicate.
        wait_ms: the last wait between two attempts, which decorrelated jitter grows from.
        keep_until: when the finished job is gone for readers. `ttl_s` is only garbage collection.
        result: the result as JSON text if it is small; `has_result_item` if it has an item of its own.
        owns_args: an item holds the arguments, so that the job can be sent again from the table.
        repeats: how many times in a row it failed in the same deterministic way.
        cancel_asked: somebody wants it cancelled while it runs.
        progress: what the running job says of itself, as JSON text.
        watched: it runs, but was claimed straight from `scheduled`: the table still answers for it.
        answers: how often somebody answered it while it ran.
        webhook: the endpoint that is told of its end.
    """

    ref: JobRef
    kind: str
    lane: str
    state: State
    fingerprint: str
    created_at: int
    claimable_at: int | None
    ttl_s: int
    key: str | None = None
    generation: int = 1
    attempt: int = 0
    fence: int = 0
    concluded: int = 0
    deferrals: int = 0
    owner: str | None = None
    held: Held | None = None
    started_at: int | None = None
    finished_at: int | None = None
    keep_until: int | None = None
    expires_at: int | None = None
    wait_ms: int = 0
    reason: str | None = None
    error: str | None = None
    result: str | None = None
    has_result_item: bool = False
    owns_args: bool = False
    correlation_id: str | None = None
    repeats: int = 0
    cancel_asked: bool = False
    progress: str | None = None
    watched: bool = False
    answers: int = 0
    webhook: str | None = None

    @property
    def crashes(self) -> int:
        """Claims of this generation that nobody concluded: the worker died or lost its lease."""
        return self.fence - self.concluded - (1 if self.state is State.RUNNING else 0)

    @property
    def tries(self) -> int:
        """Attempts that count against `max_attempts`: neither deferred nor crashed."""
        return self.attempt - self.crashes

    def is_gone(self, now_ms: int) -> bool:
        """Whether its retention is over, so that readers no longer see it."""
        return self.keep_until is not None and self.keep_until <= now_ms

    def claimed(self, owner: str, held: Held, now_ms: int, lease_until: int, ttl_s: int) -> Job:
        """This record after a claim: exactly what the store's claim writes."""
        return replace(
            self,
            state=State.RUNNING,
            claimable_at=lease_until,
            progress=None,
            watched=self.watched or self.state is State.SCHEDULED,
            attempt=self.attempt + 1,
            fence=self.fence + 1,
            owner=owner,
            held=held,
            started_at=now_ms,
            ttl_s=ttl_s,
        )

    def regenerated(self, owner: str, held: Held, now_ms: int, lease_until: int, ttl_s: int) -> Job:
        """This record claimed as the first attempt of the next generation: what a redrive writes."""
        return self.reopened(State.QUEUED, 0, ttl_s).claimed(owner, held, now_ms, lease_until, ttl_s)

    def reopened(self, state: State, claimable_at: int, ttl_s: int, *, owns_args: bool = False) -> Job:
        """This final record as the next generation, waiting in `state` until `claimable_at`."""
        return replace(
            self,
            state=state,
            generation=self.generation + 1,
            claimable_at=claimable_at,
            attempt=0,
            # All earlier claims belong to earlier generations: their crashes are not counted again.
            concluded=self.fence,
            deferrals=0,
            owner=None,
            started_at=None,
            finished_at=None,
            keep_until=None,
            ttl_s=ttl_s,
            wait_ms=0,
            reason=None,
            error=None,
            result=None,
            has_result_item=False,
            owns_args=owns_args,
            repeats=0,
            cancel_asked=False,
            progress=None,
            watched=False,
        )


def day_of(at_ms: int) -> str:
    """The UTC day of a time in Unix milliseconds, as `2026-11-22`."""
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")
