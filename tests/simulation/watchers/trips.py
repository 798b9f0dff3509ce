"""What must hold of sagas (I29): whole or undone, in order, or standing there for a person.

Knows which sagas were wanted, is told of each effect at its very moment, and reads executions and records without any
of the shipped code but the ids of jobs. Effects of a worker that lost its job do not count: docs/sagas.md does not
promise them away.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.cloud import Item, Key
from tests.simulation.jobs.travelling import Effect, mark_of
from tests.simulation.machines import StepFunctions
from tests.simulation.watchers.invariants import FINAL, State, Violation
from tidemill import JobContext
from tidemill.domain.errand import saga_job_id
from tidemill.domain.saga.words import Role

if TYPE_CHECKING:
    from tests.simulation.world import World
    from tidemill.testing.machines import Run

# Their gate may find nothing to do: then they are over without having run.
_GATED: Final = ("sim.give-back", "tidemill.saga.close")


@dataclass(frozen=True, slots=True)
class Shape:
    """A declared saga, as far as it can be told from outside.

    Attributes:
        undone: the places of the steps that have a compensation. `pivot`: that of the pivot.
        beside: places of steps that run beside each other.
        told: at which place each step gets the mark that it is told.
    """

    steps: int
    undone: tuple[int, ...]
    pivot: int | None = None
    beside: tuple[int, ...] = ()
    told: tuple[tuple[int, int], ...] = ()

    def follows(self, later: int, earlier: int) -> bool:
        """Whether one step begins only when the other is done."""
        return later > earlier and not {later, earlier} <= set(self.beside)


SHAPES: Final = {
    "sim.trip": Shape(3, (0, 1), 2, told=((1, 0), (2, 1))),
    "sim.purchase": Shape(3, (0,), 1, told=((1, 0), (2, 1))),
    "sim.pair": Shape(2, (0, 1), told=((1, 0),)),
    "sim.group": Shape(3, (0, 1), 2, beside=(0, 1), told=((2, 1),)),
}


@dataclass(frozen=True, slots=True)
class Trip:
    """One saga that somebody starts."""

    number: int
    saga: str
    tenant: str
    key: str

    @property
    def shape(self) -> Shape:
        """What it is made of."""
        return SHAPES[self.saga]


class Trips:
    """The book of the sagas of one schedule.

    Attributes:
        trips: by number. `accepted`: the id of those whose start was answered. `cancelled`: those whose cancel was.
        standing: the steps that are applied and not undone. `given_back`: those that were ever undone.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.machines = world.part(StepFunctions)
        self.trips: dict[int, Trip] = {}
        self.accepted: dict[int, str] = {}
        self.cancelled: dict[int, None] = {}
        self.standing: dict[tuple[int, int], None] = {}
        self.given_back: dict[tuple[int, int], None] = {}
        world.cloud.watch(self.look)
        world.dependency.watchers.append(self.happens)
        world.ledger.watchers.append(self.hear)
        world.unsettled.append(("I29", "a saga is neither over nor in need of anybody", self.is_unsettled))

    def accept(self, trip: Trip, saga_id: str) -> None:
        """Its start was answered."""
        if self.accepted.setdefault(trip.number, saga_id) != saga_id:
            raise Violation("I16", f"key {trip.key} has two sagas: {self.accepted[trip.number]} and {saga_id}")

    def runs(self, trip: Trip) -> list[Run]:
        """Its executions, the latest last."""
        return [run for run in self.machines.runs.values() if run.given["args"]["trip"] == trip.number]

    def job(self, trip: Trip, place: int, role: Role) -> str:
        """The job (`tenant#id`) of one of its steps."""
        return f"{trip.tenant}#{saga_job_id(self.runs(trip)[0].given['saga'], f's{place}', role)}"

    # --- while it happens -------------------------------------------------------------------------

    def look(self, key: Key, _: Item | None, after: Item | None) -> None:
        """Note the jobs that may have nothing to do."""
        if after is not None and key[1] == "STATE" and after["kind"]["S"] in _GATED:
            self._world.ledger.idle[key[0]] = None

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A step begins: what an earlier one told has come through."""
        if what != "books":
            return
        trip = self.trips[args.trip]
        told = dict(trip.shape.told)
        expected = mark_of(trip.number, told[args.place]) if args.place in told else -1
        if args.told != expected or ctx.tenant != trip.tenant:
            raise Violation("I29", f"step {args.place} of {trip} is told {args.told}, not {expected}")

    def happens(self, job: str, what: object) -> None:
        """A job of a saga has its effect now."""
        if not isinstance(what, Effect):
            return
        trip, place = self.trips[what.trip], what.place
        role = Role.STEP if what.deed == "book" else Role.UNDO
        if job != self.job(trip, place, role):
            raise Violation("I29", f"{job} is another job of step {place} of {trip}")
        self._world.tell(what.deed, trip.number, place, job)
        if not self._holds(job):
            return
        if what.deed == "book":
            self._applied(trip, place)
        else:
            self._undone(trip, place)

    def _holds(self, job: str) -> bool:
        """Whether the process that runs has the job, by the table."""
        process, record = self._world.scheduler.current, self._world.cloud.items[job, "STATE"]
        assert process is not None
        return record["state"]["S"] == "running" and self._world.records.holders.get(job) is process.host

    def _applied(self, trip: Trip, place: int) -> None:
        if (trip.number, place) in self.given_back:
            raise Violation("I29", f"step {place} of {trip} is applied after it was undone")
        for later in range(place + 1, trip.shape.steps):
            if (trip.number, later) in self.given_back and trip.shape.follows(later, place):
                raise Violation("I29", f"step {place} of {trip} is applied after step {later} was undone")
        if any(_outcome(run) == "compensated" for run in self.runs(trip)):
            raise Violation("I29", f"step {place} of {trip} is applied, and the saga was undone")
        self.standing[trip.number, place] = None

    def _undone(self, trip: Trip, place: int) -> None:
        records, shape = self._world.cloud.records(), trip.shape
        step = records.get(self.job(trip, place, Role.STEP))
        if step is None or step["state"]["S"] not in FINAL:
            raise Violation("I29", f"step {place} of {trip} is undone, and its job is not over")
        pivot = None if shape.pivot is None else records.get(self.job(trip, shape.pivot, Role.STEP))
        if pivot is not None and pivot["state"]["S"] not in ("dead", "cancelled", "expired"):
            raise Violation("I29", f"step {place} of {trip} is undone after the pivot began: {pivot['state']['S']}")
        for later in range(place + 1, shape.steps):
            if later in shape.undone and (trip.number, later) in self.standing and shape.follows(later, place):
                raise Violation("I29", f"step {place} of {trip} is undone before step {later}, which came after it")
        self.given_back[trip.number, place] = None
        self.standing.pop((trip.number, place), None)

    # --- when everything is quiet -----------------------------------------------------------------

    def is_unsettled(self) -> bool:
        """Whether a saga goes on."""
        return any(self._goes_on(trip) for trip in self.trips.values())

    def _goes_on(self, trip: Trip) -> bool:
        runs = self.runs(trip)
        return bool(runs) and runs[-1].status == "RUNNING" and not self.needs_attention(trip)

    def needs_attention(self, trip: Trip) -> bool:
        """Whether a job that the saga can't do without is dead, or its message stands in a DLQ with a record of why."""
        records = self._world.cloud.records()
        jobs = (records.get(self.job(trip, place, role)) for place, role in self._needed(trip))
        if any(one is not None and _is_dead(State.of(one)) for one in jobs):
            return True
        saga_id = self.runs(trip)[0].given["saga"]
        return any(_waits(message.body, saga_id) for message in self._world.cloud.buried())

    def is_known_to_need(self, trip: Trip) -> bool:
        """Whether a record that follows from the saga's id says so: of a dead job, or of a message that became none."""
        records, items = self._world.cloud.records(), self._world.cloud.items
        for place, role in self._needed(trip):
            job = self.job(trip, place, role)
            refused = items.get((job, "TOKEN"), {}).get("refused")
            found = records.get(job) if refused is None else records.get(f"{trip.tenant}#{refused['S']}")
            if found is not None and _is_dead(State.of(found)):
                return True
        return False

    def _needed(self, trip: Trip) -> Iterator[tuple[int, Role]]:
        for place in range(trip.shape.steps):
            if trip.shape.pivot is not None and place > trip.shape.pivot:
                yield place, Role.STEP
            else:
                yield place, Role.UNDO if place in trip.shape.undone else Role.CLOSE


