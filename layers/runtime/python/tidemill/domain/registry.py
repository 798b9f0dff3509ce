"""The explicit list of a program's jobs and lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeAlias

from tidemill.domain.definition import JobDefinition
from tidemill.domain.errors import DefinitionError, InputError, UnknownKindError, Violation
from tidemill.domain.lane import DEFAULT_LANES, Lane
from tidemill.domain.listed_lanes import lanes_by_name, standard_in
from tidemill.domain.listed_streams import check_shared_types, projections_by_name, streams_by_category
from tidemill.domain.saga.closing import closing_in
from tidemill.domain.saga.listing import by_name, check_saga
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.words import CLOSE_KIND
from tidemill.domain.sizing import size_lane

if TYPE_CHECKING:
    from tidemill.domain.event import Event
    from tidemill.domain.projection import Projection
    from tidemill.domain.schedule import Schedule
    from tidemill.domain.stream import Stream
    from tidemill.domain.subscription import Subscription

AnyDefinition: TypeAlias = JobDefinition[Any, Any]


class JobRegistry:
    """All jobs of a program, listed by hand so that the list can be searched for and read.

        registry = JobRegistry(make_thumbnail, send_receipt)
        registry = JobRegistry(render, lanes=(*DEFAULT_LANES, Lane("gpu", memory_mb=8192)))
        registry = JobRegistry(reserve, release, charge, sagas=[place_order])
        registry = JobRegistry(place, pack, events=[OrderPlaced])
        registry = JobRegistry(pay, streams=[account], projections=[balances])

        registry = JobRegistry(make_thumbnail, webhooks=["orders"])

    With sagas it has one more job, `tidemill.saga.close`, which ends what steps without a compensation began. With
    webhooks it has one more job and lane, `tidemill.webhook.deliver` and `webhooks`, which nothing else runs on.

    With events, with a job that announces its end, or with `outbox=True`, the stack has a relay, which sends what
    transactions have committed; with events it has a bus, too. Without them it has neither.

    Raises:
        DefinitionError: two jobs answer to one kind or alias, two lanes share a name or their
            resources would, two schedules do, a schedule or answers are of a FIFO lane, a job names a lane or an
            on_dead job that is not listed, a lane's jobs don't fit its worker function, two sagas share a name, a
            saga's job is not listed or in a FIFO lane, what is listed as an event is none or shares its type with
            another one or with an event of a stream, two streams share a category or two projections a name, a
            projection is of a stream that is not listed, or a job names a webhook that is not listed.
    """

    def __init__(
        self,
        *definitions: AnyDefinition,
        lanes: Sequence[Lane] = DEFAULT_LANES,
        sagas: Sequence[Saga] = (),
        events: Iterable[type[Event]] = (),
        outbox: bool = False,
        streams: Sequence[Stream[Any]] = (),
        projections: Sequence[Projection[Any]] = (),
        webhooks: Sequence[str] = (),
    ) -> None:
        self._webhooks: tuple[str, ...] = ()
        if webhooks:
            # Few programs have some, and others don't pay for the import.
            from tidemill.domain.webhook.declaring import declared

            self._webhooks, definitions, lanes = declared(webhooks, definitions, lanes)
        self._lanes = lanes_by_name(lanes)
        self._sagas = by_name(sagas)
        self._streams = streams_by_category(streams)
        self._projections = projections_by_name(projections, self._streams)
        if self._sagas and all(definition.kind != CLOSE_KIND for definition in definitions):
            definitions = (*definitions, closing_in(standard_in(self._lanes)))
        self._kinds = _by_kind(definitions)
        self._definitions = definitions
        for definition in definitions:
            self._check_lane(definition)
            self._check_notice(definition)
            self._check_answers(definition)
            self._check_webhook(definition)
        for saga in self._sagas.values():
            check_saga(saga, self._kinds, self._lanes)
        self._check_schedules()
        self._check_subscriptions()
        self._events = _events(events, definitions)
        check_shared_types(self._streams, self._events)
        self._asks_for_outbox = bool(outbox)
        for lane in self._lanes.values():
            size_lane(lane, self.in_lane(lane.name))

    def __iter__(self) -> Iterator[AnyDefinition]:
        return iter(self._definitions)

    def __len__(self) -> int:
        return len(self._definitions)

    @property
    def lanes(self) -> Mapping[str, Lane]:
        """The lanes by name, in the order given."""
        return MappingProxyType(self._lanes)

    @property
    def sagas(self) -> Mapping[str, Saga]:
        """The sagas by name, in the order given."""
        return MappingProxyType(self._sagas)

    @property
    def events(self) -> Mapping[str, type[Event]]:
        """The events by type, those that jobs announce of themselves included."""
        return MappingProxyType(self._events)

    @property
    def has_outbox(self) -> bool:
        """Whether transactions may commit jobs and facts, which a relay sends."""
        return self._asks_for_outbox or bool(self._events)

    @property
    def webhooks(self) -> tuple[str, ...]:
        """The names of the endpoints that jobs may be told to, in the order given."""
        return self._webhooks

    def saga(self, name: str) -> Saga:
        """The saga of this name.

        Raises:
            InputError: there is none; the message has the nearest names.
        """
        if (found := self._sagas.get(name)) is not None:
            return found
        near = get_close_matches(name, self._sagas, n=3) or sorted(self._sagas)
        raise InputError.at("saga", f"no saga {name!r}; known: {', '.join(near) or 'none'}", "unknown_saga")

    @property
    def streams(self) -> Mapping[str, Stream[Any]]:
        """The streams by category, in the order given. With one, the stack has an event store."""
        return MappingProxyType(self._streams)

    @property
    def projections(self) -> Mapping[str, Projection[Any]]:
        """The projections by name, in the order given. With one, the stack has a projector."""
        return MappingProxyType(self._projections)

    def in_lane(self, lane: str) -> tuple[AnyDefinition, ...]:
        """The jobs that run in `lane` unless a submit says otherwise."""
        return tuple(definition for definition in self._definitions if definition.lane == lane)

    def resolve(self, kind: str) -> AnyDefinition:
        """The job that answers to `kind` or to it as an alias.

        Raises:
            UnknownKindError: none does; the message has the nearest kinds.
        """
        try:
            return self._kinds[kind]
        except KeyError:
            near = get_close_matches(kind, self._kinds, n=3)
            hint = (
                f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(sorted(self._kinds)) or 'none'}"
            )
            raise UnknownKindError(Violation("kind", f"no job of kind {kind!r}; {hint}", "unknown_kind")) from None

    @property
    def schedules(self) -> tuple[tuple[AnyDefinition, Schedule], ...]:
        """Every schedule, with the job that declares it."""
        return tuple((definition, schedule) for definition in self._definitions for schedule in definition.schedules)

    @property
    def subscriptions(self) -> tuple[tuple[AnyDefinition, Subscription], ...]:
        """Every subscription, with the job that hears."""
        return tuple((definition, one) for definition in self._definitions for one in definition.hears)

    def route(self, definition: AnyDefinition) -> str:
        """The lane whose queue takes what is sent for the job without an envelope: its own, or a standard one."""
        return standard_in(self._lanes) if self._lanes[definition.lane].fifo else definition.lane

    def _check_subscriptions(self) -> None:
        for definition, subscription in self.subscriptions:
            if all(lane.fifo for lane in self._lanes.values()):
                raise DefinitionError(
                    f"job {definition.kind!r} hears {subscription.event.event_type!r}, and all lanes are FIFO: a rule "
                    "can't name the entity of a message, so facts come by a standard lane. Fix: add Lane('...')"
                )

    def _check_schedules(self) -> None:
        names: dict[str, str] = {}
        for definition, schedule in self.schedules:
            if self._lanes[definition.lane].fifo:
                raise DefinitionError(
                    f"job {definition.kind!r} has schedule {schedule.title!r} and runs in FIFO lane "
                    f"{definition.lane!r}: a schedule sends a plain message, which becomes a job by being sent anew, "
                    "and can't keep its place. Fix: schedule a job of a standard lane that submits this one"
                )
            # CloudFormation's logical ids hold letters and digits only.
            plain = "".join(filter(str.isalnum, schedule.title))
            if plain in names:
                both = f"{names[plain]!r} and {schedule.title!r}"
                raise DefinitionError(f"schedules {both} have one name but for . _ and -. Fix: rename one")
            names[plain] = schedule.title

    def _check_lane(self, definition: AnyDefinition) -> None:
        if definition.lane not in self._lanes:
            raise DefinitionError(
                f"job {definition.kind!r} names lane {definition.lane!r}, the registry has "
                f"{', '.join(self._lanes) or 'none'}. Fix: JobRegistry(..., lanes=(*DEFAULT_LANES, "
                f"Lane({definition.lane!r})))"
            )

    def _check_answers(self, definition: AnyDefinition) -> None:
        if definition.answers and self._lanes[definition.lane].fifo:
            raise DefinitionError(
                f"job {definition.kind!r} has answers and FIFO lane {definition.lane!r}: while it waits, it would hold "
                "back all later jobs of its entity. Fix: give it a standard lane, or wait in a job of another kind "
                "that submits this one when it has its answer"
            )

    def _check_webhook(self, definition: AnyDefinition) -> None:
        if definition.webhook is not None and definition.webhook not in self._webhooks:
            raise DefinitionError(
                f"job {definition.kind!r} names webhook {definition.webhook!r}, the registry has "
                f"{', '.join(self._webhooks) or 'none'}. Fix: JobRegistry(..., webhooks=[{definition.webhook!r}])"
            )

    def _check_notice(self, definition: AnyDefinition) -> None:
        notice = definition.on_dead
        if notice is None:
            return
        if notice.job_kind not in self._kinds:
            raise DefinitionError(
                f"job {definition.kind!r} names on_dead {notice.__name__}, and no job of kind {notice.job_kind!r} is "
                "listed. Fix: write @job for it and add it to JobRegistry(...)"
            )
        lane = self._lanes.get(self._kinds[notice.job_kind].lane)
        if lane is not None and lane.fifo:
            raise DefinitionError(
                f"job {definition.kind!r} names on_dead {notice.__name__}, which runs in FIFO lane {lane.name!r}: the "
                f"notice of a death has no entity. Fix: give {notice.job_kind!r} a standard lane"
            )


def _events(events: Iterable[type[Event]], definitions: Sequence[AnyDefinition]) -> dict[str, type[Event]]:
    announced = [state for definition in definitions for state in definition.announces]
    if events == () and not announced:
        return {}
    # Programs without events need not import what they are.
    from tidemill.domain.listed_events import by_type

    return by_type(events, announced)


def _by_kind(definitions: Sequence[AnyDefinition]) -> dict[str, AnyDefinition]:
    kinds: dict[str, AnyDefinition] = {}
    for definition in definitions:
        if not isinstance(definition, JobDefinition):
            raise DefinitionError(f"{definition!r} is no job. Fix: decorate it with @job(...)")
        for kind in (definition.kind, *definition.args_type.job_aliases):
            if kind in kinds:
                raise DefinitionError(f"two jobs answer to kind {kind!r}. Fix: rename one, or drop the alias")
            kinds[kind] = definition
    return kinds
