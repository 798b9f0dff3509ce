"""What must hold of jobs that wait for answers (I28).

Watches the items of waits and the records of their jobs, which it reads without any of the shipped code, and is told
by those who answer what they were told, and by jobs what they got.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.cloud import Item, Key
from tests.simulation.watchers.invariants import FINAL, Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

# A job (`tenant#id`) and the name of what it waits for.
Place = tuple[str, str]
# Two clocks that are each 30 s wrong, and a request on its way.
_SLACK_MS = 2 * 30_000 + 5_000
_PREFIX = "WAIT#"


@dataclass(frozen=True, slots=True)
class Asked:
    """A WAIT item, as far as invariants look at it. `mark` and `by`: the answer's."""

    generation: int
    asked_at: int | None
    ends_at: int | None
    mark: int | None
    by: str
    given_at: int | None
    timed_out: int | None

    @classmethod
    def of(cls, item: Item) -> Asked:
        """Read an item."""

        def number(name: str) -> int | None:
            return int(item[name]["N"]) if name in item else None

        mark = json.loads(item["given"]["S"])["mark"] if "given" in item else None
        by = item["by"]["S"] if "by" in item else ""
        times = number("asked_at"), number("ends_at")
        return cls(int(item["generation"]["N"]), *times, mark, by, number("given_at"), number("timed_out"))

    @property
    def outcome(self) -> tuple[int | None, str, int | None] | None:
        """What came of it; None while it is open."""
        return None if self.mark is None and self.timed_out is None else (self.mark, self.by, self.timed_out)


