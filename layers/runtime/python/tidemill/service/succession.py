"""What a worker owes the order of a FIFO lane's entities: it tells a job who finished before it, and notes who did.

A job that finished is noted after that was recorded and before its message goes, because the next job of the entity
may start the moment it is gone. A worker that dies in between leaves the message there, and whoever meets it notes
the job again. Jobs of standard lanes have no entity, and cost nothing here.
"""

from __future__ import annotations

from dataclasses import dataclass

from tidemill.domain import limits
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Clock, EntityOrder, Telemetry
from tidemill.domain.settle import UNASKED, Ack, Settlement


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

    def settled(self, job: Job | None, envelope: Envelope, settlement: Settlement) -> Settlement:
        """The settlement of a message whose job stands as `job`, after what it owes was done.

        A message that is still owed something stays: the next receive does it.
        """
        if job is None or envelope.sequence is None or not _is_over(job, envelope, settlement):
            return settlement
        entity = envelope.entity_in(job.lane)
        if entity is None:
            return settlement
        try:
            self.order.finish(entity, envelope.sequence, entity_until_s(self.clock.now_ms()))
        except UnavailableError as error:
            self.telemetry.alert("order_unrecorded", job_id=job.ref.id, cause=error.cause)
            return UNASKED
        return settlement


def entity_until_s(now_ms: int) -> int:
    """Until when an entity is remembered that is used now, Unix seconds."""
    return now_ms // 1000 + int(limits.ENTITY_MEMORY.total_seconds())


def _is_over(job: Job, envelope: Envelope, settlement: Settlement) -> bool:
    # The loser of a key carries other arguments: its caller was refused, and nothing of it ever ran.
    mine = job.fingerprint == envelope.fingerprint
    return mine and job.state is State.SUCCEEDED and isinstance(settlement, Ack)
