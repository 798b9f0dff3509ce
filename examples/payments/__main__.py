"""`python -m examples.payments`: 6,919 real payments as events, projected, tampered with, rebuilt."""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import replace

from examples.orders.purchases import Purchase, purchases
from examples.payments.ledger import Paid, balances, customer
from tidemill.domain.stream import StreamRef
from tidemill.testing import EventHarness


def paid(purchase: Purchase) -> Paid:
    """A purchase as an event."""
    return Paid(payment=purchase.order, day=purchase.day.isoformat(), discs=purchase.discs, cents=purchase.cents)


def keep(tide: EventHarness) -> Counter[str]:
    """Append every payment to its customer's stream; answer the straight sums."""
    sums: Counter[str] = Counter()
    for purchase in purchases():
        key = str(purchase.customer)
        tide.streams.append(tide.streams.load(customer, key), paid(purchase), once=purchase.order)
        sums[key] += purchase.cents
    return sums


def shown(tide: EventHarness) -> Counter[str]:
    """The balances that the read model shows, all of its pages."""
    found: Counter[str] = Counter()
    cursor: str | None = None
    while True:
        page, cursor = tide.read_models.group(balances, "all", cursor=cursor)
        found.update({line.ref.key: line.shown.cents for line in page if line.shown is not None})
        if cursor is None:
            return found


def tamper(tide: EventHarness, key: str, version: int) -> None:
    """Change one byte of one fact, as somebody with access to the table could."""
    held = tide.store.facts[StreamRef("default", "customer", key)]
    data = held[version].fact.data
    place = data.index(b'"cents":') + len(b'"cents":')
    digit = b"9" if data[place : place + 1] != b"9" else b"8"
    changed = data[:place] + digit + data[place + 1 :]
    held[version] = replace(held[version], fact=replace(held[version].fact, data=changed))


def main() -> int:
    """Play all of it; answer 1 if something is not as it must be."""
    tide = EventHarness(balances)
    sums = keep(tide)
    tide.project()
    right = [("balances equal a straight sum", shown(tide) == sums)]
    tide.fill(balances)
    right.append(("the rebuilt read model equals the live one", not list(tide.rebuilder.differing("balances"))))
    tide.rebuilder.switch("balances")
    right.append(("and is read from now on", shown(tide) == sums))
    largest = max(sums, key=lambda key: tide.streams.load(customer, key).version)
    whole = tide.streams.verify(customer, largest)
    tamper(tide, largest, 7)
    broken = tide.streams.verify(customer, largest).broken
    right.append(
        ("one tampered byte is found at its fact", whole.is_whole and broken is not None and broken.version == 7)
    )
    print(
        f"{sum(1 for _ in purchases()):,} payments of {len(sums):,} customers, {sum(sums.values()) / 100:,.2f} dollars"
    )
    for what, holds in right:
        print(f"{'ok  ' if holds else 'FAIL'} {what}")
    return 0 if all(holds for _, holds in right) else 1


if __name__ == "__main__":
    sys.exit(main())
