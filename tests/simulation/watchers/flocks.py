"""What must hold of batches (I27): an exact count, one callback, never too early, and none that stays open.

Knows what was asked for, watches how children end, and reads the items of batches without any of the shipped code.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.watchers.invariants import FINAL, Violation
from tidemill import JobContext
from tidemill.domain.batch import BatchRef

if TYPE_CHECKING:
    from tests.simulation.world import World

_SETS = {"succeeded": "ok", "dead": "bad", "expired": "bad", "cancelled": "off"}


@dataclass(frozen=True, slots=True)
class Flock:
    """One flow that somebody starts.

    Attributes:
        numbers: those of its jobs, in order. `after`: for each, the places of those that it waits for.
        needed: so many successes are a success. `early`: it ends at once then.
        callbacks: which it has.
        empty: the places of children that are batches without children.
    """

    number: int
    tenant: str
    key: str
    numbers: tuple[int, ...]
    after: tuple[tuple[int, ...], ...]
    needed: int
    early: bool
    callbacks: tuple[str, ...]
    empty: frozenset[int] = frozenset()

    @property
    def ref(self) -> BatchRef:
        """Which batch it becomes."""
        return BatchRef.keyed(self.tenant, self.key)

    @property
    def partition(self) -> str:
        """The partition of the batch's own item."""
        return f"{self.tenant}#batch#{self.ref.id}"

    def job(self, name: int | str) -> str:
        """The job (`tenant#id`) that is this child or callback."""
        return f"{self.tenant}#{self.ref.child(name).id}"


class Flocks:
    """The book of the batches of one schedule.

    Attributes:
        flocks: by number. `accepted`: those whose start was answered.
        ends: how each job and each batch within another one has ended so far, in order.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.flocks: dict[int, Flock] = {}
        self.accepted: dict[int, None] = {}
        self.ends: dict[str, list[str]] = {}
        world.cloud.watch(self.look)
        world.ledger.watchers.append(self.hear)
        world.unsettled.append(("I27", "a batch is open, or nobody was told of its end,", self.is_unsettled))

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Note how a job ended, or a batch."""
        if after is not None and key[1] == "BATCH":
            states = [self.state_of(item) for item in (before, after) if item is not None and "ended" in item]
            if states and states[:-1] != states[-1:]:
                self.ends.setdefault(key[0].replace("#batch#", "#"), []).append(states[-1])
            return
        if after is None or key[1] != "STATE" or after["state"]["S"] not in FINAL:
            return
        if before is None or before["state"]["S"] != after["state"]["S"]:
            self.ends.setdefault(key[0], []).append(after["state"]["S"])

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A callback runs."""
        if what != "tallied":
            return
        flock = self.flocks[args.flock]
        self._world.tell("tallied", flock.partition, args.which, args.outcome)
        if f"{ctx.tenant}#{ctx.job_id}" != flock.job(args.which):
            raise Violation("I27", f"{ctx.job_id} is another {args.which} of {flock.partition}")
        if args.batch_id != flock.ref.id or args.total != len(flock.numbers):
            raise Violation("I27", f"the {args.which} of {flock.partition} is told of another batch: {args}")
        if (args.outcome == "succeeded") != (args.which == "then") or (args.succeeded >= flock.needed) != (
            args.which == "then"
        ):
            raise Violation("I27", f"the {args.which} of {flock.partition} runs at {args.succeeded} successes")
        self._check_counts(flock, args)

    def _check_counts(self, flock: Flock, args: Any) -> None:
        ever = [set(self.ends.get(flock.job(place), ())) for place in range(len(flock.numbers))]
        if args.succeeded > sum("succeeded" in ends for ends in ever):
            raise Violation("I27", f"{flock.partition} counts {args.succeeded} successes, more than there were")
        over = args.succeeded + args.failed + args.cancelled
        if not flock.early and over + args.skipped != len(flock.numbers):
            raise Violation("I27", f"a callback of {flock.partition} runs while children are open: {args}")
        # What was cancelled before it was submitted, or never was submitted, has no record.
        ran = sum(bool(ends) for ends in ever)
        if over - args.cancelled - self._unsubmitted(flock) > ran:
            raise Violation("I27", f"{flock.partition} counts {over} ends, of {ran} jobs that ended")

    def _unsubmitted(self, flock: Flock) -> int:
        records = self._world.cloud.records()
        return sum(flock.job(place) not in records and place not in flock.empty for place in range(len(flock.numbers)))

    # --- when everything is quiet -----------------------------------------------------------------

    def is_unsettled(self) -> bool:
        """Whether a batch is open, or somebody has to be told of it, or a success is not counted yet."""
        for flock in self.flocks.values():
            item = self._world.cloud.items.get((flock.partition, "BATCH"))
            if item is None:
                continue
            if "ended" not in item or "told" not in item:
                return True
            if self.state_of(item) != "succeeded" and len(self._succeeded(flock)) >= flock.needed:
                return True
        return False

    @staticmethod
    def state_of(item: Item) -> str:
        """The state in a batch's item that has ended."""
        return str(json.loads(item["ended"]["S"])[1])

    def counted(self, flock: Flock, ends: str) -> set[int]:
        """The places that the batch's shards have counted as ended so."""
        found: set[int] = set()
        for (pk, sk), item in self._world.cloud.items.items():
            if sk == "SHARD" and pk.startswith(f"{flock.partition}#") and ends in item:
                first = int(pk.rpartition("#")[2]) * 3
                found |= {first + int(place) for place in item[ends]["NS"]}
        return found

    def _succeeded(self, flock: Flock) -> set[int]:
        return {place for place in range(len(flock.numbers)) if "succeeded" in self.ends.get(flock.job(place), ())}


