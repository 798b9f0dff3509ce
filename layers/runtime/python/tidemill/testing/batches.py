"""Batches in memory: the reference implementation of `BatchStore`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from tidemill.domain.batch import BatchRef, Tally, together
from tidemill.domain.batch_record import BatchRecord, Ending, Kept
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ports import DueBatches, Mark


@dataclass
class MemoryBatches:
    """`BatchStore` in dictionaries. Not for threads.

    Attributes:
        outage: set it to make every call fail.
        writes: how often each item was written, by its batch and shard (None: the batch's own).
    """

    records: dict[BatchRef, BatchRecord] = field(default_factory=dict)
    tallies: dict[tuple[BatchRef, int], Tally] = field(default_factory=dict)
    held: dict[tuple[BatchRef, str, str], Kept] = field(default_factory=dict)
    outage: UnavailableError | None = None
    writes: dict[tuple[BatchRef, int | None], int] = field(default_factory=dict)

    def open_batch(self, record: BatchRecord) -> BatchRecord:
        """See BatchStore."""
        self._fail()
        if record.ref not in self.records:
            self._write(record)
        return self.records[record.ref]

    def keep_jobs(self, record: BatchRecord, kept: Sequence[Kept]) -> None:
        """See BatchStore."""
        self._fail()
        self.held.update({(record.ref, record.fingerprint, one.name): one for one in kept})

    def kept_jobs(self, record: BatchRecord, names: Sequence[str]) -> list[Kept | None]:
        """See BatchStore."""
        self._fail()
        return [self.held.get((record.ref, record.fingerprint, name)) for name in names]

    def find_batches(self, refs: Sequence[BatchRef]) -> list[BatchRecord | None]:
        """See BatchStore."""
        self._fail()
        return [self.records.get(ref) for ref in refs]

    def tally(self, ref: BatchRef, shards: Sequence[int]) -> Tally:
        """See BatchStore."""
        self._fail()
        return together(self.tallies.get((ref, shard), Tally()) for shard in shards)

    def count_ends(self, marks: Sequence[Mark], until_s: int) -> list[Tally | UnavailableError]:  # noqa: ARG002 - kept for ever
        """See BatchStore."""
        return [self.outage or self._mark(mark) for mark in marks]

    def fill(self, ref: BatchRef, shard: int) -> BatchRecord | None:
        """See BatchStore."""
        self._fail()
        record = self.records.get(ref)
        return None if record is None else self._write(replace(record, full=record.full | {shard}))

    def advance(self, ref: BatchRef, submitted: int, check_at: int | None = None) -> BatchRecord | None:
        """See BatchStore."""
        self._fail()
        record = self.records.get(ref)
        if record is None or record.ended is not None or record.submitted > submitted:
            return record
        return self._write(replace(record, submitted=submitted, check_at=check_at or record.check_at))

    def ask_cancel(self, ref: BatchRef, check_at: int) -> BatchRecord | None:
        """See BatchStore."""
        self._fail()
        record = self.records.get(ref)
        if record is None or record.ended is not None:
            return record
        return self._write(replace(record, cancel_asked=True, check_at=check_at))

    def end_batch(self, record: BatchRecord, ending: Ending) -> BatchRecord:
        """See BatchStore."""
        self._fail()
        stands = self.records.get(record.ref)
        if stands is None:
            return replace(record, ended=ending, check_at=None)
        if stands.ended != record.ended:
            return stands
        check_at = stands.check_at if record.ended is None else ending.at
        return self._write(replace(stands, ended=ending, told=False, check_at=check_at))

    def look_again(self, record: BatchRecord, at: int | None, index: int = 0) -> None:
        """See BatchStore."""
        self._fail()
        stands = self.records.get(record.ref)
        if stands is not None and stands.ended == record.ended:
            told = stands.told or record.ended is not None
            self._write(replace(stands, check_at=at, check_from=index, told=told))

    def due_batches(self, until_ms: int, limit: int) -> DueBatches:
        """See BatchStore."""
        self._fail()
        found = [one for one in self.records.values() if one.check_at is not None and one.check_at <= until_ms]
        found.sort(key=lambda record: record.check_at or 0)
        return DueBatches(tuple(found[:limit]), len(found) > limit)

    def _mark(self, mark: Mark) -> Tally:
        place = (mark.ref, mark.shard)
        self.tallies[place] = self.tallies.get(place, Tally()).plus(Tally.of(mark.fates))
        self.writes[place] = self.writes.get(place, 0) + 1
        return self.tallies[place]

    def _write(self, record: BatchRecord) -> BatchRecord:
        self.records[record.ref] = record
        self.writes[record.ref, None] = self.writes.get((record.ref, None), 0) + 1
        return record

    def _fail(self) -> None:
        if self.outage is not None:
            raise self.outage
