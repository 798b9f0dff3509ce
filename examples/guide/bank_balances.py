"""What the bank looks at: a line for each account, by its balance."""

from __future__ import annotations

from pydantic import BaseModel

from examples.guide.bank_account import Deposited, Opened, Withdrawn, account
from tidemill import JobRegistry
from tidemill.streams import Event, Fact, ReadModels, projection


class Balance(BaseModel):
    """One line."""

    owner: str
    cents: int = 0
    moved_at: int = 0


@projection("balances", of=account, model=Balance, group=lambda _: "all", order=lambda balance: max(0, balance.cents))
def balances(balance: Balance | None, event: Event, fact: Fact) -> Balance | None:
    """The line after a fact; the first one finds none."""
    match event, balance:
        case Opened(owner=owner), None:
            return Balance(owner=owner)
        case Deposited(cents=cents), Balance():
            return balance.model_copy(update={"cents": balance.cents + cents, "moved_at": fact.at})
        case Withdrawn(cents=cents), Balance():
            return balance.model_copy(update={"cents": balance.cents - cents, "moved_at": fact.at})
    # A projection that raises halts this account's line, and no other.
    raise ValueError(f"{type(event).__name__} before the account was opened")


registry = JobRegistry(streams=[account], projections=[balances])


def richest(models: ReadModels) -> list[str]:
    """The owners of the ten largest accounts."""
    lines, _ = models.group(balances, "all", descending=True, limit=10)
    return [line.shown.owner for line in lines if line.shown is not None]
