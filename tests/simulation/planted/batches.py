"""Bugs in the counting of batches, and in what follows from it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.aws.batches import DynamoBatches
from tidemill.domain.batch import Tally
from tidemill.service import batch_progress, counting
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.releasing import Releaser
from tidemill.service.starting import Starter


def _by_number(real: Callable[..., Any]) -> Callable[..., Any]:
    """Take each end that is counted for one that was not counted before."""
    seen: dict[Any, int] = {}

    def count_ends(self: DynamoBatches, marks: Any, until_s: int) -> Any:
        tallies = real(self, marks, until_s)
        found = []
        for mark, tally in zip(marks, tallies, strict=True):
            if not isinstance(tally, Tally):
                found.append(tally)
                continue
            place = (mark.ref, mark.shard)
            seen[place] = seen.get(place, 0) + len(mark.fates)
            more = frozenset(range(mark.shard * 3, mark.shard * 3 + min(seen[place], 3)))
            found.append(Tally(tally.seen_succeeded, tally.seen_failed, tally.seen_cancelled | more))
        return found

    return count_ends


def _ends_before_counting(real: Callable[..., Any]) -> Callable[..., Any]:
    def follow(self: BatchProgress, mark: Any, member: Any, tally: Tally) -> None:
        record = self.batches.find_batches([mark.ref])[0]
        if record is not None and record.ended is None and record.submitted == record.size:
            self.releaser.call_back(self.batches.end_batch(record, _as_if_over(record, tally)))
        real(self, mark, member, tally)

    return follow


def _as_if_over(record: Any, tally: Tally) -> Any:
    return batch_progress.ending_of(record, Tally(frozenset(range(record.size))).plus(tally), record.created_at)


def _last_word(real: Callable[..., Any]) -> Callable[..., Any]:
    """A death that is counted after a success takes its place."""

    def fulfil(self: counting.Counting, met: Any) -> list[bool]:
        done = real(self, met)
        return [True for _ in done]

    return fulfil


PLANTED: Final = (
    Planted(
        "ends counted by number",
        "I27",
        "batches",
        "an end that comes twice is counted twice",
        ((DynamoBatches, "count_ends", _by_number),),
    ),
    Planted(
        "callback before the count",
        "I27",
        "batches",
        "the callback is submitted with the first end that is met",
        ((BatchProgress, "_follow", _ends_before_counting),),
    ),
    Planted(
        "full shards unreported",
        "I27",
        "batches",
        "a worker that fills a shard does not tell the batch, and the janitor only looks for ends",
        (
            (DynamoBatches, "fill", lambda _: lambda self, ref, __: self.find_batches([ref])[0]),
            (BatchWatch, "_go_on", always(None)),
        ),
    ),
    Planted(
        "janitor ignores batches",
        "I27",
        "batches",
        "nobody looks for children whose end no worker met",
        ((BatchWatch, "look", always(0)),),
    ),
    Planted(
        "uncounted and acked",
        "I27",
        "batches",
        "a message goes although its child could not be counted, and the janitor counts nothing",
        (
            (counting.Counting, "fulfil", _last_word),
            (BatchWatch, "_end_of", always(None)),
        ),
    ),
    Planted(
        "children forgotten by the submitter",
        "I27",
        "batches",
        "a repeated start takes the batch for whole",
        ((Starter, "_submit_children", always(None)),),
    ),
    Planted(
        "steps forgotten",
        "I27",
        "batches",
        "a worker that ends a step does not start the next, and the janitor does not either",
        ((Releaser, "release", always(())),),
    ),
)