def audit_flocks(world: World) -> None:
    """Every batch has ended as its children did, and its callbacks are one job each."""
    flocks = world.part(Flocks)
    for flock in flocks.flocks.values():
        item = world.cloud.items.get((flock.partition, "BATCH"))
        if item is None:
            if flock.number in flocks.accepted:
                raise Violation("lost", f"{flock.partition} was accepted and is not there")
            continue
        if "ended" not in item:
            raise Violation("I27", f"{flock.partition} is open, though everything is quiet")
        _counts_fit(world, flocks, flock)
        _callbacks_fit(world, flocks, flock, item)


def _counts_fit(world: World, flocks: Flocks, flock: Flock) -> None:
    records = world.cloud.records()
    counted = {name: flocks.counted(flock, name) for name in ("ok", "bad", "off")}
    for place in range(len(flock.numbers)):
        job = flock.job(place)
        if job not in records and place not in flock.empty:
            continue
        ends = flocks.ends.get(job, [])
        if ("succeeded" in ends) != (place in counted["ok"]):
            raise Violation("I27", f"child {place} of {flock.partition} ended as {ends}, and the batch says {counted}")
        # One that ended early is not looked after any more: what no worker meets is not counted.
        if ends and not flock.early and not any(place in found for found in counted.values()):
            raise Violation("I27", f"child {place} of {flock.partition} is {ends[-1]} and not counted")
        wrong = {name for name in ("bad",) if place in counted[name] and not {"dead", "expired"}.intersection(ends)}
        if wrong:
            raise Violation("I27", f"child {place} of {flock.partition} never failed, and is counted so")


def _callbacks_fit(world: World, flocks: Flocks, flock: Flock, item: Item) -> None:
    records = world.cloud.records()
    succeeded = flocks.state_of(item) == "succeeded"
    if succeeded != (len(flocks.counted(flock, "ok")) >= flock.needed):
        raise Violation("I27", f"{flock.partition} is {flocks.state_of(item)}, which its children are not")
    owed = "then" if succeeded else "on_failure"
    forgotten = world.is_forgotten(flock.job(owed))
    if owed in flock.callbacks and flock.job(owed) not in records and not forgotten:
        raise Violation("I27", f"{flock.partition} is {flocks.state_of(item)}, and its {owed} never came")
    if not succeeded and flock.job("then") in records:
        raise Violation("I27", f"{flock.partition} did not succeed, and its then ran")
