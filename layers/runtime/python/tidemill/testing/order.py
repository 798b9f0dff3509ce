"""The numbers of entities in memory: the reference implementation of `EntityOrder`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from tidemill.domain.entity import Entity
from tidemill.domain.errors import UnavailableError


@dataclass
class MemoryOrder:
    """`EntityOrder` in dictionaries. Not for threads.

    Attributes:
        outage: set it to make every call fail.
    """

    given: dict[Entity, int] = field(default_factory=dict)
    finished: dict[Entity, int] = field(default_factory=dict)
    outage: UnavailableError | None = None

    def number(
        self,
        wanted: Sequence[tuple[Entity, int]],
        until_s: int,  # noqa: ARG002 - nothing here is ever collected
    ) -> list[int | UnavailableError]:
        """See EntityOrder."""
        return [self.outage or self._take(entity, count) for entity, count in wanted]

    def last_finished(self, entity: Entity) -> int | None:
        """See EntityOrder."""
        self._fail()
        return self.finished.get(entity)

    def finish(self, entity: Entity, sequence: int, until_s: int) -> None:  # noqa: ARG002 - as above
        """See EntityOrder."""
        self._fail()
        self.finished[entity] = max(sequence, self.finished.get(entity, sequence))

    def _take(self, entity: Entity, count: int) -> int:
        last = self.given.get(entity, 0)
        self.given[entity] = last + count
        return last + 1

    def _fail(self) -> None:
        if self.outage is not None:
            raise self.outage