@dataclass(frozen=True, slots=True)
class Came:
    """What once came of a wait: an answer, or none in time.

    Attributes:
        generation: the item's. `in_generation`: the job's when it was written.
    """

    generation: int
    in_generation: int
    mark: int | None
    by: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a job sent to somebody. `generation`: that of the job then. `ends_at`: until when it lasts, about."""

    job: str
    name: str
    generation: int
    ends_at: int
    text: str


class Answers:
    """The book of the waits of one schedule.

    Attributes:
        timeouts: how long each number waits for each name, milliseconds.
        on_asked: are told of each wait that begins: the job, the name and when it ends. `on_sent`: of each token.
            `on_reopened`: of each job that runs anew.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.timeouts: dict[tuple[int, str], int] = {}
        self.on_asked: list[Callable[[str, str, int], None]] = []
        self.on_sent: list[Callable[[Token], None]] = []
        self.on_reopened: list[Callable[[str], None]] = []
        self._came: dict[Place, list[Came]] = {}
        # What the newest generation of a job that got to know it was told.
        self._used: dict[Place, tuple[int, int | None]] = {}
        self._ended: dict[str, None] = {}
        self._touched: dict[str, None] = {}
        world.cloud.watch(self.look)
        world.calls.watchers.append(lambda *_: self.settle())

    # --- what is written ----------------------------------------------------------------------------

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Note a record, and check a wait that is written."""
        if after is None:
            return
        if key[1] == "STATE":
            self._touched[key[0]] = None
            if after["state"]["S"] in FINAL:
                self._ended[key[0]] = None
            elif before is not None and before["state"]["S"] in FINAL:
                for tell in self.on_reopened:
                    tell(key[0])
        elif key[1].startswith(_PREFIX):
            self._touched[key[0]] = None
            old = Asked.of(before) if before else None
            self._check((key[0], key[1].removeprefix(_PREFIX)), old, Asked.of(after))

    def settle(self) -> None:
        """A call is over: no job that it touched may wait past an answer."""
        touched, self._touched = self._touched, {}
        for job in touched:
            record = self._world.cloud.items.get((job, "STATE"))
            reason = record.get("reason", {}).get("S", "") if record else ""
            if not record or not reason.startswith("waiting:") or record["state"]["S"] not in ("scheduled", "queued"):
                continue
            item = self._world.cloud.items.get((job, _PREFIX + reason.removeprefix("waiting:")))
            wait = Asked.of(item) if item else None
            if wait is None or wait.mark is None or self._is_forgotten(job, wait.generation):
                continue
            left_ms = int(record.get("claimable_at", {"N": "0"})["N"]) - self._world.scheduler.now_ms
            if left_ms > _SLACK_MS:
                raise Violation("I28", f"{job} waits {left_ms} ms more, and its answer {wait.mark} is there")

    # --- what people and jobs tell -------------------------------------------------------------------

    def sent(self, job: str, name: str, generation: int, lasts_s: int, token: str) -> None:
        """The job lets somebody answer."""
        ends_at = self._world.scheduler.now_ms + lasts_s * 1_000
        for tell in self.on_sent:
            tell(Token(job, name, generation, ends_at, token))

    def accepted(self, job: str, name: str, mark: int, by: str, *, is_new: bool, token: Token | None) -> None:
        """`by` was told that the job has this answer, and whether it is theirs."""
        self._world.tell("answered", job, name, str(mark), by, "first" if is_new else "again")
        came = [one for one in self._came.get((job, name), ()) if one.mark == mark]
        mine = [one for one in came if one.by == by]
        if not came or (is_new and not mine):
            raise Violation("I28", f"{by} is told that {job} has {mark} for {name}, and it never had")
        if is_new and token is not None and mine[-1].in_generation != token.generation:
            raise Violation("I28", f"a token of generation {token.generation} of {job} answers {mine[-1]}")

    def refused(self, job: str, name: str, mark: int, code: str) -> None:
        """Somebody was told that the job does not get this answer, and why."""
        self._world.tell("not answered", job, name, str(mark), code)
        came = self._came.get((job, name), [])
        if code not in ("answered", "job_state"):
            raise Violation("I28", f"{mark} is refused for {name} of {job}: {code}")
        if code == "answered" and not any(one.mark not in (None, mark) for one in came):
            raise Violation("I28", f"{mark} is refused for another answer that {job} never had")
        if code == "job_state" and job not in self._ended:
            raise Violation("I28", f"{mark} is refused because {job} is over, which it never was")

    def late(self, job: str, name: str, token: Token | None) -> None:
        """Somebody was told that they come too late: for the wait, for their token, or for its generation."""
        self._world.tell("not answered", job, name, "late")
        item = self._world.cloud.items.get((job, _PREFIX + name))
        ends_at = Asked.of(item).ends_at if item else None
        is_over = ends_at is not None and ends_at <= self._world.scheduler.now_ms + _SLACK_MS
        gave_up = any(one.mark is None for one in self._came.get((job, name), ()))
        if token is not None:
            record = self._world.cloud.items.get((job, "STATE"))
            is_over |= token.ends_at <= self._world.scheduler.now_ms + _SLACK_MS
            is_over |= record is None or int(record["generation"]["N"]) > token.generation
        if not is_over and not gave_up:
            raise Violation("I28", f"somebody is too late for {name} of {job}, whose time is not over: {ends_at}")

    def used(self, job: str, name: str, generation: int, mark: int | None) -> None:
        """The job got this answer, or went on because there was none."""
        self._world.tell("used", job, name, "timeout" if mark is None else str(mark), f"g{generation}")
        came = [one for one in self._came.get((job, name), ()) if one.mark == mark]
        if not came:
            raise Violation("I28", f"{job} got {mark} for {name}, which nobody gave")
        forgot = self._world.memories.forgot(job)
        if forgot <= generation and all(one.generation < forgot for one in came):
            raise Violation("I28", f"{job} got {mark} for {name} in generation {generation}, which forgot it")
        since, told = self._used.get((job, name), (generation, mark))
        if told != mark and generation >= since and not self._is_forgotten(job, since):
            raise Violation("I28", f"{job} was told {told} for {name}, and then {mark}")
        if generation >= since:
            self._used[job, name] = generation, mark

    def reminded(self, job: str, name: str, after_s: int) -> None:
        """The job reminds somebody, this long after it asked."""
        wait = Asked.of(self._world.cloud.items[job, _PREFIX + name])
        if wait.asked_at is None or wait.asked_at + after_s * 1_000 > self._world.scheduler.now_ms + _SLACK_MS:
            raise Violation("I28", f"{job} reminds of {name} before its time: {wait}")

    # --- when everything is quiet ---------------------------------------------------------------------

    def audit(self) -> None:
        """What came of each wait that was not forgotten is what its job went on with."""
        self.settle()
        records = self._world.cloud.records()
        for (job, name), came in self._came.items():
            last, record = came[-1], records.get(job)
            if record is None or record["state"]["S"] != "succeeded" or self._is_forgotten(job, last.generation):
                continue
            _, told = self._used.get((job, name), (0, -1))
            if told != last.mark and self._timeout_of(job, name) is not None:
                raise Violation("I28", f"{job} has {last.mark} for {name}, and succeeded with {told}")
        for job, record in records.items():
            gave_up = any(one.mark is None for place, came in self._came.items() for one in came if place[0] == job)
            if record.get("reason", {}).get("S") == "wait_timed_out" and not gave_up:
                raise Violation("I28", f"{job} is dead of a wait that never ended")

    # --- inside -----------------------------------------------------------------------------------------

    def _check(self, place: Place, old: Asked | None, new: Asked) -> None:
        job, name = place
        if old is not None and old.outcome not in (None, new.outcome) and not self._is_forgotten(job, old.generation):
            raise Violation("I28", f"{name} of {job} has another outcome: {old} -> {new}")
        if old == new:
            return
        for problem in self._problems(job, name, new):
            raise Violation("I28", f"{name} of {job} {problem}: {new}")
        if new.outcome is not None:
            generation = int(self._world.cloud.items[job, "STATE"]["generation"]["N"])
            self._came.setdefault(place, []).append(Came(new.generation, generation, new.mark, new.by))
        elif new.ends_at is not None:
            for tell in self.on_asked:
                tell(job, name, new.ends_at)

    def _problems(self, job: str, name: str, wait: Asked) -> list[str]:
        """What is wrong with a wait that is written."""
        ends_at, given_at, is_given_up = wait.ends_at or 0, wait.given_at or 0, wait.timed_out is not None
        found = {
            "is answered and timed out": wait.mark is not None and is_given_up,
            "does not last as long as was asked": ends_at
            and ends_at - (wait.asked_at or 0) != self._timeout_of(job, name),
            "is answered after its time": ends_at and given_at >= ends_at,
            "is given up before its time": is_given_up and ends_at > self._world.scheduler.now_ms + _SLACK_MS,
        }
        return [problem for problem, is_so in found.items() if is_so]

    def _timeout_of(self, job: str, name: str) -> int | None:
        """How long the job waits for it; None if it never asks."""
        number = next(number for number, jobs in self._world.ledger.jobs.items() if job in jobs)
        return self.timeouts.get((number, name))

    def _is_forgotten(self, job: str, generation: int) -> bool:
        """Whether the job was to forget, later, what it was told in `generation`."""
        return self._world.memories.forgot(job) > generation


def audit_answers(world: World) -> None:
    """See `Answers.audit`."""
    world.part(Answers).audit()
