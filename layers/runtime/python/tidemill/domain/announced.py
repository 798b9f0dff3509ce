"""The fact of a job's end, ready to be written together with it."""

from __future__ import annotations

from tidemill.domain.envelope import Envelope
from tidemill.domain.fact import Fact, data_of
from tidemill.domain.ids import caused_id
from tidemill.domain.job import Job
from tidemill.domain.job_events import event_of
from tidemill.domain.outbox import OutboundFact, source_of


def end_of(ended: Job, now_ms: int, cause: Envelope | None, stack: str) -> OutboundFact:
    """What is published of the end of `ended`, the record as it will be.

    Its id follows from the job's and its generation: however often the end is written, it is one fact.

    Arguments:
        cause: what had carried the job, None if nothing did that could be read. `stack`: whose fact it is.
    """
    event = event_of(ended)
    fact = Fact(
        id=caused_id(ended.ref.id, ended.generation, event.event_type),
        type=event.event_type,
        data=data_of(event),
        tenant=ended.ref.tenant,
        at=now_ms,
        correlation_id=ended.correlation_id or ended.ref.id,
        causation_id=ended.ref.id,
        subject=f"job/{ended.ref.id}",
        traceparent=cause.traceparent if cause else None,
        hops=(cause.hops if cause else 0) + 1,
    )
    return OutboundFact.of(fact, source_of(stack))