def audit_trips(world: World) -> None:
    """Every saga is whole, or nothing is left of it, or it stands there for somebody."""
    trips = world.part(Trips)
    for trip in trips.trips.values():
        runs = trips.runs(trip)
        if not runs:
            if trip.number in trips.accepted:
                raise Violation("lost", f"{trip} was accepted and never began")
            continue
        match _outcome(runs[-1]):
            case "succeeded":
                _is_whole(trips, trip)
            case "compensated":
                _is_undone(trips, trip)
            case "FAILED" if runs[-1].error != "Tidemill.NeedsAttention":
                raise Violation("I29", f"{trip} failed of {runs[-1].error}: {runs[-1].cause}")
            case "RUNNING":
                _stands_there(trips, trip)


def _is_whole(trips: Trips, trip: Trip) -> None:
    if trip.number in trips.cancelled:
        raise Violation("I29", f"{trip} was cancelled, and carried to its end")
    for place in range(trip.shape.steps):
        if (trip.number, place) not in trips.standing:
            raise Violation("I29", f"{trip} succeeded, and step {place} is not applied")
        if (trip.number, place) in trips.given_back:
            raise Violation("I29", f"{trip} succeeded, and step {place} was undone")


def _is_undone(trips: Trips, trip: Trip) -> None:
    for place in trip.shape.undone:
        if (trip.number, place) in trips.standing:
            raise Violation("I29", f"{trip} was undone, and step {place} is applied")


def _stands_there(trips: Trips, trip: Trip) -> None:
    if not trips.needs_attention(trip):
        raise Violation("I29", f"{trip} goes on, though everything is quiet")
    if not trips.is_known_to_need(trip):
        raise Violation("I29", f"{trip} waits for a person, and its view can't say so")


def _is_dead(state: State) -> bool:
    return state.state == "dead" and not state.is_closed


def _outcome(run: Run) -> str:
    if run.status != "SUCCEEDED":
        return run.status
    return "compensated" if run.output.get("outcome") == "compensated" else "succeeded"


def _waits(body: str, saga_id: str) -> bool:
    """Whether a message in a DLQ asks for a job that the saga can't do without. Most are no such thing."""
    if saga_id not in body:
        return False
    errand = json.loads(body).get("saga")
    if not isinstance(errand, dict) or "token" not in errand:
        return False
    return errand["id"] == saga_id and errand.get("waits") is True
