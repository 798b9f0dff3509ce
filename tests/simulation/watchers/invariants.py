"""What must hold at every write of a record, whoever writes it.

A violation is a `WorkerDied`: the shipped code, which takes whatever jobs raise for their outcome, lets it pass.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.jobs.behaviour import CANARY
from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.interrupt import WorkerDied

if TYPE_CHECKING:
    from tests.simulation.scheduler import Process
    from tests.simulation.world import World

FINAL = ("succeeded", "dead", "cancelled", "expired")
# Two clocks that are each 30 s wrong, and a request on its way.
_SLACK_MS = 2 * 30_000 + 5_000
# Attributes of a record that hold what a job returned, and items that hold what it was given, returned or remembers.
_PAYLOAD = ("result",)
_PAYLOAD_ITEMS = ("ARGS#", "RESULT", "MEMORY", "KEPT#", "V#", "WAIT#", "job#", "fact#")
_MISTAKES = (
    "AssertionError",
    "AttributeError",
    "IndexError",
    "KeyError",
    "NameError",
    "TypeError",
    "UnboundLocalError",
)
_HORIZON_MS = milliseconds(limits.STATE_HORIZON)


class Violation(WorkerDied):
    """An invariant does not hold."""

    def __init__(self, invariant: str, text: str) -> None:
        super().__init__(f"{invariant}: {text}")
        self.invariant = invariant
        self.text = text


@dataclass(frozen=True, slots=True)
class State:
    """A record, as far as invariants look at it."""

    state: str
    fence: int
    generation: int
    attempt: int
    concluded: int
    claimable_at: int | None
    reason: str

    @classmethod
    def of(cls, item: Item) -> State:
        """Read a STATE item without any of the shipped code."""

        def number(name: str) -> int:
            return int(item[name]["N"]) if name in item else 0

        return cls(
            item["state"]["S"],
            number("fence"),
            number("generation"),
            number("attempt"),
            number("concluded"),
            number("claimable_at") if "claimable_at" in item else None,
            item["reason"]["S"] if "reason" in item else "",
        )

    @property
    def is_final(self) -> bool:
        """Whether the job is over in this generation."""
        return self.state in FINAL

    @property
    def is_closed(self) -> bool:
        """Whether its saga went on without it: it is dead, nobody has to look at it, and nobody may redrive it."""
        return self.state == "dead" and self.reason == "saga_over"

    def __str__(self) -> str:
        return f"{self.state} g{self.generation} f{self.fence} a{self.attempt}"


@dataclass(frozen=True, slots=True)
class Commit:
    """One write of one record."""

    job: str
    before: State | None
    after: State
    writer: Process | None
    now_ms: int


def is_refusal(item: Item) -> bool:
    """Whether a STATE item is that of a message which can't become a job."""
    return "send_id" in item and item["send_id"]["S"] == item["pk"]["S"].partition("#")[2]


class Records:
    """Watches the records of a world.

    Attributes:
        holders: the process whose claim made the newest fence of each job.
        on_claim: are told of each claim: the job, its generation and the true time.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.holders: dict[str, Process | None] = {}
        self.claimed: dict[tuple[str, int], int] = {}
        self.forgotten: dict[str, None] = {}
        self.on_claim: list[Callable[[str, int, int], None]] = []

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Check one change of an item."""
        _payload_free(key, after or {})
        _no_mistake(key, after or {})
        if after is None:
            if before is not None and key[1] == "STATE":
                self._forget(key[0], before)
        elif key[1] == "STATE":
            self._check(key[0], before, after)
            self._world.signs.look(key[0], before, after)
        if key[1] == "MEMORY":
            self._world.memories.look(key[0], before, after)

    def _forget(self, job: str, before: Item) -> None:
        keep_until = int(before.get("keep_until", {"N": "0"})["N"])
        if State.of(before).state not in FINAL or keep_until > self._world.scheduler.now_ms:
            raise Violation("I1", f"{job} is gone from the table before its time: {State.of(before)}")
        self.forgotten[job] = None

    def _check(self, job: str, before: Item | None, after: Item) -> None:
        scheduler = self._world.scheduler
        writer = scheduler.current.host if scheduler.current else None
        commit = Commit(job, State.of(before) if before else None, State.of(after), writer, scheduler.now_ms)
        if commit.before == commit.after:
            return
        self._world.tell("record", job, str(commit.before), str(commit.after))
        for check in _CHECKS:
            check(self, commit)
        if commit.before is not None and commit.after.generation > commit.before.generation:
            self._world.memories.reopened(job, commit.before.state, commit.after.generation, writer)
        if _is_claim(commit):
            for claimed in self.on_claim:
                claimed(job, commit.after.generation, commit.now_ms)
            self.holders[job] = writer
            self._world.memories.claimed(job, after, writer)
            self.claimed[job, commit.after.generation] = self.claimed.get((job, commit.after.generation), 0) + 1


