"""The second model: what becomes of the messages of one job, from its submit to its end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.model.janitors import Tended, left_final, lost
from tests.model.known import Known
from tests.model.machine import Bounds
from tests.model.parts import World
from tests.model.search import Edge
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.service.submitter import Receipt

MODELLED = frozenset(
    {Verb.CLAIM, Verb.COMPLETE, Verb.RETRY, Verb.PARK, Verb.BURY, Verb.REVIVE, Verb.REPORT_DEAD, Verb.RESCUE}
)
LEFT_OUT = {
    Verb.CLOSE: "saga",
    **dict.fromkeys((Verb.WAIT, Verb.TELL), "waiting"),
    Verb.EXPIRE: "the lease: it settles its message as a success does",
    Verb.EXTEND: "the lease: it moves no message",
    Verb.ASK_CANCEL: "the lease: it moves no message",
    Verb.STOP: "the lease: it settles its message as a success does",
    Verb.KILL: "the lease: whoever held the job meets a final state",
    Verb.CANCEL: "redrive",
    Verb.REDRIVE: "redrive",
    Verb.RERUN: "redrive",
    Verb.REOPEN: "redrive",
    Verb.RESCHEDULE: "redrive",
    Verb.MOVE: "moving",
    Verb.POSTPONE: "moving",
    Verb.SHELVE: "moving",
}


# Among the facts: the census was too early. The others say which arguments were accepted, and whether that was new.
_EARLY = ("", True)


class Settlement(Tended):
    """From nothing: one or two submitters, workers, the sweep and the census."""

    MAKERS = {Verb.REVIVE: "sweep", Verb.REPORT_DEAD: "census", Verb.RESCUE: "census"}  # noqa: RUF012 - read only

    def starts(self) -> Iterator[tuple[str, World]]:
        yield "", World(tuple(self.bounds.most.values()), facts=frozenset())

    def begin(self, world: World) -> Iterator[Edge]:
        spent = self.spend(world, "submits")
        if spent is not None:
            number = self.left(world, "submits")
            times = number if self.bounds.settings.get("other_args") else 1
            for delayed in self.bounds.settings.get("delays", (False,)):
                process = self.process("submits", number, times, delayed)
                yield from self.started(spent, f"s{number} submits{' with a delay' if delayed else ''}", process)
        yield from super().begin(world)

    def finished(self, world: World, process: Known, value: Any) -> World:
        if isinstance(value, Receipt):
            return world._replace(accepted=True, facts=world.facts | {(value.job.fingerprint, value.created)})
        return world

    def moved(self, world: World, verbs: Any, process: Known, envelope: Envelope | None) -> World:
        early = any(verb is Verb.REPORT_DEAD for verb, _ in verbs) and _may_still_come(world, process.value.params[1])
        return world._replace(facts=world.facts | {_EARLY}) if early else world

    def broken(self, world: World, edge: Edge) -> str:
        early = "reported dead, and its message was still to come" if _EARLY in edge.after.facts else ""
        return early or left_final(world, edge.after) or lost(edge.after) or _accepted_twice(edge.after)

    def at_rest(self, world: World) -> str:
        job = world.job
        return "" if job is None or job.state.is_final else f"{job.state} for ever"

    def settled(self, world: World) -> bool:
        job = world.job
        is_over = job is not None and job.state.is_final
        nobody = job is None and not world.messages and not world.facts
        return (is_over or nobody) and all(message.place in ("dlq", "gone") for message in world.messages)


def _may_still_come(world: World, record: Job | None) -> bool:
    """Whether the message that the job was claimed with, as the census read it, may still reach a worker.

    Of a queued job that is a spare copy: it was sent anew since.
    """
    if record is None or record.held is None or record.state is State.QUEUED:
        return False
    mine = [message for message in world.messages if message.envelope.value.send_id == record.held.send_id]
    return any(message.place in ("queue", "hidden", "worker") for message in mine)


def _accepted_twice(world: World) -> str:
    accepted = {fingerprint for fingerprint, created in world.facts if created and fingerprint}
    return "two submits with one key and other arguments were both accepted" if len(accepted) > 1 else ""


ENDS = ("succeeds", "fails", "fails for good")
BOUNDS = (
    Bounds("deaths", 1, {"submits": 1, "deaths": 2}, ENDS, {}),
    Bounds("slow workers", 2, {"submits": 1, "slow": 2}, ENDS, {}),
    Bounds("duplicates", 2, {"submits": 1, "duplicates": 1}, ENDS, {}),
    Bounds("late duplicates", 1, {"submits": 1, "deaths": 1, "duplicates": 1}, ("succeeds", "fails"), {}),
    Bounds(
        "parked",
        1,
        {"submits": 1, "deaths": 1, "is deferred": 1},
        ("succeeds", "is deferred"),
        {"delays": (False, True)},
    ),
    Bounds(
        "parked duplicates",
        1,
        {"submits": 1, "duplicates": 1, "is deferred": 1},
        ("succeeds", "fails", "is deferred"),
        {"receives": 4},
    ),
    # A duplicate of a message that was deleted long ago claims the job and its worker dies, while the message that the
    # job has now uses up its receives.
    Bounds(
        "a deleted duplicate holds the job",
        1,
        {"submits": 1, "deaths": 1, "duplicates": 1, "is deferred": 1},
        ("succeeds", "is deferred"),
        {"days": True, "receives": 2},
    ),
    Bounds("last receives", 1, {"submits": 1, "deaths": 1, "is sent anew": 1}, ("succeeds",), {"receives": 2}),
    Bounds("given back", 1, {"submits": 1, "deaths": 1, "hands over": 2}, ("succeeds", "hands over"), {}),
    Bounds("two submitters", 1, {"submits": 2, "deaths": 1}, ("succeeds", "fails for good"), {"other_args": True}),
)
BIG = (
    Bounds(
        "a deleted duplicate holds the job, failures",
        1,
        {"submits": 1, "deaths": 1, "duplicates": 1, "is deferred": 1},
        ("succeeds", "fails", "is deferred"),
        {"days": True},
    ),
    Bounds("deaths and slow workers", 2, {"submits": 1, "deaths": 1, "slow": 1}, ENDS, {}),
    Bounds("duplicates and deaths", 2, {"submits": 1, "deaths": 1, "duplicates": 1}, ENDS, {}),
    Bounds("three deaths", 1, {"submits": 1, "deaths": 3}, ("succeeds",), {}),
    Bounds(
        "parked duplicates, deaths",
        1,
        {"submits": 1, "deaths": 1, "duplicates": 1, "is deferred": 1},
        ("succeeds", "is deferred"),
        {"delays": (False, True)},
    ),
)
