"""From the message that a subscription's rule sends to the job of its fact."""

from __future__ import annotations

from typing import Any

from tidemill.domain.errors import InputError
from tidemill.domain.event import Event
from tidemill.domain.fact_message import FactMessage, read_fact_message
from tidemill.domain.names import check_kind
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill.service.submission import Submission


def parse_fact_message(document: dict[str, Any], registry: JobRegistry) -> Submission:
    """Turn `{"event": {...}, "kind": ...}` into a submission.

    Its id follows from the fact and the kind, so that a fact that is sent again is answered with the first job:
    whatever became of that one, it never runs for it. That window is 19 days from the job's last message.

    Raises:
        InputError: a field is unknown, missing or bad, or the kind does not hear such events; each is named.
    """
    message = read_fact_message(document)
    definition = registry.resolve(check_kind(message.kind))
    event = _event_of(message, definition)
    lane, fact = registry.lanes[definition.lane], message.fact
    if lane.fifo and fact.subject is None:
        raise InputError.at(
            "event.subject",
            f"is missing: {definition.kind!r} runs in lane {lane.name!r}, which keeps the order of each subject. "
            "Fix: publish the event with its subject",
            "missing",
        )
    args_type = definition.args_type
    return Submission(
        # Fields that only other subscribers need are ignored.
        args=args_type.from_message(event.canonical(), args_type.contract_version),
        tenant=fact.tenant,
        # A rule can't name the entity of a message: the fact came by a standard lane.
        lane=lane.name if lane.fifo else None,
        entity=fact.subject if lane.fifo else None,
        sequence=fact.sequence if lane.fifo else None,
        job_id=message.job_id(definition.kind),
        correlation_id=fact.correlation_id,
        causation_id=fact.id,
        traceparent=fact.traceparent,
        hops=fact.hops,
        heard=message.heard,
    )


def _event_of(message: FactMessage, definition: AnyDefinition) -> Event:
    for subscription in definition.hears:
        if subscription.event.event_type == message.fact.type:
            return subscription.event.from_message(message.fact.data, message.fact.version)
    heard = ", ".join(sorted(one.event.event_type for one in definition.hears)) or "none"
    raise InputError.at(
        "event.type",
        f"{message.fact.type!r} is not what {definition.kind!r} hears; it hears {heard}. Fix: declare it with @on(...)",
        "unknown_event",
    )
