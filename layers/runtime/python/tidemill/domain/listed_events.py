"""The events that a registry lists."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from difflib import get_close_matches

from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.event import Event
from tidemill.domain.job_events import ANNOUNCED
from tidemill.domain.lifecycle import State


def by_type(events: object, announced: Iterable[State]) -> dict[str, type[Event]]:
    """The events by their types, those that jobs announce of themselves included.

    Raises:
        DefinitionError: one of them is no event with a type of its own, or two share a type.
    """
    if not isinstance(events, Iterable) or isinstance(events, str):
        raise DefinitionError(f"events is {events!r}. Fix: events=[OrderPlaced, ...]")
    found: dict[str, type[Event]] = {}
    for event in (*events, *(ANNOUNCED[state] for state in sorted(set(announced)))):
        if not (isinstance(event, type) and issubclass(event, Event)):
            raise DefinitionError(f"{event!r} in `events` is no event. Fix: class OrderPlaced(Event, type='...')")
        if "event_type" not in vars(event):
            raise DefinitionError(f"event {event.__name__} has no type. Fix: class {event.__name__}(Event, type='...')")
        if found.setdefault(event.event_type, event) is not event:
            raise DefinitionError(f"two events have type {event.event_type!r}. Fix: rename one")
    return found


def check_listed(event: object, listed: Mapping[str, type[Event]]) -> Event:
    """Return `event` if it is one that the registry lists.

    Raises:
        InputError: it is no event, or its type is not listed.
    """
    if not isinstance(event, Event) or not hasattr(event, "event_type"):
        raise InputError.at("event", f"must be an instance of an Event class with a type, not {type(event).__name__}")
    if listed.get(event.event_type) is type(event):
        return event
    near = get_close_matches(event.event_type, listed, n=3) or sorted(listed)
    raise InputError.at(
        "event",
        f"{type(event).__name__} of type {event.event_type!r} is not listed; known: {', '.join(near) or 'none'}. "
        "Fix: JobRegistry(..., events=[...])",
        "unknown_event",
    )
