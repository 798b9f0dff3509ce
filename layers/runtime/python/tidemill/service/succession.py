"""What a worker owes the order of a FIFO lane's entities: it tells a job who finished before it, and notes who did.

A job that finished is noted after that was recorded and before its message goes, because the next job of the entity
may start the moment it is gone. A worker that dies in between leaves the message there, and whoever meets it notes
the job again. Jobs of standard lanes have no entity, and cost nothing here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidemill.domain import limits
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Clock, EntityOrder, Telemetry
from tidemill.domain.settle import Ack
from tidemill.service.obligations import Met


@dataclass(frozen=True, slots=True)
class Succession:
    """Who comes after whom."""

    order: EntityOrder
    clock: Clock
    telemetry: Telemetry

    def previous(self, job: Job, envelope: Envelope) -> int | None:
        """The number of the entity's last finished job, None if there is none or the job has no entity.

        Raises:
            UnavailableError: AWS did not answer.
        """
        entity = envelope.entity_in(job.lane)
        return None if entity is None else self.order.last_finished(entity)

    def fulfil(self, met: Sequence[Met]) -> list[bool]:
        """See Obligation: note the jobs of an entity that succeeded."""
        return [self._note(one) for one in met]

    def _note(self, met: Met) -> bool:
        job, envelope = met.over, met.envelope
        # Held back, its message may still be wanted: only one that goes lets the next job of the entity start.
        if job is None or job.state is not State.SUCCEEDED or not isinstance(met.settlement, Ack):
            return True
        entity = envelope.entity_in(job.lane)
        if entity is None or envelope.sequence is None:
            return True
        try:
            self.order.finish(entity, envelope.sequence, entity_until_s(self.clock.now_ms()))
        except UnavailableError as error:
            self.telemetry.alert("order_unrecorded", job_id=job.ref.id, cause=error.cause)
            return False
        return True


def entity_until_s(now_ms: int) -> int:
    """Until when an entity is remembered that is used now, Unix seconds."""
    return now_ms // 1000 + int(limits.ENTITY_MEMORY.total_seconds())
