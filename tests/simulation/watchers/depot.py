"""What must hold of bytes that are too large to travel (I22): who may read them, and how long they are there.

Told of every change of the table, of every send, and of what the jobs were given, remembered and returned.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.mail import job_of
from tests.simulation.watchers.invariants import Violation
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

_SENDS = ("SendMessage", "SendMessageBatch")
_KIND = "sim.archive"


class Depot:
    """Watches the payload bucket of a world.

    Attributes:
        returned: what each start of a job returned, and the process that ran it, by job (`tenant#id`).
        was_denied: whether the roles could not use S3 for a while: S3 says that of a missing object too.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self._drafts: dict[str, list[str]] = {}
        self.returned: dict[str, list[tuple[Process, str]]] = {}
        self.was_denied = False
        world.cloud.watch(self.look)
        world.calls.watchers.append(self.overhear)
        world.ledger.watchers.append(self.hear)

    def hear(self, what: str, args: Any, ctx: JobContext, value: Any) -> None:
        """A job does something."""
        job, process = f"{ctx.tenant}#{ctx.job_id}", self._world.scheduler.running().host
        if ctx.kind != _KIND:
            return
        match what:
            case "start":
                if args.text != self._world.ledger.wanted[args.number].details["text"]:
                    raise Violation("I22", f"{job} runs with bytes that nobody gave it")
            case "drafted":
                self._drafts.setdefault(job, []).append(value)
            case "remembered":
                if value not in self._drafts.get(job, ()):
                    raise Violation("I22", f"{job} remembers what none of its steps returned: {value[:80]}")
            case "returned":
                self.returned.setdefault(job, []).append((process, value))

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Check one change of an item."""
        if after is None:
            return
        for name, digest in _receipts(after):
            if before is None or (name, digest) not in _receipts(before):
                self._check_there(key[0], name, digest)
        if key[1] == "STATE":
            self._check_cost(key[0], before, after)

    def overhear(self, service: str, operation: str, arguments: dict[str, Any]) -> None:
        """Check one call that was carried out: a message must not name what is not there."""
        if service != "sqs" or operation not in _SENDS:
            return
        for entry in arguments.get("Entries", [arguments]):
            for name, digest in _receipts_in(entry["MessageBody"]):
                document = json.loads(entry["MessageBody"])
                self._check_there(f"{document['tenant']}#{document['id']}", name, digest)

    def fits(self, job: str, name: str, digest: str) -> bool:
        """Whether the bytes that a receipt is for are there."""
        tenant, _, job_id = job.partition("#")
        stored = self._world.cloud.objects.get(f"{tenant}/{job_id}/{name}")
        return stored is not None and sha256(stored.data).hexdigest() == digest

    def _check_there(self, job: str, name: str, digest: str) -> None:
        if job in self._world.spoiled or self.fits(job, name, digest):
            return
        record = self._world.cloud.records().get(job)
        if record is not None and record["state"]["S"] == "succeeded" and name.startswith("args/"):
            # Nobody will read them any more; a late copy of the message may still name them.
            return
        raise Violation("I22", f"{name} of {job} is named before it is there, or after it was deleted")

    def _check_cost(self, job: str, before: Item | None, after: Item) -> None:
        reason = after.get("reason", {"S": ""})["S"]
        if before is None or before["state"]["S"] != "running" or before.get("concluded") == after.get("concluded"):
            return
        if reason == "payload_unavailable" and int(after["attempt"]["N"]) != int(before["attempt"]["N"]) - 1:
            raise Violation("I22", f"{job} paid an attempt for an outage of S3")
        excused = job in self._world.spoiled or (self.was_denied and reason == "payload_gone")
        if reason in ("payload_gone", "integrity") and not excused:
            raise Violation("I22", f"{job} died of {reason}, and nobody had touched its bytes")


def audit_depot(world: World) -> None:
    """Everything that is named is there and its owner's, and what nobody needs any more is gone."""
    depot, records = world.part(Depot), world.cloud.records()
    for job, item in records.items():
        if item["kind"]["S"] != _KIND or job in world.spoiled or _is_past(world, item):
            continue
        if item["state"]["S"] == "succeeded":
            _check_result(world, depot, job, item)
            _check_discarded(world, job, item)
        else:
            kept = world.cloud.items.get((job, f"ARGS#{item['fingerprint']['S']}"))
            _check_needed(depot, job, _receipts(kept) if kept else [])
    for message in world.cloud.buried():
        job = job_of(message)
        if records[job]["state"]["S"] == "dead" and job not in world.spoiled:
            _check_needed(depot, job, _receipts_in(message.body))
    _check_owners(world)


def _check_result(world: World, depot: Depot, job: str, item: Item) -> None:
    holder = world.records.holders[job]
    returned = [value for process, value in depot.returned[job] if process is holder]
    found = item["result"]["S"] if "result" in item else None
    if "has_result" in item:
        beside = world.cloud.items[job, f"RESULT#{item['fence']['N']}"]
        found = beside["result"]["S"] if "result" in beside else None
        receipts = _receipts(beside)
        _check_needed(depot, job, receipts)
        for name, _ in receipts:
            found = world.cloud.objects[f"{job.replace('#', '/')}/{name}"].data.decode()
    if not returned or found != json.dumps(returned[-1]):
        raise Violation("I22", f"{job} succeeded, and its result is not what its holder returned: {str(found)[:80]}")


def _check_needed(depot: Depot, job: str, receipts: list[tuple[str, str]]) -> None:
    for name, digest in receipts:
        if not depot.fits(job, name, digest):
            raise Violation("I22", f"{name} of {job} is needed and gone")


def _check_owners(world: World) -> None:
    for key, stored in world.cloud.objects.items():
        tenant, job_id, *_ = key.split("/")
        owner = f'"owner":"{tenant}"' if "/args/" in key else f"{tenant}#{job_id}/"
        if f"{tenant}#{job_id}" not in world.spoiled and owner.encode() not in stored.data:
            raise Violation("I22", f"{key} holds what is another's")


def _check_discarded(world: World, job: str, item: Item) -> None:
    """Arguments end with their job, unless a call failed or somebody put them once more."""
    prefix = f"{job.replace('#', '/')}/args/"
    if world.is_harmed or world.operators.acted or "key" in item:
        return
    if any(key.startswith(prefix) for key in world.cloud.objects):
        raise Violation("I22", f"{job} succeeded, and its arguments are still there")


def _is_past(world: World, item: Item) -> bool:
    """Whether its retention is over: the table forgets it when it comes to it."""
    return int(item.get("keep_until", {"N": "0"})["N"]) <= world.scheduler.now_ms


def _receipts(item: Item) -> list[tuple[str, str]]:
    """The names and hashes of the stored bytes that an item names."""
    found = [receipt for value in item.values() for receipt in _in_value(value)]
    return [*found, *_receipts_in(item["body"]["S"])] if "body" in item else found


def _in_value(value: Any) -> Iterator[tuple[str, str]]:
    parts = value.get("L") if isinstance(value, dict) else None
    if parts and [sorted(part) for part in parts] == [["S"], ["S"], ["N"]] and "/" in parts[0]["S"]:
        yield parts[0]["S"], parts[1]["S"]
        return
    inner = value.get("M", {}).values() if isinstance(value, dict) else ()
    for one in (*(parts or ()), *inner):
        yield from _in_value(one)


def _receipts_in(body: str) -> list[tuple[str, str]]:
    if '"stored":{' not in body:
        return []
    stored = json.loads(body)["stored"]
    return [(stored["name"], stored["sha256"])]
