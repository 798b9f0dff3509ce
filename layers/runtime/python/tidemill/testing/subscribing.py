"""What EventBridge does with a fact: each rule of the stack makes a message of it."""

from __future__ import annotations

from collections.abc import Callable

from tidemill.domain.fact_message import template_of
from tidemill.domain.outbox import OutboundFact
from tidemill.domain.registry import JobRegistry


def tell_subscribers(registry: JobRegistry, put: Callable[[str, str], object], fact: OutboundFact) -> None:
    """Put the fact on the queue of each job that hears its type."""
    for definition, subscription in registry.subscriptions:
        if subscription.event.event_type == fact.type:
            put(registry.route(definition), message_text(definition.kind, fact.text))


def message_text(kind: str, event: str, replay: str = "") -> str:
    """The message that a subscription's rule makes of an event's JSON text."""
    # The event last: its text may hold what looks like a place to be filled in.
    return template_of(kind).replace("<replay>", replay).replace("<event>", event)
