"""What must hold of facts that subscribers hear of (I31).

Each fact has one job of each kind that hears it, and one more for each replay that was meant for the kind; a job knows
which fact it is of; and in a lane in order, whether one that was later has been there before it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from typing import TYPE_CHECKING, Any

from tests.simulation.jobs.behaviour import LINE
from tests.simulation.jobs.hearing import FOLLOW, KINDS
from tests.simulation.mail import job_of
from tests.simulation.watchers.invariants import Violation, is_refusal
from tidemill import JobContext
from tidemill.domain.fact import Fact

if TYPE_CHECKING:
    from tests.simulation.world import World


class Hearings:
    """The book of all that is to be heard.

    Attributes:
        due: how many jobs each kind has of a fact, by kind and the fact's id.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.due: Counter[tuple[str, str]] = Counter()
        self._facts: dict[str, Fact] = {}
        self._jobs: defaultdict[tuple[str, str], dict[str, None]] = defaultdict(dict)
        world.ledger.watchers.append(self.hear)

    def expect(self, fact: Fact, kind: str, replay: str) -> None:
        """A kind is to hear of a fact, and once more in a replay."""
        self._facts[fact.id] = fact
        self.due[kind, fact.id] += 1
        self._world.tell("published", kind, fact.id, replay)

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A subscriber's job runs."""
        if what != "heard":
            return
        job, heard = f"{ctx.tenant}#{ctx.job_id}", ctx.heard
        fact = None if heard is None else self._facts.get(heard.id)
        if heard is None or fact is None:
            raise Violation("I31", f"{job} hears of {heard}, which nobody published")
        told = (heard.type, heard.at, heard.subject, heard.sequence, ctx.tenant, ctx.correlation_id)
        if told != (fact.type, fact.at, fact.subject, fact.sequence, fact.tenant, fact.correlation_id):
            raise Violation("I31", f"{job} is told {told}, which is not {fact}")
        if json.loads(fact.data)["place"] != args.place:
            raise Violation("I31", f"{job} has the place {args.place}, which is not that of {fact}")
        if ctx.generation > 1:
            raise Violation("I31", f"{job} had ended, and {fact.id} that was sent again ran it anew")
        jobs = self._jobs[ctx.kind, fact.id]
        jobs[job] = None
        if len(jobs) > self.due[ctx.kind, fact.id]:
            raise Violation("I31", f"{fact.id} has more jobs of {ctx.kind} than it was sent for: {sorted(jobs)}")
        if ctx.kind == FOLLOW:
            self._follow(job, fact, ctx)

    def _follow(self, job: str, fact: Fact, ctx: JobContext) -> None:
        if (ctx.entity, ctx.sequence) != (fact.subject, fact.sequence):
            raise Violation("I31", f"{job} is number {ctx.sequence} of {ctx.entity}, not as {fact}")
        records = self._world.cloud.records()
        buried = set(map(job_of, self._world.cloud.buried(LINE)))
        later = [
            other
            for (kind, fact_id), jobs in self._jobs.items()
            for other in jobs
            if kind == FOLLOW
            and self._is_behind(fact, self._facts[fact_id])
            # Of one that runs beside it, because SQS gave up on the message of it, nothing is promised.
            and other in records
            and records[other]["state"]["S"] == "succeeded"
            and other not in buried
        ]
        if later and not ctx.is_stale:
            raise Violation("I31", f"{job} is not told that {later} were there before it")

    def _is_behind(self, fact: Fact, other: Fact) -> bool:
        """Whether the other one is a later one of the same line."""
        is_same = (fact.tenant, fact.subject) == (other.tenant, other.subject)
        return is_same and (other.sequence or 0) > (fact.sequence or 0)

    def audit(self) -> None:
        """Each was heard."""
        records = self._world.cloud.records()
        found = {job: item for job, item in records.items() if item["kind"]["S"] in KINDS}
        refused = [job for job, item in found.items() if is_refusal(item)]
        if refused:
            raise Violation("I31", f"messages of facts were refused: {refused}")
        gone = len(self._world.records.forgotten)
        due = sum(self.due.values())
        if not due - gone <= len(found) <= due:
            raise Violation("I31", f"facts were to be heard {due} times, and there are {len(found)} jobs")


def audit_hearings(world: World) -> None:
    """See Hearings."""
    world.part(Hearings).audit()
