"""What must hold of arguments in two versions (I30): whoever wrote them and whoever reads them, they mean the same.

Code that is too old to read them leaves them to newer code, and buries what it has met too often.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.cloud import Item, Key
from tests.simulation.jobs.versioned import KIND, UNITS
from tests.simulation.mail import job_of
from tests.simulation.watchers.invariants import Violation
from tidemill import JobContext
from tidemill.domain import limits

if TYPE_CHECKING:
    from tests.simulation.world import World

_REASON = "newer_version"


class Versions:
    """Watches what jobs are given, and what dies of its version."""

    def __init__(self, world: World) -> None:
        self._world = world
        world.cloud.watch(self.look)
        world.ledger.watchers.append(self.hear)

    def hear(self, what: str, args: Any, ctx: JobContext, _: Any) -> None:
        """A job begins."""
        if what != "start" or ctx.kind != KIND:
            return
        wanted = self._world.ledger.wanted[args.number]
        meant = wanted.details["amount"] * args.unit // UNITS[wanted.version or 1]
        if args.amount != meant:
            raise Violation("I30", f"{ctx.tenant}#{ctx.job_id} runs with {args.amount}, and {meant} was meant")

    def look(self, key: Key, before: Item | None, after: Item | None) -> None:
        """A record changes."""
        if key[1] != "STATE" or after is None or after.get("reason", {}).get("S") != _REASON:
            return
        if after["state"]["S"] != "dead" or (before is not None and before["state"]["S"] == "dead"):
            return
        receives = max((one.receives for one in self._world.cloud.waiting() if job_of(one) == key[0]), default=0)
        if receives and receives < limits.MAX_RECEIVES - 1:
            raise Violation("I30", f"{key[0]} is dead of its version after {receives} receives")


def audit_versions(world: World) -> None:
    """Nothing is dead because its arguments were misread."""
    for job, item in world.cloud.records().items():
        if item["state"]["S"] == "dead" and item["reason"]["S"] in ("invalid_args", "upcast", "malformed_message"):
            raise Violation("I30", f"{job} is dead of {item['reason']['S']}, and its arguments were good")
