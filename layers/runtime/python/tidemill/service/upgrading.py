"""Leaving for newer code what this code is too old to read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from tidemill.domain.decide import Waits
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Clock, Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.domain.settle import Hold
from tidemill.domain.upgrading import left_for_newer
from tidemill.service.reception import Enveloped


def leave_newer(
    enveloped: Sequence[Enveloped], registry: JobRegistry, lane: str, clock: Clock, telemetry: Telemetry
) -> dict[str, Hold]:
    """The messages that are given back to their queue unclaimed, and until when they are hidden; by message id.

    What was left long enough is not among them: it is claimed, and dead of `newer_version`.
    """
    found: dict[str, Hold] = {}
    in_order = lane in registry.lanes and registry.lanes[lane].fifo
    for received in enveloped:
        if not is_newer(received.envelope, registry):
            continue
        hold = hold_for(received.delivery, clock, in_order=in_order)
        if hold is not None:
            found[received.delivery.message_id] = hold
            envelope = received.envelope
            telemetry.alert("newer_version", job_id=envelope.ref.id, kind=envelope.kind, version=envelope.version)
    return found


def hold_for(delivery: Delivery, clock: Clock, *, in_order: bool = False) -> Hold | None:
    """Until when this delivery is left for newer code; None if it was left long enough."""
    now_ms = clock.now_ms()
    age = timedelta(milliseconds=now_ms - delivery.sent_at)
    return left_for_newer(Waits(delivery.receives, in_order, age), now_ms)


def is_newer(envelope: Envelope, registry: JobRegistry) -> bool:
    """Whether this code is too old for the arguments."""
    if envelope.version == 1:
        return False
    try:
        known: int = registry.resolve(envelope.kind).args_type.contract_version
    except InputError:
        return False
    return envelope.version > known
