"""A bank account that is nothing but what happened to it."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

from tidemill.streams import Event, Stream, Streams


class Opened(Event, type="account.opened"):
    """Somebody has an account now."""

    owner: str


class Deposited(Event, type="account.deposited"):
    """Money came."""

    cents: int = Field(gt=0)


class Withdrawn(Event, type="account.withdrawn"):
    """Money went."""

    cents: int = Field(gt=0)


class Account(BaseModel):
    """What decisions need to know: no more than that."""

    model_config = ConfigDict(frozen=True)

    owner: str = ""
    cents: int = 0


def apply(account: Account, event: Event) -> Account:
    """The account after an event. It only adds up: what may happen was decided before."""
    match event:
        case Opened(owner=owner):
            return account.model_copy(update={"owner": owner})
        case Deposited(cents=cents):
            return account.model_copy(update={"cents": account.cents + cents})
        case Withdrawn(cents=cents):
            return account.model_copy(update={"cents": account.cents - cents})
    raise AssertionError(event)


account = Stream("account", events=[Opened, Deposited, Withdrawn], start=Account(), apply=apply)


class OverdrawnError(Exception):
    """There is not so much in the account."""


def withdraw(streams: Streams, key: str, cents: int, payment: str) -> int:
    """Take money out if it is there, once for each payment; answer what is left."""

    def decide(now: Account) -> Sequence[Event]:
        if now.cents < cents:
            raise OverdrawnError(f"{now.cents} cents are there, {cents} were asked for")
        return [Withdrawn(cents=cents)]

    # Whoever appends meanwhile lets it decide again, on what is there then.
    return streams.change(account, key, decide, once=payment).state.cents
