"""What the streams of one category are made of: their events, and the state that these add up to."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError

from tidemill.domain import limits, stream_limits
from tidemill.domain.declared import check_whole
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.event import Event
from tidemill.domain.fact import Fact
from tidemill.domain.names import check_category, check_stream_key, check_tenant
from tidemill.domain.store_errors import UnknownEventError

S = TypeVar("S", bound=BaseModel)

# Where a category and a key meet in a subject. No category holds it.
SEPARATOR: Final = "/"
# A load reads one snapshot and so many facts at the most, as long as every snapshot was written.
SNAPSHOT_EVERY: Final = 100


@dataclass(frozen=True, slots=True)
class StreamRef:
    """One stream. The tenant is part of its identity, so no name alone reaches another tenant's.

    Raises:
        InputError: a name is ill-formed.
    """

    tenant: str
    category: str
    key: str

    def __post_init__(self) -> None:
        check_tenant(self.tenant)
        check_category(self.category)
        check_stream_key(self.key)

    @property
    def subject(self) -> str:
        """What its facts are about: `account/7`."""
        return f"{self.category}{SEPARATOR}{self.key}"

    def __str__(self) -> str:
        return f"{self.tenant}/{self.subject}"

    @classmethod
    def of(cls, tenant: str, subject: str) -> StreamRef:
        """The stream of a fact's tenant and subject.

        Raises:
            InputError: they name none.
        """
        category, _, key = subject.partition(SEPARATOR)
        return cls(tenant, category, key)


class Stream(Generic[S]):
    """A category of streams, one for each key: `account/7` is the stream of category `account` and key `7`.

        account = Stream("account", events=[Opened, Deposited, Withdrawn], start=Account(), apply=apply)

    Arguments:
        category: the first part of every subject, at most 32 characters. It stands in every fact and never changes.
        events: the models of all facts that such a stream may hold.
        start: the state before the first fact; a frozen pydantic model.
        apply: from a state and an event to the next state. It is pure: it runs at every load and rebuild, so it reads
            no clock, calls nothing and raises nothing.
        snapshot_every: a snapshot of the state is kept about each so many facts (10 to 10,000); 0 for none.
        schema: of the state, from 1. Another number makes every older snapshot count for nothing: raise it whenever
            `apply` or the state's model changes its meaning.

    Raises:
        DefinitionError: a name is ill-formed, something in `events` is no event with a type, two have one type, or
            `start` is no frozen model.
    """

    def __init__(
        self,
        category: str,
        *,
        events: Iterable[type[Event]],
        start: S,
        apply: Callable[[S, Any], S],
        snapshot_every: int = SNAPSHOT_EVERY,
        schema: int = 1,
    ) -> None:
        try:
            self.category: Final = check_category(category)
        except InputError as error:
            raise DefinitionError(f"stream {category!r}: {error}") from error
        self._types = _by_type(self.category, events)
        if not (isinstance(start, BaseModel) and start.model_config.get("frozen")):
            raise DefinitionError(
                f"stream {category!r}: start is {start!r:.60}. Fix: give a pydantic model with "
                "model_config = ConfigDict(frozen=True)"
            )
        if snapshot_every:
            check_whole(f"stream {category!r}: snapshot_every", snapshot_every, 10, stream_limits.MAX_SNAPSHOT_EVERY)
        check_whole(f"stream {category!r}: schema", schema, 1, limits.MAX_SEQUENCE)
        self.start: Final = start
        self.apply: Final = apply
        self.snapshot_every: Final = snapshot_every
        self.schema: Final = schema

    @property
    def events(self) -> tuple[type[Event], ...]:
        """The models of its facts, in the order given."""
        return tuple(self._types.values())

    def at(self, key: str, tenant: str) -> StreamRef:
        """The stream of one key.

        Raises:
            InputError: the key or the tenant is ill-formed.
        """
        return StreamRef(tenant, self.category, key)

    def check(self, event: object) -> Event:
        """Return `event` if such a stream may hold it.

        Raises:
            UnknownEventError: it may not.
        """
        if not isinstance(event, Event) or self._types.get(getattr(event, "event_type", "")) is not type(event):
            raise UnknownEventError(self.category, type(event).__name__, tuple(self._types))
        return event

    def event_of(self, fact: Fact) -> Event:
        """The event in one of its facts.

        Raises:
            UnknownEventError: the fact is of a type that the stream does not list any more.
            InvalidArgsError: its data does not fit the model any more.
        """
        model = self._types.get(fact.type)
        if model is None:
            raise UnknownEventError(self.category, fact.type, tuple(self._types), is_stored=True)
        return model.from_message(fact.data, fact.version)

    def fold(self, state: S, facts: Iterable[Fact]) -> S:
        """The state after these facts.

        Raises:
            UnknownEventError, InvalidArgsError: see `event_of`.
        """
        for fact in facts:
            state = self.apply(state, self.event_of(fact))
        return state

    def write(self, state: S) -> bytes:
        """A state's bytes, for a snapshot.

        Raises:
            InputError: they exceed 256 KiB (262,144 bytes), or `apply` answered something else than the state's model.
        """
        if type(state) is not type(self.start):
            problem = f"apply answered {type(state).__name__}. Fix: let it return {type(self.start).__name__}"
            raise InputError.at("state", problem, "type")
        written = state.model_dump_json().encode()
        if len(written) > stream_limits.MAX_STATE_BYTES:
            most = stream_limits.MAX_STATE_BYTES
            problem = (
                f"of {self.category} is {len(written)} bytes, the limit is {most}. Fix: keep in it "
                "only what decisions need; what is looked at belongs into a read model"
            )
            raise InputError.at("state", problem, "too_large")
        return written

    def read(self, written: bytes) -> S | None:
        """The state of a snapshot; None if its bytes do not fit the model, so that it counts for nothing."""
        try:
            return type(self.start).model_validate_json(written)
        except ValidationError:
            return None

    def __repr__(self) -> str:
        return f"Stream({self.category!r})"


def _by_type(category: str, events: object) -> dict[str, type[Event]]:
    if not isinstance(events, Iterable):
        raise DefinitionError(f"stream {category!r}: events is {events!r:.60}. Fix: events=[Opened, ...]")
    found: dict[str, type[Event]] = {}
    for model in events:
        if not (isinstance(model, type) and issubclass(model, Event) and "event_type" in vars(model)):
            raise DefinitionError(
                f"stream {category!r}: {model!r:.60} is no event. Fix: class Opened(Event, type='{category}.opened')"
            )
        if model.event_type in found:
            raise DefinitionError(f"stream {category!r} has two events of type {model.event_type!r}. Fix: rename one")
        found[model.event_type] = model
    if not found:
        raise DefinitionError(f"stream {category!r} has no events. Fix: list the models of its facts")
    return found


def check_events(sizes: Sequence[int], beside: int) -> None:
    """Refuse an append of no events, or of more than one write takes.

    Arguments:
        sizes: of their data, in bytes. `beside`: how many other items are written in the same transaction.

    Raises:
        InputError: there are none, more than 40, more than 1 MiB (1,048,576 bytes) of them, or over 100 items in all.
    """
    if not 1 <= len(sizes) <= stream_limits.MAX_APPEND_EVENTS:
        problem = f"must be 1 to {stream_limits.MAX_APPEND_EVENTS}, not {len(sizes)}: they are written all or none"
        raise InputError.at("events", problem, "range")
    if sum(sizes) > stream_limits.MAX_APPEND_BYTES:
        problem = (
            f"are {sum(sizes)} bytes together, the limit is {stream_limits.MAX_APPEND_BYTES}. Fix: append them in parts"
        )
        raise InputError.at("events", problem, "too_large")
    if len(sizes) + beside > stream_limits.MAX_TRANSACTION_ITEMS:
        problem = (
            f"and the events are {len(sizes) + beside} items, a transaction takes {stream_limits.MAX_TRANSACTION_ITEMS}"
        )
        raise InputError.at("beside", problem, "range")
