"""Which batch, which of its children, and how those ended.

The children of a batch have indexes from 0 on. A hundred that follow each other are one **shard**: their ends are
counted in one item, in a partition of its own, so that no item is written by thousands of workers.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tidemill.domain import limits
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State

# No kind is called so, so that nobody's key has the id of a batch or of a child.
_BATCH: Final = "#batch"
_CHILD: Final = "#child"
THEN: Final = "then"
ON_FAILURE: Final = "on_failure"


@dataclass(frozen=True, slots=True)
class BatchRef:
    """Which batch: as with jobs, the tenant is part of the identity."""

    tenant: str
    id: str

    def __str__(self) -> str:
        return f"{self.tenant}/{self.id}"

    @classmethod
    def keyed(cls, tenant: str, key: str) -> BatchRef:
        """The batch that belongs to an idempotency key."""
        return cls(tenant, keyed_job_id(tenant, _BATCH, key))

    def child(self, name: int | str) -> JobRef:
        """The job that is the child of this index or the callback of this name: it follows from the batch."""
        return JobRef(self.tenant, keyed_job_id(self.tenant, _CHILD, f"{self.id}/{name}"))

    def inner(self, index: int) -> BatchRef:
        """The batch that is the child of this index."""
        return BatchRef(self.tenant, self.child(index).id)


@dataclass(frozen=True, slots=True)
class Member:
    """A child's place in its batch, as its message carries it.

    Attributes:
        size: how many children the batch has, so that whoever counts knows when a shard is full.
        eager: the batch is looked at after each child: others wait for this one, or the first few decide.
    """

    batch: str
    index: int
    size: int
    eager: bool = False


class Fate(StrEnum):
    """How a child ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


_FATES: Final = {
    State.SUCCEEDED: Fate.SUCCEEDED,
    State.DEAD: Fate.FAILED,
    State.EXPIRED: Fate.FAILED,
    State.CANCELLED: Fate.CANCELLED,
}


def fate_of(state: State) -> Fate:
    """How a child ended that came to rest in this final state. One that expired did not do its work: it failed."""
    return _FATES[state]


@dataclass(frozen=True, slots=True)
class Tally:
    """Which children were seen to end, and how: three sets that only grow.

    So it does not matter how often, and in which order, an end is counted. A child that is redriven stands in two of
    them. A success is the last that can happen to a job, and a cancel comes after a death, not before: the sets of
    children that *are* succeeded, cancelled and failed follow from that.
    """

    seen_succeeded: frozenset[int] = frozenset()
    seen_failed: frozenset[int] = frozenset()
    seen_cancelled: frozenset[int] = frozenset()

    @classmethod
    def of(cls, fates: Mapping[int, Fate]) -> Tally:
        """The tally of these ends."""
        return cls(*(frozenset(i for i, fate in fates.items() if fate is wanted) for wanted in Fate))

    @property
    def succeeded(self) -> frozenset[int]:
        """Children that succeeded."""
        return self.seen_succeeded

    @property
    def cancelled(self) -> frozenset[int]:
        """Children whose end is a cancel."""
        return self.seen_cancelled - self.seen_succeeded

    @property
    def failed(self) -> frozenset[int]:
        """Children that are dead or expired."""
        return self.seen_failed - self.seen_cancelled - self.seen_succeeded

    @property
    def over(self) -> frozenset[int]:
        """Children that have come to an end at least once."""
        return self.seen_succeeded | self.seen_failed | self.seen_cancelled

    def plus(self, other: Tally) -> Tally:
        """Both together."""
        return Tally(
            self.seen_succeeded | other.seen_succeeded,
            self.seen_failed | other.seen_failed,
            self.seen_cancelled | other.seen_cancelled,
        )


def shard_of(index: int) -> int:
    """The shard that counts this child."""
    return index // limits.CHILDREN_PER_SHARD


def shards_in(size: int) -> int:
    """How many shards a batch of this size has."""
    return -(-size // limits.CHILDREN_PER_SHARD)


def shard_size(size: int, shard: int) -> int:
    """How many children of a batch of this size are in one shard."""
    return min(limits.CHILDREN_PER_SHARD, size - shard * limits.CHILDREN_PER_SHARD)


def together(tallies: Iterable[Tally]) -> Tally:
    """All of these as one."""
    found = Tally()
    for tally in tallies:
        found = found.plus(tally)
    return found
