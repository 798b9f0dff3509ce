"""What a worker owes the batch of a child that is over: it counts it, before the child's message may go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tidemill.domain.batch import fate_of
from tidemill.domain.ports import Telemetry
from tidemill.service.batch_progress import BatchProgress, End
from tidemill.service.obligations import Met


@dataclass(frozen=True, slots=True)
class Counting:
    """See Obligation. Jobs that are no child of a batch cost nothing here."""

    progress: BatchProgress
    telemetry: Telemetry

    def fulfil(self, met: Sequence[Met]) -> list[bool]:
        """See Obligation: children of one shard are one write."""
        ends = {place: end for place, one in enumerate(met) if (end := _end_of(one)) is not None}
        if not ends:
            return [True] * len(met)
        errors = dict(zip(ends, self.progress.count(list(ends.values())), strict=True))
        for place, error in errors.items():
            if error is not None:
                batch, job_id = ends[place].ref.id, met[place].envelope.ref.id
                self.telemetry.alert("batch_uncounted", batch_id=batch, job_id=job_id, cause=error.cause)
        return [errors.get(place) is None for place in range(len(met))]


def _end_of(met: Met) -> End | None:
    member, batch = met.envelope.member, met.envelope.batch
    if met.over is None or member is None or batch is None:
        return None
    return End(batch, member, fate_of(met.over.state))
