"""Bugs that are planted in what counts batches, each of which the search must find.

`python -m tests.model.batch_planted` searches every bounds, then looks for every bug; one line each.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any
from unittest.mock import patch

from tests.builders import NOW
from tests.model.batch import BIG, BOUNDS, REF, Batches, Bounds, World, search
from tidemill.domain import limits
from tidemill.domain.batch import Tally
from tidemill.domain.batch_record import BatchRecord, ending_of
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.starting import Starter


@dataclass(frozen=True, slots=True)
class Planted:
    """A bug that the search must find within some bounds: what is patched, and what is made of what is there."""

    name: str
    bounds: str
    places: tuple[tuple[Any, str, Callable[[Any], Any]], ...]

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Let the bug be there."""
        with ExitStack() as stack:
            for where, name, make in self.places:
                stack.enter_context(patch.object(where, name, make(getattr(where, name))))
            yield


def _by_number(real: Callable[..., Any]) -> Callable[..., Any]:
    """Each end that is counted is one more, whosever it is."""

    def count_ends(self: Batches, world: World, marks: Any, until_s: int) -> Any:
        after, tallies = real(self, world, marks, until_s)
        found = []
        for mark, tally in zip(marks, tallies, strict=True):
            seen = world.tallies[mark.shard].over
            again = seen.intersection(mark.fates)
            first = mark.shard * limits.CHILDREN_PER_SHARD
            free = [i for i in range(first, first + limits.CHILDREN_PER_SHARD) if i not in tally.over]
            found.append(tally.plus(Tally(seen_failed=frozenset(free[: len(again)]))))
        return after, tuple(found)

    return count_ends


def _first_the_callback(real: Callable[..., Any]) -> Callable[..., Any]:
    def count(self: BatchProgress, ends: Any) -> Any:
        (record,) = self.batches.find_batches([REF])
        if ends and record is not None and record.ended is None:
            whole = Tally(frozenset(range(record.size)))
            self.releaser.call_back(self.batches.end_batch(record, ending_of(record, whole, NOW)))
        return real(self, ends)

    return count


def _unreported(real: Callable[..., Any]) -> Callable[..., Any]:
    def follow(self: BatchProgress, mark: Any, member: Any, tally: Tally) -> None:
        if member.size <= limits.CHILDREN_PER_SHARD:
            real(self, mark, member, tally)

    return follow


def _told_by_the_first(real: Callable[..., Any]) -> Callable[..., Any]:
    """Whoever did not write the ending leaves the callback to the one who did."""

    def go_on(self: BatchProgress, record: BatchRecord, tally: Tally, news: frozenset[int]) -> None:
        if record.ended is None:
            real(self, record, tally, news)
        else:
            self.batches.look_again(record, None)

    return go_on


PLANTED = (
    Planted("ends are counted by number", "a duplicate", ((Batches, "_count_ends", _by_number),)),
    Planted(
        "the callback comes before the count",
        "two workers in one shard",
        ((BatchProgress, "count", _first_the_callback),),
    ),
    Planted(
        "a full shard is not reported",
        "two workers fill the last two shards",
        ((BatchProgress, "_follow", _unreported), (BatchWatch, "_go_on", lambda _: lambda *__: None)),
    ),
    Planted("the janitor does not look", "parked children cancelled", ((BatchWatch, "look", lambda _: lambda _: 0),)),
    Planted("the callback is nobody's", "two workers in one shard", ((BatchProgress, "go_on", _told_by_the_first),)),
    Planted(
        "a death outweighs a success",
        "a redrive",
        ((Tally, "succeeded", lambda _: property(lambda tally: tally.seen_succeeded - tally.seen_failed)),),
    ),
    Planted(
        "a batch that has failed stays so",
        "a redrive",
        ((BatchProgress, "go_on", lambda real: lambda self, record, tally, _: real(self, record, tally, frozenset())),),
    ),
    Planted(
        "a repeated start takes the batch for whole",
        "a submitter that comes again",
        (
            (Starter, "_submit_children", lambda _: lambda *__: None),
            (BatchWatch, "_given_up", lambda _: lambda *__: None),
        ),
    ),
)


def bounds_named(name: str) -> Bounds:
    """The bounds of this name."""
    return next(bounds for bounds in (*BOUNDS, *BIG) if bounds.name == name)


def main() -> int:
    """Search all of it; one line for each bounds and each bug."""
    failed = 0
    for bounds in (*BOUNDS, *BIG):
        finding = search(bounds, most=2_000_000)
        failed += bool(finding.problem)
        sys.stdout.write(f"batch: {bounds.name}: {finding}\n")
    for planted in PLANTED:
        with planted.applied():
            caught = search(bounds_named(planted.bounds)).problem
        failed += not caught
        sys.stdout.write(f"planted: {planted.name}: {caught or 'NOT FOUND'}\n")
    return failed


if __name__ == "__main__":
    sys.exit(main())
