"""What must hold of what is committed and sent afterwards (I10).

Watches the table, the queues and the bus: what stands in the outbox was committed together with what it belongs to,
all of it is sent at least once, and nothing else ever is. Reads rows without any of the shipped code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.stream import PARTITION
from tests.simulation.watchers.invariants import Violation, is_refusal
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.world import World

KIND = "sim.tell"
_ENDS = {"job.succeeded": "succeeded", "job.died": "dead"}


@dataclass(frozen=True, slots=True)
class Row:
    """One row of the outbox, and what it says. `owner`: the job or fact that it is, as `tenant#id`."""

    name: str
    is_fact: bool
    owner: str
    cause: str | None
    document: Mapping[str, Any]
    text: str
    at_ms: int

    @classmethod
    def of(cls, name: str, item: Item) -> Row:
        """Read it."""
        what, tenant, its_id = name.split("#")[:3]
        document = json.loads(item["body"]["S"])
        cause = document.get("causationid" if what == "fact" else "causation_id")
        owner = f"{tenant}#{its_id}"
        causing = None if cause is None else f"{tenant}#{cause}"
        return cls(name, what == "fact", owner, causing, document, item["body"]["S"], int(item["at"]["N"]))


class Outboxes:
    """The book of the outbox of one schedule.

    Attributes:
        rows: everything that was ever committed, by its name. `standing`: what is in the outbox now.
        numbers: those of jobs that nobody but the relay may send.
        orders: the names of what each transaction of a caller commits, by the partition of its own item.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.rows: dict[str, Row] = {}
        self.standing: dict[str, Row] = {}
        self.numbers: dict[int, None] = {}
        self.orders: dict[str, tuple[str, ...]] = {}
        self._published: Counter[str] = Counter()
        self._seen = 0
        self._new: list[Row] = []
        self._ended: list[tuple[str, str, int]] = []
        world.cloud.watch(self._look)
        world.calls.watchers.append(self._called)
        world.ledger.watchers.append(self._hear)
        world.dues.append(self._due_at)
        world.unsettled.append(("I10", "something stands in the outbox", lambda: bool(self.standing)))

    def _due_at(self) -> int | None:
        return min((row.at_ms + 120_000 for row in self.standing.values()), default=None)

    def _look(self, key: Key, before: Item | None, after: Item | None) -> None:
        if key[1] == "STATE":
            self._end(key[0], before, after)
        if not key[0].startswith(PARTITION):
            return
        if after is None:
            self.standing.pop(key[1], None)
            return
        row = Row.of(key[1], after)
        stood = self.rows.get(row.name)
        if stood is not None and stood.text != row.text:
            raise Violation("I10", f"{row.name} was written over by another one")
        self.standing[row.name] = row
        if stood is None:
            self._world.tell("committed", row.name)
            self.rows[row.name] = row
            self._new.append(row)
            self._promise(row)

    def _promise(self, row: Row) -> None:
        """A committed job is an accepted one; two with one key are judged at the end."""
        if row.is_fact:
            return
        wanted = self._world.ledger.wanted[row.document["args"]["number"]]
        if wanted.key is None:
            self._world.ledger.begin([wanted])
            self._world.ledger.accept(wanted, row.owner.partition("#")[2])

    def _end(self, job: str, before: Item | None, after: Item | None) -> None:
        if after is None or after["kind"]["S"] != KIND or is_refusal(after):
            return
        state = after["state"]["S"]
        if state in _ENDS.values() and (before is None or before["state"]["S"] != state):
            self._ended.append((job, state, int(after["generation"]["N"])))

    def _called(self, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
        """A call is over: from now on others see what it wrote."""
        self._settle()
        if service == "sqs" and operation.startswith("SendMessage"):
            for entry in arguments.get("Entries", (arguments,)):
                self._check_message(json.loads(entry["MessageBody"]))
        published = self._world.cloud.published
        for entry in published[self._seen :]:
            self._check_fact(entry)
        self._seen = len(published)

    def _settle(self) -> None:
        new, self._new = self._new, []
        for row in new:
            self._check_commit(row)
        ended, self._ended = self._ended, []
        for job, state, generation in ended:
            if self._announcements(job, state, generation) != 1:
                raise Violation("I10", f"{job} g{generation} is {state}, and what announces it is not committed")

    def _announcements(self, job: str, state: str, generation: int) -> int:
        return sum(
            row.is_fact
            and _ENDS.get(row.document["type"]) == state
            and row.document["data"]["generation"] == generation
            and row.cause == job
            for row in self.rows.values()
        )

    def _check_commit(self, row: Row) -> None:
        """It is there with what it belongs to."""
        if row.cause is None:
            order = next((one for one, names in self.orders.items() if row.name in names), None)
            if order is None or (order, "ORDER") not in self._world.cloud.items:
                raise Violation("I10", f"{row.name} is committed, and the transaction that it was given to is not")
            return
        record = self._world.cloud.items.get((row.cause, "STATE"))
        wanted = _ENDS.get(row.document["type"], "succeeded") if row.is_fact else "succeeded"
        state = "nowhere" if record is None else record["state"]["S"]
        if state != wanted:
            raise Violation("I10", f"{row.name} is committed, and {row.cause} is {state} and not {wanted}")

    def _check_message(self, body: Mapping[str, Any]) -> None:
        if "send_id" not in body or "stored" in body or body["args"].get("number") not in self.numbers:
            return
        job = f"{body['tenant']}#{body['id']}"
        if not any(row.owner == job and row.document["args"] == body["args"] for row in self._jobs()):
            raise Violation("I10", f"{job} is sent, and was never committed")

    def _check_fact(self, entry: Mapping[str, Any]) -> None:
        said = json.loads(entry["Detail"])
        row = self.rows.get(f"fact#{said['tenant']}#{said['id']}")
        if row is None:
            raise Violation("I10", f"{said['type']} {said['id']} is published, and was never committed")
        if (row.text, row.document["type"]) != (entry["Detail"], entry["DetailType"]):
            raise Violation("I10", f"{row.name} is published with other words than were committed")
        self._published[row.name] += 1

    def _jobs(self) -> list[Row]:
        return [row for row in self.rows.values() if not row.is_fact]

    def _hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        job = f"{ctx.tenant}#{ctx.job_id}"
        if what == "start" and args.number in self.numbers and all(row.owner != job for row in self._jobs()):
            raise Violation("I10", f"{job} runs number {args.number}, which was never committed")

    # --- at the end -------------------------------------------------------------------------------

    def audit(self) -> None:
        """Everything that was committed was sent; everything that was to be committed is."""
        self._settle()
        for row in self.rows.values():
            if row.is_fact and not self._published[row.name]:
                raise Violation("I10", f"{row.name} was committed and never published")
            if not row.is_fact:
                self._audit_job(row)
        for order, names in self.orders.items():
            is_there = (order, "ORDER") in self._world.cloud.items
            if [name in self.rows for name in names] != [is_there] * len(names):
                raise Violation("I10", f"of the transaction of {order} only a part is committed")
        for job, item in self._world.cloud.records().items():
            if item["kind"]["S"] == KIND and item["state"]["S"] == "succeeded":
                self._audit_teller(job)

    def _audit_job(self, row: Row) -> None:
        record = self._world.cloud.records().get(row.owner)
        if record is None:
            if not self._world.is_forgotten(row.owner):
                raise Violation("I10", f"{row.name} was committed and never sent")
            return
        meant = {other.document["fingerprint"] for other in self._jobs() if other.owner == row.owner}
        if record["fingerprint"]["S"] not in meant:
            raise Violation("I10", f"{row.owner} has other arguments than any transaction committed")

    def _audit_teller(self, job: str) -> None:
        """What a job told in the attempt that succeeded, all of it and once."""
        number = next(number for number, jobs in self._world.ledger.jobs.items() if job in jobs)
        details = self._world.ledger.wanted[number].details
        mine = [row for row in self.rows.values() if row.cause == job]
        told = sorted(row.document["data"]["place"] for row in mine if row.document.get("type") == "sim.told")
        children = sorted(row.document["args"]["number"] for row in mine if not row.is_fact)
        if told != list(range(details["facts"])) or children != sorted(details["children"]):
            raise Violation("I10", f"{job} succeeded and told {told} and {children}, which is not what it had to tell")


def audit_outbox(world: World) -> None:
    """See Outboxes."""
    world.part(Outboxes).audit()
