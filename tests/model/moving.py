"""The fourth model: a job that waits is moved to other times, while its messages, sweeps and workers are under way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from tests.builders import Greet, a_send_id, an_envelope
from tests.model.janitors import Tended, left_final, lost
from tests.model.known import Known
from tests.model.machine import Bounds
from tests.model.parts import FAR, FARTHER, KEY, LANE, REF, Message, World, is_far, timeless
from tests.model.search import Edge
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb

MODELLED = frozenset(
    {
        Verb.CLAIM,
        Verb.COMPLETE,
        Verb.CANCEL,
        Verb.ASK_CANCEL,
        Verb.REVIVE,
        Verb.MOVE,
        Verb.POSTPONE,
        Verb.SHELVE,
        Verb.REPORT_DEAD,
    }
)
LEFT_OUT = {
    Verb.CLOSE: "saga",
    **dict.fromkeys((Verb.WAIT, Verb.TELL), "waiting"),
    Verb.RETRY: "settlement: whoever runs can't be moved",
    Verb.PARK: "settlement: a parked job is moved as a delayed one is",
    Verb.BURY: "settlement",
    Verb.EXPIRE: "lease",
    Verb.EXTEND: "lease",
    Verb.STOP: "lease; a job that was asked here and crashed is stopped",
    Verb.KILL: "lease",
    Verb.RESCUE: "settlement: a retry can't be moved",
    Verb.REDRIVE: "redrive",
    Verb.RERUN: "redrive",
    Verb.REOPEN: "redrive",
    Verb.RESCHEDULE: "redrive",
}
_MOVES = frozenset({Verb.MOVE, Verb.POSTPONE, Verb.SHELVE})


class Facts(NamedTuple):
    """What the promises are held against.

    Attributes:
        due: the last time that somebody moved the job to, until it starts.
        near: the latest time that has come near: nobody moves the job there any more.
    """

    due: int = 0
    near: int = 0


class Moving(Tended):
    """From an accepted job that waits: somebody who moves it, somebody who cancels it, workers, sweep and census."""

    MAKERS = {  # noqa: RUF012 - read only
        Verb.REVIVE: "sweep",
        Verb.REPORT_DEAD: "census",
        Verb.CANCEL: "cancel",
        Verb.MOVE: "move",
        Verb.POSTPONE: "move",
    }

    def starts(self) -> Iterator[tuple[str, World]]:
        envelope = self.book.of(_envelope())
        waits: Job = timeless(replace(_envelope().record(LANE, State.QUEUED, 0), claimable_at=FAR))
        owned = replace(waits, owns_args=True)
        world = World(tuple(self.bounds.most.values()), clock=1, accepted=True, facts=Facts())
        mine = (Message(1, envelope),)
        starts = {
            "queued": world._replace(record=self.book.of(replace(waits, claimable_at=0)), messages=mine),
            # No model knows a queue's delay: its message may come at any time, as that of a postponed job does.
            "delayed in its queue": world._replace(record=self.book.of(waits), messages=mine),
            "sent, and owned": world._replace(record=self.book.of(owned), messages=mine, kept=(envelope,)),
            "scheduled": world._replace(record=self.book.of(replace(owned, state=State.SCHEDULED)), kept=(envelope,)),
        }
        for name in self.bounds.settings["starts"]:
            yield name, starts[name]

    def edges(self, world: World) -> Iterator[Edge]:
        for edge in super().edges(world):
            yield edge._replace(after=_come_near(edge.after))

    # --- who wants it otherwise --------------------------------------------------------------------

    def move(self, world: World) -> Iterator[Edge]:
        spent = self.spend(world, "moves")
        if spent is None:
            return
        for name, due in (("at once", 0), ("to a time", FAR), ("to a later time", FARTHER)):
            if name not in self.bounds.settings["to"] or (due and due <= world.facts.near):
                continue
            process = self.process("moves", 400 + world.clock, due, world.now_ms)
            yield from self.started(spent, f"somebody moves it {name}", process)

    def cancel(self, world: World) -> Iterator[Edge]:
        spent = self.spend(world, "cancels")
        if spent is not None:
            yield from self.started(spent, "somebody cancels", self.process("cancels"))

    # --- what is promised --------------------------------------------------------------------------

    def moved(self, world: World, verbs: tuple[tuple[Verb, State], ...], process: Known, _: Envelope | None) -> World:
        job = world.job
        due = world.facts.due
        for verb, _source in verbs:
            assert job is not None
            if verb in _MOVES and process.value.service == "moves":
                due = job.claimable_at or 0
            elif verb is Verb.CLAIM:
                due = 0
        return world if due == world.facts.due else world._replace(facts=world.facts._replace(due=due))

    def broken(self, world: World, edge: Edge) -> str:
        return _early(edge.after) or left_final(world, edge.after) or lost(edge.after)

    def at_rest(self, world: World) -> str:
        job = world.job
        return "" if job is not None and job.state.is_final else f"{job and job.state} for ever"

    def settled(self, world: World) -> bool:
        job = world.job
        is_over = job is not None and job.state.is_final
        return is_over and all(message.place in ("dlq", "gone") for message in world.messages)


def _early(world: World) -> str:
    """Whether the job may start before the time that it was last moved to."""
    job, due = world.job, world.facts.due
    if job is None or not is_far(due) or job.state not in (State.SCHEDULED, State.QUEUED):
        return ""
    return "may start before the time that it was moved to" if (job.claimable_at or 0) < due else ""


def _come_near(world: World) -> World:
    job, near = world.job, world.facts.near
    if job is None or not world.ripe or job.state not in (State.SCHEDULED, State.QUEUED):
        return world
    near = max(near, job.claimable_at or 0)
    return world if near == world.facts.near else world._replace(facts=world.facts._replace(near=near))


def _envelope() -> Envelope:
    canonical = Greet(times=1).canonical()
    return an_envelope(ref=REF, key=KEY, args=canonical, send_id=a_send_id(1), correlation_id=REF.id)


QUEUED, DELAYED, OWNED, SCHEDULED = STARTS = ("queued", "delayed in its queue", "sent, and owned", "scheduled")
ENDS = ("succeeds",)
AT_ONCE, LATER, ANY = ("at once",), ("to a later time",), ("at once", "to a later time")
LATER_TIMES = ("to a time", "to a later time")
BOUNDS = (
    Bounds("moved once", 1, {"moves": 1}, ENDS, {"starts": STARTS, "to": ANY}),
    Bounds("there and back", 1, {"moves": 2}, ENDS, {"starts": (QUEUED,), "to": ("at once", "to a time")}),
    Bounds("a death", 1, {"moves": 1, "deaths": 1}, ENDS, {"starts": (QUEUED, OWNED, SCHEDULED), "to": LATER}),
    Bounds("a duplicate", 1, {"moves": 1, "duplicates": 1}, ENDS, {"starts": (QUEUED, DELAYED), "to": LATER}),
    Bounds("cancelled", 1, {"moves": 1, "cancels": 1}, ENDS, {"starts": (OWNED, SCHEDULED), "to": LATER}),
)
BIG = (
    Bounds("delayed, a death", 1, {"moves": 1, "deaths": 1}, ENDS, {"starts": (DELAYED,), "to": LATER}),
    Bounds("at once, a death", 1, {"moves": 1, "deaths": 1}, ENDS, {"starts": (OWNED,), "to": AT_ONCE, "receives": 2}),
    Bounds("at once, a duplicate", 1, {"moves": 1, "duplicates": 1}, ENDS, {"starts": (OWNED,), "to": AT_ONCE}),
    Bounds("two moves", 1, {"moves": 2}, ENDS, {"starts": (DELAYED, OWNED), "to": LATER_TIMES, "receives": 2}),
    Bounds("a slow worker", 2, {"moves": 1, "slow": 1}, ENDS, {"starts": (DELAYED, OWNED), "to": LATER}),
    Bounds("cancelled in its queue", 1, {"moves": 1, "cancels": 1}, ENDS, {"starts": STARTS[:2], "to": LATER}),
)
