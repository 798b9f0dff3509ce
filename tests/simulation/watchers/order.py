"""What must hold on a lane that keeps the order of its entities (I21).

Told of every start of an ordered job and of every change of the table. What SQS itself does (a group is locked while
a message of it is away) is the account's; here it is checked that the engine never lets go of that order.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeAlias

from tests.simulation.cloud import Item, Key
from tests.simulation.jobs.behaviour import LINE
from tests.simulation.mail import job_of
from tests.simulation.watchers.invariants import FINAL, Violation
from tests.simulation.watchers.ledger import Wanted
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.world import World

# An entity, by its tenant and its name.
Entity: TypeAlias = tuple[str, str | None]


class Line:
    """Watches the ordered lane of a world.

    Attributes:
        started_ms: when the first job of each entity was started.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        # The numbers under which each job ran, and the entity that it belongs to.
        self._ran: dict[str, set[int]] = {}
        self._of: dict[Entity, dict[str, int]] = {}
        self.started_ms: dict[Entity, int] = {}
        # Numbers that were started, and numbers whose message SQS gave up on meanwhile.
        self._started: set[int] = set()
        self._given_up: set[int] = set()
        world.cloud.watch(self.look)
        world.ledger.watchers.append(self.hear)

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Check one change of an item."""
        if after is None:
            return
        if key[1] == "ORDER" and "finished" in after:
            self._check_finished(key[0], before or {}, after)
        if key[1] == "STATE" and after.get("lane") == {"S": LINE}:
            self._check_never_parked(key[0], before, after)

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A job does something."""
        if what == "start" and ctx.lane == LINE:
            self._start(args.number, ctx)

    def _start(self, number: int, ctx: JobContext) -> None:
        job, entity = f"{ctx.tenant}#{ctx.job_id}", (ctx.tenant, ctx.entity)
        wanted = self._world.ledger.wanted[number]
        if ctx.sequence is None or wanted.entity != ctx.entity:
            raise Violation("I21", f"{job} runs as {ctx.entity} number {ctx.sequence}, not as one of {wanted.entity}")
        self._check_number(job, entity, ctx.sequence, wanted)
        if ctx.generation == 1:
            self._check_not_overtaken(job, wanted)
            for earlier in self._before(wanted):
                # Two submitters with the same jobs at the same time may send in another order than they number.
                numbered = wanted.sequence is None and self._world.ledger.asked[number] == 1
                self._check_turn(job, ctx.sequence if numbered else None, earlier)
        self._check_previous(job, entity, ctx.previous_sequence)
        self._ran.setdefault(job, set()).add(ctx.sequence)
        self._of.setdefault(entity, {})[job] = number
        self._started.add(number)
        self.started_ms.setdefault(entity, self._world.scheduler.now_ms)

    def _before(self, wanted: Wanted) -> list[str]:
        """The jobs that must have had their turn: accepted before this one was asked for, or earlier in its call."""
        ledger, found = self._world.ledger, []
        began = ledger.begun[wanted.number]
        for job, number in ledger.accepted.items():
            other = ledger.wanted[number]
            if number == wanted.number or (other.tenant, other.entity) != (wanted.tenant, wanted.entity):
                continue
            same_call = ledger.begun[number] == began and number < wanted.number
            # A plain message is accepted before it is in the line.
            if same_call or (ledger.promised[number] < began and other.via != "message"):
                found.append(job)
        return found

    def _check_not_overtaken(self, job: str, wanted: Wanted) -> None:
        """None that stood behind it in the same call was started before it, whether or not the call was answered."""
        ledger = self._world.ledger
        buried = [json.loads(message.body) for message in self._world.cloud.buried(LINE)]
        self._given_up.update(body["args"]["number"] for body in buried)
        if wanted.number in self._started | self._given_up:
            return
        for number in self._started:
            if number > wanted.number and ledger.begun[number] == ledger.begun[wanted.number]:
                raise Violation("I21", f"{job}, number {wanted.number} of its call, starts after number {number}")

    def _check_turn(self, job: str, sequence: int | None, earlier: str) -> None:
        item = self._world.cloud.records().get(earlier)
        if self._world.is_forgotten(earlier) or (item is not None and int(item["generation"]["N"]) > 1):
            return
        if (item is None or item["state"]["S"] not in FINAL) and not self._is_buried(earlier):
            state = item["state"]["S"] if item else "not there"
            raise Violation("I21", f"{job} starts before {earlier}, which is {state}")
        if sequence is not None and any(sequence <= ran for ran in self._ran.get(earlier, ())):
            raise Violation("I21", f"{job} has number {sequence}, {earlier} before it {self._ran[earlier]}")

    def _check_number(self, job: str, entity: Entity, sequence: int, wanted: Wanted) -> None:
        if wanted.sequence is not None and wanted.sequence != sequence:
            raise Violation("I21", f"{job} was given number {wanted.sequence} and has {sequence}")
        # A plain message that was sent twice makes two jobs of one number of its sender's.
        others = [
            other
            for other, number in self._of.get(entity, {}).items()
            if other != job and sequence in self._ran[other] and (number, sequence) != (wanted.number, wanted.sequence)
        ]
        if others or sequence < 1:
            raise Violation("I21", f"{job} has number {sequence}, as {others} have")

    def _check_previous(self, job: str, entity: Entity, previous: int | None) -> None:
        """What a job is told of those before it: none that succeeded is missing.

        Of one that runs beside it, because SQS gave up on the message of it, nothing is promised.
        """
        records = self._world.cloud.records()
        for other in self._of.get(entity, {}):
            over = other in records and records[other]["state"]["S"] == "succeeded"
            least = min(self._ran[other])
            if other != job and over and (previous is None or previous < least) and not self._is_buried(other):
                raise Violation("I21", f"{job} is told that {previous} was the last, {other} succeeded as {least}")

    def _check_finished(self, entity: str, before: Item, after: Item) -> None:
        """The note of who finished: it grows, and names one that succeeded, whose message is still there."""
        was, is_ = int(before.get("finished", {"N": "0"})["N"]), int(after["finished"]["N"])
        if was == is_:
            return
        if is_ < was:
            raise Violation("I21", f"the last of {entity} went back from {was} to {is_}")
        tenant, _, rest = entity.partition("#entity#")
        name = rest.partition("#")[2]
        records = self._world.cloud.records()
        for message in (*self._world.cloud.waiting(LINE), *self._world.cloud.buried(LINE)):
            body = json.loads(message.body)
            if (body["tenant"], body["entity"], body["sequence"]) != (tenant, name, is_):
                continue
            if records[job_of(message)]["state"]["S"] == "succeeded":
                return
        raise Violation("I21", f"the last of {entity} is {is_}, and no message of one that succeeded has that number")

    def _check_never_parked(self, job: str, before: Item | None, after: Item) -> None:
        # A dead job that is sent anew is the table's for a moment, so that no crash can lose it.
        revived = before is not None and before["state"]["S"] in ("dead", "scheduled")
        if after["state"]["S"] == "scheduled" and not revived:
            raise Violation("I21", f"{job} is parked, and its successors overtake it")

    def _is_buried(self, job: str) -> bool:
        return any(job_of(message) == job for message in self._world.cloud.buried(LINE))


def audit_line(world: World) -> None:
    """No entity waits for another one, nor for another tenant's: where no fault happened, each starts at once."""
    line, ledger = world.part(Line), world.ledger
    if world.is_harmed or world.operators.acted:
        return
    for number, promised_ms in ledger.promised_ms.items():
        wanted = ledger.wanted[number]
        started = line.started_ms.get((wanted.tenant, wanted.entity))
        if wanted.via != "message" and (started is None or started > promised_ms + _AT_ONCE_MS):
            raise Violation("I21", f"{wanted.entity} of {wanted.tenant} waited for others: started at {started}")


# A few calls, each of which may take 0.9 s.
_AT_ONCE_MS = 15_000
