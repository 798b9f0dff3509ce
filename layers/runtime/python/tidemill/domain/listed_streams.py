"""What must hold between a program's streams and projections.

Their modules are not imported: a program without streams does not pay for them at its cold start.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from tidemill.domain.errors import DefinitionError

if TYPE_CHECKING:
    from tidemill.domain.event import Event
    from tidemill.domain.projection import Projection
    from tidemill.domain.stream import Stream


def streams_by_category(streams: object) -> dict[str, Stream[Any]]:
    """The streams by category.

    Raises:
        DefinitionError: something in the list is no stream, two have one category, or two have an event of one type.
    """
    found: dict[str, Stream[Any]] = {}
    owners: dict[str, str] = {}
    for stream in _each("streams", streams):
        if not (hasattr(stream, "category") and hasattr(stream, "fold")):
            raise DefinitionError(f"{stream!r:.60} in `streams` is no stream. Fix: give Stream('...', events=[...])")
        if stream.category in found:
            raise DefinitionError(f"two streams are of category {stream.category!r}. Fix: rename one")
        found[stream.category] = stream
        for event in stream.events:
            owner = owners.setdefault(event.event_type, stream.category)
            if owner != stream.category:
                raise DefinitionError(
                    f"streams {owner!r} and {stream.category!r} both have events of type {event.event_type!r}. "
                    "Fix: give each its own, so that a type says what it is about"
                )
    return found


def check_shared_types(streams: Mapping[str, Stream[Any]], events: Mapping[str, type[Event]]) -> None:
    """Refuse a type that means one event where it is published and another one where it is kept.

    Raises:
        DefinitionError: a stream has an event of the type of a listed one that is another class.
    """
    for stream in streams.values():
        for event in stream.events:
            if events.get(event.event_type, event) is not event:
                raise DefinitionError(
                    f"two events have type {event.event_type!r}: one in `events`, one in stream {stream.category!r}. "
                    "Fix: list the same class in both, or rename one"
                )


def projections_by_name(projections: object, streams: Mapping[str, Stream[Any]]) -> dict[str, Projection[Any]]:
    """The projections by name.

    Raises:
        DefinitionError: something in the list is no projection, two have one name, or one is of a stream that is not
            listed.
    """
    found: dict[str, Projection[Any]] = {}
    for one in _each("projections", projections):
        if not (hasattr(one, "name") and hasattr(one, "advance")):
            raise DefinitionError(f"{one!r:.60} in `projections` is no projection. Fix: decorate it with @projection")
        if one.name in found:
            raise DefinitionError(f"two projections are named {one.name!r}. Fix: rename one")
        if streams.get(one.of.category) is not one.of:
            raise DefinitionError(
                f"projection {one.name!r} is of {one.of!r}, which is not listed. "
                "Fix: add it to JobRegistry(..., streams=[...])"
            )
        found[one.name] = one
    return found


def _each(field: str, given: object) -> Iterable[Any]:
    if not isinstance(given, Iterable):
        raise DefinitionError(f"{field} is {given!r:.60}. Fix: {field}=[...]")
    return given