def _is_claim(commit: Commit) -> bool:
    fence = commit.before.fence if commit.before else 0
    return commit.after.state == "running" and commit.after.fence > fence


def _final_stays(records: Records, commit: Commit) -> None:
    before, after = commit.before, commit.after
    if before is None or not before.is_final or after.generation == before.generation + 1:
        return
    if after.is_closed and not before.is_closed and before.state == "dead" and after.fence == before.fence + 1:
        # It stays dead; a redrive that has read it before is refused.
        return
    raise Violation("I4", f"{commit.job} left a final state in its generation: {before} -> {after}")


def _generation_grows(records: Records, commit: Commit) -> None:
    before, after = commit.before, commit.after
    if before is not None and not before.generation <= after.generation <= before.generation + 1:
        raise Violation("I4", f"{commit.job} jumped: {before} -> {after}")


def _fence_grows(records: Records, commit: Commit) -> None:
    before, after = commit.before, commit.after
    if before is None:
        return
    if after.fence < before.fence or (
        after.state == "running" and before.state != "running" and after.fence == before.fence
    ):
        raise Violation("I6", f"{commit.job} has an old fence: {before} -> {after}")


def _holder_writes(records: Records, commit: Commit) -> None:
    """Only the process that claimed a running job may write it, until its lease is over."""
    before = commit.before
    if before is None or before.state != "running" or commit.writer is records.holders.get(commit.job):
        return
    if before.claimable_at is not None and before.claimable_at <= commit.now_ms + _SLACK_MS:
        return
    asks = commit.after.state == "running" and commit.after.fence == before.fence
    kills = commit.after.reason == "killed" and commit.writer is not None and commit.writer.role == "operator"
    if not asks and not kills:
        raise Violation("I5", f"{commit.job} runs and another process writes it: {before} -> {commit.after}")


def _holder_concludes(records: Records, commit: Commit) -> None:
    """A verdict counts a conclusion: only the holder of the fence has one to give."""
    before, after = commit.before, commit.after
    if before is None or before.state != "running" or after.concluded == before.concluded:
        return
    if after.generation == before.generation and commit.writer is not records.holders.get(commit.job):
        raise Violation("I5", f"{commit.job} was concluded by a process that does not hold it: {before} -> {after}")


def _attempts_bounded(records: Records, commit: Commit) -> None:
    after = commit.after
    crashes = after.fence - after.concluded - (after.state == "running")
    if after.attempt - crashes > limits.MAX_ATTEMPTS:
        raise Violation("I14", f"{commit.job} has too many attempts: {after}")


def _payload_free(key: Key, item: Mapping[str, Any]) -> None:
    """Arguments and results stand where they belong, and nowhere else: not in a record, an error or the trail."""
    if key[1].startswith(_PAYLOAD_ITEMS):
        return
    for name, value in item.items():
        if name not in _PAYLOAD and CANARY in str(value):
            raise Violation("I18", f"{key} holds payload in {name}")


def _no_mistake(key: Key, item: Mapping[str, Any]) -> None:
    """No simulated job raises these: a recorded one is the simulation's own, and was taken for a job's."""
    if key[1].startswith("ERROR#") and item and item["type"]["S"] in _MISTAKES:
        raise Violation(
            "call", f"the simulation made a mistake inside of a job: {item['type']['S']}: {item['message']}"
        )


_CHECKS: tuple[Callable[[Records, Commit], None], ...] = (
    _final_stays,
    _generation_grows,
    _fence_grows,
    _holder_writes,
    _holder_concludes,
    _attempts_bounded,
)
