"""What must hold of the desk (I23): nothing is changed without an entry, by a dry run, or after a canary that failed.

Watches every call and every change of an item, and knows which process does what for which operator. Reads items and
messages without any of the shipped code.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.cloud import Item, Key
from tests.simulation.jobs.mended import GREY, KIND
from tests.simulation.mail import job_of
from tests.simulation.watchers.invariants import FINAL, State, Violation
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

_AUDIT: Final = "#audit#"
# Those of `operators`, who may do here what they do everywhere.
OTHERS: Final = "an operator"
_QUEUE_CHANGES: Final = (
    "DeleteMessage",
    "DeleteMessageBatch",
    "SendMessage",
    "SendMessageBatch",
    "StartMessageMoveTask",
)
_TABLE_CHANGES: Final = (
    "BatchExecuteStatement",
    "BatchWriteItem",
    "DeleteItem",
    "PutItem",
    "TransactWriteItems",
    "UpdateItem",
)
_SEND_ID: Final = re.compile(r'"send_id": ?"([^"]+)"')
# What of an entry its end may not change.
_LASTING: Final = ("at", "actor", "action", "chosen", "manner", "tenant")


@dataclass
class Act:
    """What one process does at the desk.

    Attributes:
        actor: in whose name. `is_look`: it may change nothing. `colour`: what an edit gives the job.
        entry: its newest entry in the trail, while that is open. `stopped`: its canary failed.
    """

    actor: str
    is_look: bool = False
    is_purge: bool = False
    colour: str | None = None
    entry: Mapping[str, Any] | None = None
    stopped: bool = False
    flown: dict[str, int] = field(default_factory=dict)


class Trail:
    """Watches the desk of one schedule."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._acts: dict[Process, Act] = {}
        self._colours: dict[tuple[str, int], str] = {}
        self._bodies: dict[str, str] = {}
        world.cloud.watch(self.look)
        world.calls.watchers.append(self.hear_call)
        world.ledger.watchers.append(self.hear_job)

    def begin(self, act: Act) -> Act:
        """The process that calls this does `act` from now on."""
        self._acts[self._world.scheduler.running().host] = act
        return act

    def flew(self, act: Act, job: str) -> None:
        """The canary of `act` has let this job run again, or tried to."""
        item = self._world.cloud.records()[job]
        act.flown.setdefault(job, int(item["generation"]["N"]))

    def landed(self, act: Act, *, passed: bool) -> None:
        """The desk says how the canary fared. If it says well, each job of it has ended otherwise than dead."""
        act.stopped = not passed
        if not passed:
            return
        for job in act.flown:
            state = State.of(self._world.cloud.records()[job])
            if not state.is_final or state.state == "dead":
                raise Violation("I23", f"the canary passed, and {job} of it is {state}")

    # --- what is watched --------------------------------------------------------------------------

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Check one change of an item."""
        if after is None:
            return
        act = self._act()
        if key[0].startswith(_AUDIT):
            self._enter(act, before, after)
        elif act is not None:
            self._check_entered(act, f"{key[1]} of {key[0]}", key[0])
        if key[1] == "STATE" and before is not None:
            self._colour(key[0], before, after, act)

    def hear_call(self, service: str, operation: str, arguments: Mapping[str, Any]) -> None:
        """Check one call that was carried out."""
        if operation in ("SendMessage", "SendMessageBatch"):
            for body in _bodies(arguments):
                self._check_bytes(body)
        act = self._act()
        if act is None or operation not in (*_QUEUE_CHANGES, *_TABLE_CHANGES):
            return
        if act.is_look:
            raise Violation("I23", f"{act.actor} only looked, and {operation} changed something")
        if service == "sqs":
            self._check_entered(act, operation, None)
            if act.is_purge and operation == "DeleteMessageBatch":
                self._check_traces()

    def hear_job(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A job runs: with the arguments of its generation."""
        if what != "start" or ctx.kind != KIND:
            return
        job = f"{ctx.tenant}#{ctx.job_id}"
        wanted = self._colours.get((job, ctx.generation), GREY)
        if args.colour != wanted:
            raise Violation("I23", f"{job} runs {args.colour} in generation {ctx.generation}, which is {wanted}")

    # --- checks -----------------------------------------------------------------------------------

    def _act(self) -> Act | None:
        process = self._world.scheduler.current
        return None if process is None else self._acts.get(process.host)

    def _enter(self, act: Act | None, before: Item | None, after: Item) -> None:
        outcome = after["outcome"]["S"]
        if act is None and after["actor"]["S"] == OTHERS:
            return
        if act is None or after["actor"]["S"] != act.actor:
            raise Violation("I23", f"an entry in the name of {after['actor']['S']}, who did nothing")
        if before is None:
            if outcome != "started":
                raise Violation("I23", f"{act.actor} did something before its entry: {outcome}")
            act.entry = after
            return
        changed = [name for name in _LASTING if before.get(name) != after.get(name)]
        if changed or (before["outcome"]["S"] != "started" and before != after):
            raise Violation("I23", f"an entry of {act.actor} was rewritten: {changed or outcome}")
        if outcome != "started":
            act.entry = None

    def _check_entered(self, act: Act, what: str, job: str | None) -> None:
        if act.stopped:
            raise Violation("I23", f"the canary of {act.actor} failed, and then: {what}")
        if act.entry is None:
            raise Violation("I23", f"{act.actor} changed {what} without an entry in the trail")
        if job is None or "lanes" in json.loads(act.entry["chosen"]["S"]):
            return
        if job.replace("#", "/", 1) not in json.loads(act.entry["jobs"]["S"]):
            raise Violation("I23", f"{act.actor} changed {what}, which its entry does not name")

    def _colour(self, job: str, before: Item, after: Item, act: Act | None) -> None:
        old, new = int(before["generation"]["N"]), int(after["generation"]["N"])
        is_edited = before["fingerprint"] != after["fingerprint"]
        if is_edited and (new == old or act is None or act.colour is None):
            raise Violation("I23", f"the arguments of {job} changed without an edit")
        if new == old:
            return
        if before["state"]["S"] == "succeeded":
            raise Violation("I23", f"{job} succeeded, and runs again in generation {new}")
        edited = act.colour if act is not None and is_edited else None
        self._colours[job, new] = edited or self._colours.get((job, old), GREY)

    def _check_bytes(self, body: str) -> None:
        found = _SEND_ID.search(body)
        if found is None:
            return
        first = self._bodies.setdefault(found[1], body)
        if first != body:
            raise Violation("I23", f"send {found[1]} came again with other bytes")

    def _check_traces(self) -> None:
        """Whoever is not over has a message or is due; whoever is dead can run again."""
        world = self._world
        there = {job_of(message) for message in (*world.cloud.waiting(), *world.cloud.buried())}
        records = world.cloud.records()
        for job in world.ledger.accepted:
            # A plain message with a key, which nobody has read yet, is not known by its job.
            if job in there or job not in records:
                continue
            item = records[job]
            if item["state"]["S"] not in FINAL and "due_sk" not in item:
                raise Violation("I23", f"a purge took the last that there was of {job}")
            if item["state"]["S"] == "dead" and (job, f"ARGS#{item['fingerprint']['S']}") not in world.cloud.items:
                raise Violation("I23", f"a purge took the arguments of {job}, which is dead")


def _bodies(arguments: Mapping[str, Any]) -> Iterator[str]:
    if "Entries" in arguments:
        yield from (entry["MessageBody"] for entry in arguments["Entries"])
    else:
        yield arguments["MessageBody"]
