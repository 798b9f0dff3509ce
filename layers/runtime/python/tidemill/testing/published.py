"""What was published, as the tests of a publisher want to see it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TypedDict, Unpack

from tidemill.domain.event import Event
from tidemill.domain.fact import Fact, read_fact
from tidemill.testing.assertions import contains
from tidemill.testing.harness import Harness


class About(TypedDict, total=False):
    """What else is known of a fact, as keyword arguments: each must be equal."""

    tenant: str
    subject: str | None
    sequence: int | None
    correlation_id: str
    causation_id: str | None


def assert_published(
    tide: Harness,
    event: type[Event] | Event | str,
    match: Mapping[str, object] | None = None,
    *,
    times: int | None = None,
    **about: Unpack[About],
) -> Fact:
    """Such a fact is on the bus. Answers the first one.

    A fact that was published twice is one: its subscribers know it by its id.

    Arguments:
        event: the event's class or type, or an event, which must be equal.
        match: what its data must contain, at any depth; a list must be equal.
        about: tenant, subject, sequence, correlation_id, causation_id.
        times: there must be exactly so many.

    Raises:
        AssertionError: there is none, or another number; the message lists what was published.
    """
    found = _found(tide, event, match, about)
    if not found or (times is not None and len(found) != times):
        count = f"{len(found)} times" if found else "not"
        often = "" if times is None else f", and should have been {times} times"
        raise AssertionError(f"{_named(event)} was {count} published{often}\n{_listed(tide)}")
    return found[0]


def refute_published(
    tide: Harness,
    event: type[Event] | Event | str,
    match: Mapping[str, object] | None = None,
    **about: Unpack[About],
) -> None:
    """No such fact is on the bus. Arguments as for `assert_published`; the fewer, the more is ruled out.

    Raises:
        AssertionError: there is one.
    """
    found = _found(tide, event, match, about)
    if found:
        raise AssertionError(f"{_named(event)} was published: {found[0]}\n{_listed(tide)}")


def facts_in(tide: Harness) -> list[Fact]:
    """Every fact on the bus once, in the order in which each was published first."""
    once = {sent.id: sent for sent in reversed(tide.bus.published)}
    return [read_fact(json.loads(once[name].text)) for name in dict.fromkeys(sent.id for sent in tide.bus.published)]


def _found(
    tide: Harness, event: type[Event] | Event | str, match: Mapping[str, object] | None, about: About
) -> list[Fact]:
    return [
        fact
        for fact in facts_in(tide)
        if fact.type == _named(event)
        and (not isinstance(event, Event) or json.loads(fact.data) == json.loads(event.canonical()))
        and contains(json.loads(fact.data), match or {})
        and all(getattr(fact, name) == wanted for name, wanted in about.items())
    ]


def _named(event: type[Event] | Event | str) -> str:
    return event if isinstance(event, str) else event.event_type


def _listed(tide: Harness) -> str:
    lines = [f"  {fact.type} of {fact.tenant}: {fact.data.decode()}" for fact in facts_in(tide)]
    return "\n".join(["published were:", *lines] if lines else ["nothing was published"])
