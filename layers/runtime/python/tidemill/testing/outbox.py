"""The outbox and the bus in memory: the reference implementations of two ports."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.outbox import Outbound, OutboundFact, OutboundJob, jobs_named
from tidemill.domain.ports import OutboxPage

_TABLE: Final = "tidemill-jobs"


@dataclass
class MemoryOutbox:
    """`Outbox` in a dictionary, which is that of the `MemoryStore` whose jobs commit. Not for threads.

    Attributes:
        rows: what stands in it, by name.
    """

    rows: dict[str, Outbound] = field(default_factory=dict)
    _prepared: dict[str, Outbound] = field(default_factory=dict)

    def commit(self, items: Iterable[Mapping[str, Any]]) -> None:
        """What DynamoDB does when a transaction commits that has these entries of `client.transact_items(...)`.

        Others may be among them, and are left alone: this is no DynamoDB.
        """
        for entry in items:
            name = entry.get("Put", {}).get("Item", {}).get("sk", {})
            outbound = self._prepared.get(name.get("S", "") if isinstance(name, Mapping) else "")
            if outbound is not None:
                self.write([outbound])

    def write(self, outbounds: Sequence[Outbound]) -> None:
        """Let these stand in it."""
        self.rows.update({outbound.name: outbound for outbound in outbounds})

    def actions(self, outbounds: Sequence[Outbound]) -> list[dict[str, Any]]:
        """See Outbox."""
        self._prepared.update({outbound.name: outbound for outbound in outbounds})
        return [{"Put": {"TableName": _TABLE, "Item": _key(outbound)}} for outbound in outbounds]

    def find(self, ref: JobRef) -> OutboundJob | None:
        """See Outbox."""
        named = sorted(name for name in self.rows if name.startswith(jobs_named(ref)))
        found = (self.rows[name] for name in named)
        return next((one for one in found if isinstance(one, OutboundJob)), None)

    def standing(self, outbounds: Sequence[Outbound]) -> list[bool]:
        """See Outbox."""
        return [outbound.name in self.rows for outbound in outbounds]

    def remove(self, outbounds: Sequence[Outbound]) -> list[UnavailableError | None]:
        """See Outbox."""
        for outbound in outbounds:
            self.rows.pop(outbound.name, None)
        return [None] * len(outbounds)

    def page(self, shard: int, limit: int, cursor: str | None) -> OutboxPage:
        """See Outbox."""
        names = sorted(name for name, outbound in self.rows.items() if outbound.shard == shard)
        left = [name for name in names if cursor is None or name > cursor]
        last = left[limit - 1] if len(left) > limit else None
        return OutboxPage(tuple(self.rows[name] for name in left[:limit]), (), last)


@dataclass
class MemoryBus:
    """`EventBus` in a list.

    Attributes:
        tell: what the bus's rules do with each fact.
        published: every fact as it was published, those that were published twice included.
    """

    tell: Callable[[OutboundFact], object] = field(default_factory=lambda: _nobody)
    published: list[OutboundFact] = field(default_factory=list)

    def publish(self, facts: Sequence[OutboundFact]) -> list[UnavailableError | None]:
        """See EventBus."""
        for fact in facts:
            self.published.append(fact)
            self.tell(fact)
        return [None] * len(facts)


def _nobody(_: OutboundFact) -> None:
    """No rule is there."""


def _key(outbound: Outbound) -> dict[str, Any]:
    return {"pk": {"S": f"#outbox#{outbound.shard}"}, "sk": {"S": outbound.name}}
