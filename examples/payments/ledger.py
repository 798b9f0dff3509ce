"""What the ledger keeps: a stream for each customer, and a line with what they have paid."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from tidemill.streams import Event, Fact, Stream, projection


class Paid(Event, type="customer.paid"):
    """A customer paid for some discs on a day."""

    payment: str
    day: str
    discs: int = Field(ge=1)
    cents: int = Field(ge=0)


class Customer(BaseModel):
    """What is known of a customer."""

    model_config = ConfigDict(frozen=True)

    payments: int = 0
    cents: int = 0


def apply(customer: Customer, event: Paid) -> Customer:
    """The customer after a payment."""
    return Customer(payments=customer.payments + 1, cents=customer.cents + event.cents)


customer = Stream("customer", events=[Paid], start=Customer(), apply=apply, snapshot_every=10)


class Balance(BaseModel):
    """A line of the read model."""

    payments: int = 0
    discs: int = 0
    cents: int = 0
    last: str = ""


@projection("balances", of=customer, model=Balance, group=lambda _: "all", order=lambda balance: balance.cents)
def balances(balance: Balance | None, event: Paid, _fact: Fact) -> Balance:
    """What a customer has paid so far."""
    balance = balance or Balance()
    return Balance(
        payments=balance.payments + 1,
        discs=balance.discs + event.discs,
        cents=balance.cents + event.cents,
        last=event.day,
    )
