"""The deployed shop from outside: stock its shelf, place orders, read its books."""

from __future__ import annotations

import shutil
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from orders import registry
from orders.books import Books
from orders.jobs import SHELF, SHOP
from orders.saga import PlaceOrder, place_order
from orders.shelf import Deliver, ShelfFilled

from examples.orders import APPLICATION
from examples.orders.purchases import Purchase
from tidemill.aws.clients import Clients
from tidemill.batches import Batch
from tidemill.connect import find_stack, program_of
from tidemill.entrypoints.bootstrap import Program
from tidemill.local import LocalCloud
from tidemill.local.state import StateFolder
from tidemill.service.sagas import SagaView

STACK: Final = "orders"
CARRIER: Final = "discs: carrier"


@dataclass(frozen=True, slots=True)
class Shop:
    """The stack `orders`.

    Attributes:
        program: the operator's side of its pipeline. `books`: its table of postings and balances.
    """

    program: Program
    books: Books

    @classmethod
    def deployed(cls, cloud: LocalCloud, folder: Path, files: Mapping[str, Path] | None = None) -> Shop:
        """Deploy the shop into a cloud that runs.

        Arguments:
            folder: for the files of its deployment.
            files: what stands in its code in place of its own files, or beside them.
        """
        context = {"functions": str(_functions_with(files, folder))} if files else {}
        LocalCloud(APPLICATION, StateFolder(folder), cloud.running).deploy(STACK, context=context)
        clients = Clients(cloud.env["AWS_REGION"], cloud.endpoint)
        table = cloud.outputs(STACK)["BooksTable"]
        return cls(program_of(find_stack(STACK, clients), registry, clients), Books(table, cloud.client("dynamodb")))

    def deliver(self, purchases: Iterable[Purchase], key: str) -> str:
        """Let the discs of these purchases be delivered, as one batch; answers its id."""
        deliveries = [Deliver(delivery=one.order, discs=one.discs) for one in purchases]
        return self.program.client.start(Batch(deliveries, then=ShelfFilled()), key=key).batch_id

    def place(self, purchase: Purchase) -> str:
        """Order what was bought; answers the saga's id. Placed twice, it is one order."""
        args = PlaceOrder(order=purchase.order, customer=purchase.customer, discs=purchase.discs, cents=purchase.cents)
        return self.program.sagas.start(place_order, args, key=purchase.order).saga_id

    def look(self, saga_id: str) -> SagaView:
        """An order as it stands."""
        return self.program.sagas.get(place_order.name, saga_id)

    def balance(self, account: str) -> int:
        """What an account has."""
        return self.books.balances().get(account, 0)

    def unheard(self, sold: Iterable[Purchase]) -> str:
        """Which of these purchases a subscriber has not heard of yet; "" if all have."""
        missing = sorted({name for one in sold for name in self._heard_as(one)} - self._posted())
        return f"the books lack {missing}" if missing else ""

    def wrongly_heard(self, undone: Iterable[Purchase]) -> str:
        """Which of these purchases a subscriber has heard of though they were never shipped; "" if none."""
        wrong = sorted({name for one in undone for name in self._heard_as(one)} & self._posted())
        return f"the books have {wrong}" if wrong else ""

    def _heard_as(self, purchase: Purchase) -> tuple[str, ...]:
        return tuple(f"{purchase.order}#{subscriber}" for subscriber in ("sale", "thanks"))

    def _posted(self) -> set[str]:
        return {posting.name for posting in self.books.postings()}

    def problem(self, sold: Iterable[Purchase]) -> str:
        """What is wrong with the books if these purchases, and no others, were sold; "" if nothing is.

        Every posting is added up anew: the balances must say the same, nothing may be reserved, and what left the
        shelf and what came into the till must be what was sold.
        """
        added: defaultdict[str, int] = defaultdict(int)
        for posting in self.books.postings():
            added[posting.source] -= posting.amount
            added[posting.target] += posting.amount
        balances = self.books.balances()
        if dict(added) != balances:
            return f"the postings come to {dict(added)}, the balances are {balances}"
        reserved = {name: amount for name, amount in balances.items() if "reserved" in name and amount}
        if reserved:
            return f"still reserved: {reserved}"
        sales = list(sold)
        wanted = (sum(one.discs for one in sales), sum(one.cents for one in sales))
        found = (balances.get(CARRIER, 0), balances.get(SHOP, 0))
        if found != wanted:
            return f"(discs, cents) sold are {found}, not {wanted}"
        delivered, shelf = -balances.get("discs: supplier", 0), balances.get(SHELF, 0)
        return "" if delivered - shelf == wanted[0] else f"of {delivered} discs, {shelf} are on the shelf"


def _functions_with(files: Mapping[str, Path], folder: Path) -> Path:
    """A copy of the shop's code with these files in it."""
    code = folder / "functions"
    shutil.copytree(APPLICATION / "functions", code, dirs_exist_ok=True)
    for place, file in files.items():
        shutil.copyfile(file, code / place)
    return code
