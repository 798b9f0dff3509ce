"""Batches in the table, as the service layer writes and reads them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from tidemill.domain.batch import BatchRef, Fate, Tally
from tidemill.domain.batch_record import BatchRecord, Ending, Kept
from tidemill.domain.errors import UnavailableError


@dataclass(frozen=True, slots=True)
class Mark:
    """Ends of some children of one shard, to be counted."""

    ref: BatchRef
    shard: int
    fates: Mapping[int, Fate]


@dataclass(frozen=True, slots=True)
class DueBatches:
    """Some batches that are to be looked at, and whether there may be more."""

    records: tuple[BatchRecord, ...]
    more: bool


class BatchStore(Protocol):
    """The batches of the jobs table. Every verb may be repeated; a call that raises UnavailableError may have acted."""

    def open_batch(self, record: BatchRecord) -> BatchRecord:
        """Write a batch that has no record yet; answers the one that stands.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def keep_jobs(self, record: BatchRecord, kept: Sequence[Kept]) -> None:
        """Hold jobs for the batch until their turn comes, under its fingerprint.

        Raises:
            UnavailableError: AWS did not take all of them.
        """

    def kept_jobs(self, record: BatchRecord, names: Sequence[str]) -> list[Kept | None]:
        """The jobs that are held under these names.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def find_batches(self, refs: Sequence[BatchRef]) -> list[BatchRecord | None]:
        """The batches as of now.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def tally(self, ref: BatchRef, shards: Sequence[int]) -> Tally:
        """What is counted in these shards by now.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def count_ends(self, marks: Sequence[Mark], until_s: int) -> list[Tally | UnavailableError]:
        """Count ends, one write a mark, and answer the shard's whole tally after it.

        `until_s`: how long the shard is kept, Unix seconds.
        """

    def fill(self, ref: BatchRef, shard: int) -> BatchRecord | None:
        """Note that every child of a shard is over; answers the batch after it, None if there is none.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def advance(self, ref: BatchRef, submitted: int, check_at: int | None = None) -> BatchRecord | None:
        """Note that the children below `submitted` are accepted, and when to look at the batch next, if that is given.

        A greater number stands; a batch that has ended stays as it is. Answers the batch after it.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def ask_cancel(self, ref: BatchRef, check_at: int) -> BatchRecord | None:
        """Note that nothing more of the batch is to start, and when to look at it; answers the batch after it.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def end_batch(self, record: BatchRecord, ending: Ending) -> BatchRecord:
        """Write how the batch ended if its ending is still the one in `record`; nobody has been told of it.

        Where another ending is replaced, the janitor looks at it at once. Answers the batch as it stands then: the
        first writer's ending.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def look_again(self, record: BatchRecord, at: int | None, index: int = 0) -> None:
        """Set when (None: never) and from which child on the janitor looks again, if the ending is still `record`'s.

        If there is one, this also notes that everybody has been told of it.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def due_batches(self, until_ms: int, limit: int) -> DueBatches:
        """Batches of all tenants that were to be looked at by `until_ms`, earliest first in each shard of the index.

        Raises:
            UnavailableError: AWS did not answer.
        """
