"""A bank account, for tests of the event store: its events, its state, and a store of each kind to keep it in."""

from __future__ import annotations

from itertools import count
from random import Random
from typing import Any

from pydantic import BaseModel, ConfigDict

from tidemill.domain.chain import EMPTY, Head, Recorded, chained
from tidemill.domain.event import Event
from tidemill.domain.fact import Fact
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.stream import Stream, StreamRef
from tidemill.testing.clock import FrozenClock

NOW = 1_800_000_000_000
SEVEN = StreamRef("acme", "account", "7")
_numbers = count(1)


class Opened(Event, type="account.opened"):
    owner: str


class Moved(Event, type="account.moved"):
    cents: int


class Strange(Event, type="account.strange"):
    cents: int


class Account(BaseModel):
    model_config = ConfigDict(frozen=True)

    owner: str = ""
    cents: int = 0
    moves: int = 0


def apply(state: Account, event: Event) -> Account:
    match event:
        case Opened(owner=owner):
            return state.model_copy(update={"owner": owner})
        case Moved(cents=cents):
            return state.model_copy(update={"cents": state.cents + cents, "moves": state.moves + 1})
    raise AssertionError(event)


account = Stream("account", events=[Opened, Moved], start=Account(), apply=apply, snapshot_every=10)


def a_fact(version: int, ref: StreamRef = SEVEN, **changes: Any) -> Fact:
    given = time_ordered_id(NOW, next(_numbers) << 40)
    fields = {
        "id": given,
        "type": "account.moved",
        "data": b'{"cents":%d}' % version,
        "tenant": ref.tenant,
        "at": NOW + version,
        "correlation_id": given,
        "subject": ref.subject,
        "sequence": version,
    }
    return Fact(**{**fields, **changes})


def some_facts(count: int, head: Head = EMPTY, ref: StreamRef = SEVEN) -> tuple[Recorded, ...]:
    """So many facts that follow `head`."""
    return chained(head, [a_fact(head.version + number, ref) for number in range(1, count + 1)])


def parts(store: Any) -> tuple[Any, FrozenClock, Random]:
    """What `Streams` is made of, around a store."""
    return store, FrozenClock(NOW), Random(7)  # noqa: S311 - ids of a test
