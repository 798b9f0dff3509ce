"""What makes a read model of streams: a function from a line and an event to the next line."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel

from tidemill.domain import limits, stream_limits
from tidemill.domain.chain import Recorded, first_break
from tidemill.domain.errors import DefinitionError, InputError
from tidemill.domain.fact import Fact
from tidemill.domain.line import Halt, Line
from tidemill.domain.names import check_entity, check_key, check_projection, check_sequence
from tidemill.domain.stream import Stream

M = TypeVar("M", bound=BaseModel)
Function = Callable[[M | None, Any, Fact], M | None]

# Sixteen digits hold every whole number that an order may be, so that they sort as text.
_ORDER_DIGITS: Final = 16


@dataclass(frozen=True, slots=True)
class Projection(Generic[M]):
    """A read model with a line for each stream of a category; made by `@projection`."""

    name: str
    of: Stream[Any]
    model: type[M]
    function: Function[M]
    group: Callable[[M], str] | None = None
    order: Callable[[M], str | int] | None = None

    def advance(self, line: Line, facts: Iterable[Recorded]) -> Line:
        """The line after facts that follow those in it. What it has is not taken again.

        Whatever the function raises, and a fact that does not follow, halts the line where it was. A halted line that
        gets over the fact goes on.
        """
        for one in facts:
            if one.version <= line.head.version:
                continue
            broken = first_break(line.head, [one])
            if broken is not None:
                return replace(line, halt=Halt(broken.version, f"the stream is broken: the fact is {broken.reason}"))
            try:
                line = self._next(line, one)
            except Exception as error:  # noqa: BLE001 - the projection's own code
                reason = f"{type(error).__name__}: {error}"[: limits.MAX_ERROR_MESSAGE_CHARS]
                return replace(line, halt=Halt(one.version, reason))
        return line

    def read(self, line: Line) -> M | None:
        """What a line shows."""
        return None if line.data is None else self.model.model_validate_json(line.data)

    def __call__(self, line: M | None, event: Any, fact: Fact) -> M | None:
        """Call the function, as a test does."""
        return self.function(line, event, fact)

    def _next(self, line: Line, one: Recorded) -> Line:
        made = self.function(self.read(line), self.of.event_of(one.fact), one.fact)
        fresh = Line(line.ref, one.head, one.fact.at)
        if made is None:
            return fresh
        if type(made) is not self.model:
            raise TypeError(f"{self.name} returned {type(made).__name__}. Fix: return {self.model.__name__} or None")
        data = made.model_dump_json().encode()
        if len(data) > stream_limits.MAX_LINE_BYTES:
            problem = (
                f"is {len(data)} bytes, the limit is {stream_limits.MAX_LINE_BYTES}. Fix: keep less of a stream in it"
            )
            raise InputError.at("line", problem, "too_large")
        fresh = replace(fresh, data=data)
        if self.group is None:
            return fresh
        order = self.order(made) if self.order is not None else 0
        return replace(fresh, group=check_key(self.group(made), "group"), order=_sortable(order))


def projection(
    name: str,
    *,
    of: Stream[Any],
    model: type[M],
    group: Callable[[M], str] | None = None,
    order: Callable[[M], str | int] | None = None,
) -> Callable[[Function[M]], Projection[M]]:
    """Declare a read model: `function(line, event, fact)` makes the next line of a stream's.

        @projection("balances", of=account, model=Balance, group=lambda balance: balance.branch)
        def balances(balance: Balance | None, event: Opened | Moved, fact: Fact) -> Balance | None: ...

    The function is called with each fact of a stream once and in order, whatever the stream of the table does, and
    again from the first one at a rebuild. It is pure: it reads no clock and calls nothing.

    Arguments:
        name: at most 32 characters. It stands in the table and does not change.
        of: the streams.
        model: of a line, at most 64 KiB (65,536 bytes) as JSON; a pydantic model.
        group: under which name lines are listed together, at most 96 characters; without it they are found by their
            key only, which saves a write unit or two a fact.
        order: by what they are sorted there: text of at most 128 characters, or a whole number of 0 to 2^53 - 1.

    Raises:
        DefinitionError: the name is ill-formed, `of` is no stream, `model` is no model, or `order` comes without
            `group`.
    """
    try:
        check_projection(name)
    except InputError as error:
        raise DefinitionError(f"projection {name!r}: {error}") from error
    if not isinstance(of, Stream):
        raise DefinitionError(f"projection {name!r}: of is {of!r:.60}. Fix: of=Stream('...', events=[...])")
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        raise DefinitionError(f"projection {name!r}: model is {model!r:.60}. Fix: give a pydantic model")
    if order is not None and group is None:
        raise DefinitionError(f"projection {name!r} has an order and no group. Fix: say what is listed together")

    def made(function: Function[M]) -> Projection[M]:
        return Projection(name, of, model, function, group, order)

    return made


def _sortable(order: object) -> str:
    if isinstance(order, str):
        return check_entity(order, "order")
    return f"{check_sequence(order, 'order'):0{_ORDER_DIGITS}d}"
