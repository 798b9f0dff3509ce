"""`@on`: a job that hears of events."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from tidemill.domain.definition import JobDefinition
from tidemill.domain.errors import DefinitionError
from tidemill.domain.event import Event
from tidemill.domain.subscription import Subscription, check_filled

D = TypeVar("D", bound=JobDefinition[Any, Any])


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
        check_filled(where, definition.args_type, event)
        return replace(definition, hears=(*definition.hears, Subscription(event)))

    return subscribed
