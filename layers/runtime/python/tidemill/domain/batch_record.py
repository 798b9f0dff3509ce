"""A batch as the table knows it, and what follows from its tally."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Member, Tally, shards_in
from tidemill.domain.completion import Completion
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.graph import Edges, ready, skipped


class BatchState(StrEnum):
    """Where a batch stands. `submitting`: not every child has been accepted yet."""

    WAITING = "waiting"
    SUBMITTING = "submitting"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Ending:
    """How a batch ended.

    Attributes:
        at: Unix milliseconds. `state`: succeeded, failed or cancelled.
        skipped: children that never ran, because what they waited for did not succeed.
        failures: indexes of the first children that failed, 20 at the most.
    """

    at: int
    state: BatchState
    succeeded: int
    failed: int
    cancelled: int
    skipped: int
    failures: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class BatchRecord:
    """One batch. Times are Unix milliseconds, `ttl_s` Unix seconds.

    Attributes:
        fingerprint: of all that was asked for: a repeated start must ask for the same.
        edges: which children wait for which; empty if none does.
        inner: the indexes of children that are batches themselves.
        kept: the table has the children's envelopes, so that it needs no submitter to start them.
        then, on_failure: whether there is such a callback.
        parent: the batch that this one is a child of.
        submitted: the children below this index have been accepted.
        full: the shards whose children are all over, as far as it was reported.
        check_at: when the janitor looks at it next; absent if it has not begun, or nothing is left to do.
        check_from: where in the batch that look begins.
        ended: how it ended; a later redrive may still turn a failure into a success.
        told: whoever was to be told of that ending has been.
    """

    ref: BatchRef
    size: int
    fingerprint: str
    created_at: int
    completion: Completion
    ttl_s: int
    key: str | None = None
    edges: Edges = ()
    inner: frozenset[int] = frozenset()
    kept: bool = False
    then: bool = False
    on_failure: bool = False
    parent: Member | None = None
    submitted: int = 0
    cancel_asked: bool = False
    full: frozenset[int] = frozenset()
    check_at: int | None = None
    check_from: int = 0
    ended: Ending | None = None
    told: bool = False

    @property
    def eager(self) -> bool:
        """Whether the batch has to be looked at after each child."""
        return bool(self.edges) or self.completion.early

    @property
    def shards(self) -> range:
        """All of its shards."""
        return range(shards_in(self.size))

    @property
    def parent_ref(self) -> BatchRef | None:
        """The batch that this one is a child of."""
        return None if self.parent is None else BatchRef(self.ref.tenant, self.parent.batch)

    @property
    def state(self) -> BatchState:
        """Where it stands."""
        if self.ended is not None:
            return self.ended.state
        if self.kept and self.check_at is None and not self.submitted:
            return BatchState.WAITING
        return BatchState.SUBMITTING if self.submitted < self.size else BatchState.RUNNING

    def member(self, index: int) -> Member:
        """The place of one child."""
        return Member(self.ref.id, index, self.size, self.eager)

    def is_gone(self, now_ms: int) -> bool:
        """Whether its retention is over, so that readers no longer see it."""
        return self.ended is not None and self.ended.at + milliseconds(limits.BATCH_RETENTION) <= now_ms

    def skipped(self, tally: Tally) -> frozenset[int]:
        """Children that can't start any more as things stand."""
        return skipped(self.edges, tally)

    def ready(self, tally: Tally) -> list[int]:
        """Children of a graph that may run by now, and have not ended."""
        return [] if self.cancel_asked else ready(self.edges, tally)

    def next_check(self, now_ms: int) -> int | None:
        """When to look again: after half of the time that the batch has been there, 2 minutes to an hour.

        One that failed is looked at for as long as it can be seen, a day apart at the most: a redriven child may
        still make it succeed. None: never again.
        """
        wait = max((now_ms - self.created_at) // 2, milliseconds(limits.BATCH_CHECK))
        if self.ended is None:
            return now_ms + min(wait, milliseconds(limits.MAX_BATCH_CHECK))
        if self.ended.state is BatchState.SUCCEEDED or self.is_gone(now_ms):
            return None
        return now_ms + min(wait, milliseconds(limits.MAX_ENDED_BATCH_CHECK))


def ending_of(record: BatchRecord, tally: Tally, now_ms: int) -> Ending | None:
    """How the batch ends with this tally; None while that is open.

    A batch whose rule ends early does as soon as it is met. Any other ends when every child is over, or can't start.
    """
    skips = record.skipped(tally)
    # Without children nothing is left to succeed that a cancel could have come too late for.
    never_began = not record.size and record.cancel_asked
    met = record.completion.is_met(len(tally.succeeded), record.size) and not never_began
    if len(tally.over) + len(skips) < record.size and not (met and record.completion.early):
        return None
    unmet = BatchState.CANCELLED if record.cancel_asked else BatchState.FAILED
    return Ending(
        now_ms,
        BatchState.SUCCEEDED if met else unmet,
        len(tally.succeeded),
        len(tally.failed),
        len(tally.cancelled),
        len(skips),
        tuple(sorted(tally.failed)[: limits.MAX_LISTED_FAILURES]),
    )


@dataclass(frozen=True, slots=True)
class Kept:
    """A job that the table holds for a batch until its turn comes: a callback, or a child that waits.

    Attributes:
        name: `then`, `on_failure`, or the child's index.
        delay_ms: from its turn until it may start. `lasts_ms`: from its turn until it may not start any more.
        wants_ending: its arguments are a BatchEnded.
        due_at: not before this moment, whenever its turn comes.
    """

    name: str
    envelope: Envelope
    lane: str
    delay_ms: int = 0
    lasts_ms: int | None = None
    wants_ending: bool = False
    due_at: int = 0
