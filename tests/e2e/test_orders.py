"""Real purchases as sagas on a deployed stack: whatever fails at whatever step, the books balance.

Who hears of orders hears of each that was shipped, and of no other.
"""

from itertools import islice

import pytest

from examples.demo.watch import wait_until
from examples.orders.purchases import purchases
from examples.orders.shop import Shop
from tests.e2e.ground import PATIENCE_S
from tidemill.domain.saga_state import SagaState

pytestmark = pytest.mark.slow

# Step, how it fails, and what becomes of the order. The pivot (`ship`) fails before it does anything, or stumbles: one
# that refuses after it did its work has done what nothing undoes, and is not written so.
FAILURES = [
    ("reserve", "refused", SagaState.COMPENSATED),
    ("reserve", "refused after", SagaState.COMPENSATED),
    ("reserve", "stumbles", SagaState.SUCCEEDED),
    ("reserve", "stumbles after", SagaState.SUCCEEDED),
    ("charge", "refused", SagaState.COMPENSATED),
    ("charge", "refused after", SagaState.COMPENSATED),
    ("charge", "stumbles", SagaState.SUCCEEDED),
    ("charge", "stumbles after", SagaState.SUCCEEDED),
    ("ship", "refused", SagaState.COMPENSATED),
    ("ship", "stumbles", SagaState.SUCCEEDED),
    ("ship", "stumbles after", SagaState.SUCCEEDED),
    ("notify", "stumbles", SagaState.SUCCEEDED),
    ("notify", "stumbles after", SagaState.SUCCEEDED),
]
# What undoes may fail too: the order's carrier refuses it, and on the way back something stumbles.
ON_THE_WAY_BACK = [
    ("return", "stumbles"),
    ("return", "stumbles after"),
    ("refund", "stumbles"),
    ("refund", "stumbles after"),
]


@pytest.fixture(scope="module")
def shop(local, tmp_path_factory):
    """The shop, deployed, with the discs of all that is to be ordered on its shelf."""
    shop = Shop.deployed(local, tmp_path_factory.mktemp("shop"))
    bought = list(islice(purchases(), len(FAILURES) + len(ON_THE_WAY_BACK) + 5))
    batch_id = shop.deliver(bought, key="spring")
    assert wait_until(lambda: shop.program.client.batches.get(batch_id).is_over, PATIENCE_S)
    return shop


def planned(shop, order, step, how):
    from orders.trouble import Trouble, plan

    plan(shop.books, order, step, Trouble(how))


def states(shop, sagas):
    return [shop.look(saga_id).state for saga_id in sagas]


def test_every_failure_at_every_step_leaves_the_books_balanced(shop, measured):
    bought = iter(purchases())
    wanted, sold, undone, sagas = [], [], [], []
    for step, how, state in FAILURES:
        purchase = next(bought)
        planned(shop, purchase.order, step, how)
        wanted.append(state)
        (sold if state is SagaState.SUCCEEDED else undone).append(purchase)
        sagas.append(shop.place(purchase))
    for step, how in ON_THE_WAY_BACK:
        purchase = next(bought)
        planned(shop, purchase.order, "ship", "refused")
        planned(shop, purchase.order, step, how)
        wanted.append(SagaState.COMPENSATED)
        undone.append(purchase)
        sagas.append(shop.place(purchase))

    assert wait_until(lambda: all(state.is_final for state in states(shop, sagas)), 3 * PATIENCE_S), [
        (shop.look(saga_id).state, shop.look(saga_id).reason) for saga_id in sagas
    ]

    assert states(shop, sagas) == wanted
    assert shop.problem(sold) == ""
    assert wait_until(lambda: shop.unheard(sold) == "", PATIENCE_S), shop.unheard(sold)
    assert shop.wrongly_heard(undone) == ""
    assert shop.balance("sales: counted") == sum(one.discs for one in sold)
    measured(f"orders: {len(sagas)} sagas, {wanted.count(SagaState.COMPENSATED)} of them undone, and the books balance")


def test_an_order_of_more_than_there_is_takes_nothing(shop):
    from dataclasses import replace

    before = shop.books.balances()
    purchase = replace(next(islice(purchases(), 100, None)), discs=1_000_000)

    saga_id = shop.place(purchase)
    assert wait_until(lambda: shop.look(saga_id).state.is_final, PATIENCE_S)

    assert shop.look(saga_id).state is SagaState.COMPENSATED
    assert shop.books.balances() == before


@pytest.mark.parametrize(("step", "ends"), [("notify", SagaState.SUCCEEDED), ("refund", SagaState.COMPENSATED)])
def test_what_can_only_go_on_by_hand_says_so_and_goes_on(shop, step, ends):
    from orders.trouble import mend

    purchase = next(islice(purchases(), 40 if step == "notify" else 41, None))
    planned(shop, purchase.order, step, "refused")
    if step == "refund":
        planned(shop, purchase.order, "ship", "refused")
    saga_id = shop.place(purchase)
    assert wait_until(lambda: shop.look(saga_id).state is SagaState.NEEDS_ATTENTION, PATIENCE_S), shop.look(saga_id)

    mend(shop.books, purchase.order, step)
    shop.program.sagas.resume("orders.place", saga_id)

    assert wait_until(lambda: shop.look(saga_id).state.is_final, PATIENCE_S), shop.look(saga_id)
    assert shop.look(saga_id).state is ends
    assert shop.balance(f"discs: reserved for {purchase.order}") == 0
