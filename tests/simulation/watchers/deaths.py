"""What must hold of deaths and their notices (I24).

Watches the table: whoever writes the death of a job whose kind wants a notice has to write the notice with it. Reads
records and notices without any of the shipped code.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.watchers.invariants import Violation, is_refusal
from tidemill import JobContext

if TYPE_CHECKING:
    from tests.simulation.world import World

# Whose death is told, and to which kind.
TOLD = {"sim.risk": "sim.risk_died"}


@dataclass(frozen=True, slots=True)
class Death:
    """The end of one generation of a job (`tenant#id`)."""

    job: str
    generation: int

    def __str__(self) -> str:
        return f"{self.job} g{self.generation}"


class Deaths:
    """The book of the deaths of one schedule.

    Attributes:
        facts: what is true of each death. `notices`: what each notice (`tenant#id`) says, and of which death.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.facts: dict[Death, Mapping[str, Any]] = {}
        self.notices: dict[str, tuple[Death, Mapping[str, Any]]] = {}
        self._of: dict[Death, list[str]] = {}
        self._owed: list[Death] = []
        world.cloud.watch(self.look)
        world.calls.watchers.append(lambda *_: self.settle())
        world.ledger.watchers.append(self.hear)

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """Note a death, or a notice."""
        if after is None:
            return
        if key[1] == "STATE" and after["kind"]["S"] in TOLD and after["state"]["S"] == "dead":
            if before is None or before["state"]["S"] != "dead":
                self._die(key[0], after)
        elif key[1].startswith("ARGS#") and before is None:
            self._note(key[0], json.loads(after["body"]["S"]))

    def settle(self) -> None:
        """A call is over: from now on others see what it wrote, so that no death may be there without its notice."""
        owed, self._owed = self._owed, []
        for death in owed:
            if len(self._of.get(death, ())) != 1:
                raise Violation("I24", f"{death} is written, and its notice is not")

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A notice runs."""
        if what != "told":
            return
        job, death = f"{ctx.tenant}#{ctx.job_id}", Death(f"{ctx.tenant}#{args.job_id}", args.generation)
        self._world.tell("told", job, str(death))
        if death not in self.facts:
            raise Violation("I24", f"{job} is told of {death}, which never was")
        self.check(job, death, args.model_dump())

    def _die(self, job: str, item: Item) -> None:
        if is_refusal(item):
            return
        death = Death(job, int(item["generation"]["N"]))
        self.facts[death] = {
            "job_id": job.partition("#")[2],
            "dead_kind": item["kind"]["S"],
            "lane": item["lane"]["S"],
            "generation": death.generation,
            "attempts": int(item["attempt"]["N"]),
            "reason": item["reason"]["S"],
            "error": item["error"]["S"] if "error" in item else None,
        }
        self._world.tell("death", str(death), item["reason"]["S"])
        self._owed.append(death)

    def _note(self, job: str, envelope: Mapping[str, Any]) -> None:
        if envelope["kind"] not in TOLD.values():
            return
        args = envelope["args"]
        death = Death(f"{job.partition('#')[0]}#{args['job_id']}", args["generation"])
        self.notices[job] = (death, args)
        self._of.setdefault(death, []).append(job)

    def check(self, job: str, death: Death, said: Mapping[str, Any]) -> None:
        """A notice says what is true of its death."""
        facts = self.facts[death]
        wrong = {name: (said.get(name), fact) for name, fact in facts.items() if said.get(name) != fact}
        if wrong:
            raise Violation("I24", f"{job} says of {death} what is not so: {wrong}")


def audit_deaths(world: World) -> None:
    """One notice for each death, and none without one."""
    deaths = world.part(Deaths)
    deaths.settle()
    records = world.cloud.records()
    for job, (death, said) in deaths.notices.items():
        if death not in deaths.facts:
            raise Violation("I24", f"{job} is the notice of {death}, which never was")
        deaths.check(job, death, said)
        if job not in records and not world.is_forgotten(job):
            raise Violation("I24", f"{job}, the notice of {death}, has arguments and no record")
    counted = Counter(death for death, _ in deaths.notices.values())
    for death in deaths.facts:
        if counted[death] != 1:
            raise Violation("I24", f"{death} has {counted[death]} notices")
