"""A job that hears of events: every fact of a type becomes one job."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, TypeVar

from pydantic.json_schema import JsonSchemaMode

from tidemill.domain.args import JobArgs
from tidemill.domain.contract import Contract
from tidemill.domain.definition import JobDefinition
from tidemill.domain.errors import DefinitionError
from tidemill.domain.event import Event

D = TypeVar("D", bound=JobDefinition[Any, Any])
# Where a schema says nothing of a value's type.
_ANY: Final = frozenset({"any"})


@dataclass(frozen=True, slots=True)
class Subscription:
    """One type of event that makes jobs of a kind. Declared by `on`."""

    event: type[Event]


def on(event: type[Event]) -> Callable[[D], D]:
    """Make a job of each fact of this type that the stack's bus carries.

        @on(OrderPlaced)
        @job(SendReceipt, lane="mail")
        def send_receipt(args: SendReceipt, ctx: JobContext) -> None: ...

    `cdk deploy` makes a rule of it that sends straight to the lane's queue. The job's arguments are those fields of
    the event's data that its arguments class has, by name; `ctx.heard` says which fact it was. One fact makes one job
    of the kind however often it is sent, within 19 days of the job's last message. The job is the fact's tenant's.

    In a FIFO lane the fact's subject is the entity and its sequence the job's: jobs about one subject run one after the
    other, and `ctx.is_stale` says whether a later fact of it was handled before.

    Arguments:
        event: an Event class with a type. Several `@on` make one job hear several.

    Raises:
        DefinitionError: it is no such class, what it decorates is no job, the job hears it already, or the event's data
            do not fill the job's arguments.
    """
    if not isinstance(event, type) or not issubclass(event, Event) or not hasattr(event, "event_type"):
        raise DefinitionError(f"on({event!r:.80}) names no event. Fix: class OrderPlaced(Event, type='order.placed')")

    def subscribed(definition: D) -> D:
        if not isinstance(definition, JobDefinition):
            raise DefinitionError(f"@on({event.__name__}) decorates {definition!r:.80}. Fix: put it above @job(...)")
        where = f"job {definition.kind!r}: @on({event.__name__})"
        if any(one.event.event_type == event.event_type for one in definition.hears):
            raise DefinitionError(f"{where} stands there twice. Fix: remove one")
        _check_filled(where, definition.args_type, event)
        return replace(definition, hears=(*definition.hears, Subscription(event)))

    return subscribed


def _check_filled(where: str, args_type: type[JobArgs], event: type[Event]) -> None:
    """Whether every event of the class has what the arguments need."""
    given, wanted = _schema(event, "serialization"), _schema(args_type, "validation")
    # What an event leaves out is its default, which is published too.
    properties = given.get("properties", {})
    for name, wants in wanted.get("properties", {}).items():
        field, has = f"{args_type.__name__}.{name}", properties.get(name)
        if has is None and name in wanted.get("required", ()):
            raise DefinitionError(
                f"{where}: {field} is no field of {event.__name__}. Fix: give it a default, or publish it"
            )
        if has is not None and not _fits(_types(has, given), _types(wants, wanted)):
            kinds = " or ".join(sorted(_types(has, given))), " or ".join(sorted(_types(wants, wanted)))
            raise DefinitionError(
                f"{where}: {field} takes {kinds[1]}, {event.__name__}.{name} is {kinds[0]}. Fix: give both one type"
            )


def _schema(contract: type[Contract], mode: JsonSchemaMode) -> Mapping[str, Any]:
    return contract.model_json_schema(by_alias=True, mode=mode)


def _fits(given: frozenset[str], wanted: frozenset[str]) -> bool:
    # A whole number is a number too.
    wider = wanted | ({"integer"} if "number" in wanted else frozenset())
    return bool(_ANY & (given | wanted)) or given <= wider


def _types(schema: Any, root: Mapping[str, Any]) -> frozenset[str]:
    """The JSON types that a schema allows, as far as it says so."""
    if not isinstance(schema, Mapping):
        return _ANY
    if "$ref" in schema:
        return _types(root.get("$defs", {}).get(str(schema["$ref"]).rpartition("/")[2]), root)
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return frozenset().union(*(_types(one, root) for one in schema[several]))
    named = schema.get("type", ())
    return frozenset({named} if isinstance(named, str) else named) or _ANY
