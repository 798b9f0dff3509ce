"""What follows from the end of a child: it is counted, others start, the batch ends, a callback is submitted.

Everything here may happen more than once, in any order, by several at a time, and must come to the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Fate, Member, Tally, shard_of, shard_size, shards_in
from tidemill.domain.batch_record import BatchRecord, BatchState, ending_of
from tidemill.domain.errors import UnavailableError
from tidemill.domain.graph import freed
from tidemill.domain.ports import BatchStore, Clock, Mark
from tidemill.service.releasing import Releaser

_FATES = {BatchState.SUCCEEDED: Fate.SUCCEEDED, BatchState.CANCELLED: Fate.CANCELLED, BatchState.FAILED: Fate.FAILED}
# So many batches without children end one within the other: Python's stack takes some thousand calls. What comes after
# them the janitor ends.
_MOST_EMPTY: Final = 8


@dataclass(frozen=True, slots=True)
class End:
    """One child of a batch is over."""

    ref: BatchRef
    member: Member
    fate: Fate


@dataclass(frozen=True, slots=True)
class BatchProgress:
    """Counts, and does what the count asks for.

    Arguments:
        within: so many batches without children are being ended by now, each of which made the next one begin.
    """

    batches: BatchStore
    releaser: Releaser
    clock: Clock
    within: int = 0

    def count(self, ends: Sequence[End]) -> list[UnavailableError | None]:
        """Count these ends, one write for those of one shard; for each, what kept it from being counted.

        Of two ends of one child, the success is counted.
        """
        groups: dict[tuple[BatchRef, int], list[End]] = {}
        for end in ends:
            groups.setdefault((end.ref, shard_of(end.member.index)), []).append(end)
        marks = [Mark(ref, shard, _fates_of(mine)) for (ref, shard), mine in groups.items()]
        until_s = self.clock.now_ms() // 1000 + int(limits.MEMORY_HORIZON.total_seconds())
        failed: dict[tuple[BatchRef, int], UnavailableError] = {}
        for mark, tally in zip(marks, self.batches.count_ends(marks, until_s) if marks else (), strict=True):
            place = (mark.ref, mark.shard)
            try:
                if isinstance(tally, UnavailableError):
                    raise tally
                self._follow(mark, groups[place][0].member, tally)
            except UnavailableError as error:
                failed[place] = error
        return [failed.get((end.ref, shard_of(end.member.index))) for end in ends]

    def begin(self, record: BatchRecord) -> None:
        """Start what need not wait of a batch whose children the table holds. One that has none ends with that.

        Raises:
            UnavailableError: not all of it was started; the call may be repeated, and goes on from there.
        """
        self._end_empty(self.releaser.begin(record))

    def release(self, record: BatchRecord, indexes: Sequence[int]) -> None:
        """Start these children of the batch. Batches among them that have no children end with that.

        Raises:
            UnavailableError: not all of them were; the call may be repeated.
        """
        self._end_empty(self.releaser.release(record, indexes))

    def go_on(self, record: BatchRecord, tally: Tally, news: frozenset[int]) -> None:
        """Do what follows from the tally of the whole batch, if `news` are the children that succeeded just now.

        Raises:
            UnavailableError: something is left to do; the call may be repeated.
        """
        if record.edges and not record.cancel_asked:
            self.release(record, freed(record.edges, tally, news))
        if record.ended is None or (record.ended.state is not BatchState.SUCCEEDED and news):
            ending = ending_of(record, tally, self.clock.now_ms())
            # What has ended may still succeed, after a redrive, and nothing else.
            if ending is not None and (record.ended is None or ending.state is BatchState.SUCCEEDED):
                record = self.batches.end_batch(record, ending)
        if record.ended is not None and not record.told:
            self.tell(record)

    def tell(self, record: BatchRecord) -> None:
        """Let everybody know who waits for the batch's end: its callback, and the batch that it is a child of.

        Raises:
            UnavailableError: not everybody was told.
        """
        self.releaser.call_back(record)
        if record.ended is not None and record.parent is not None and record.parent_ref is not None:
            (error,) = self.count([End(record.parent_ref, record.parent, _FATES[record.ended.state])])
            if error is not None:
                raise error
        self.batches.look_again(record, record.next_check(self.clock.now_ms()))

    def _end_empty(self, records: Sequence[BatchRecord]) -> None:
        if self.within < _MOST_EMPTY:
            within = replace(self, within=self.within + 1)
            for record in records:
                within.go_on(record, Tally(), frozenset())

    def _follow(self, mark: Mark, member: Member, tally: Tally) -> None:
        several = shards_in(member.size) > 1
        if not member.eager and len(tally.over) < shard_size(member.size, mark.shard):
            return
        record = self.batches.fill(mark.ref, mark.shard) if several else self.batches.find_batches([mark.ref])[0]
        if record is None or (several and len(record.full) < len(record.shards)):
            return
        news = frozenset(index for index, fate in mark.fates.items() if fate is Fate.SUCCEEDED)
        if record.told and not news:
            return
        self.go_on(record, self.batches.tally(mark.ref, record.shards) if several else tally, news)


def _fates_of(ends: Sequence[End]) -> dict[int, Fate]:
    successes_last = sorted(ends, key=lambda end: end.fate is Fate.SUCCEEDED)
    return {end.member.index: end.fate for end in successes_last}
