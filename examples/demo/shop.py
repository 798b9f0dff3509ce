"""A shop: its till is counted on schedule, its discs come as a batch, its orders are sagas, and one of them fails."""

from __future__ import annotations

from itertools import islice
from typing import Final

from orders.shelf import ShelfFilled
from orders.till import CountTill
from orders.trouble import Trouble, plan

from examples.demo import shop_events
from examples.demo.scoreboard import Scoreboard
from examples.demo.screen import Screen
from examples.demo.watch import is_over, wait_until
from examples.orders.purchases import Purchase, purchases
from examples.orders.shop import Shop
from tidemill import JobArgs, State
from tidemill.domain.batch_record import BatchState
from tidemill.domain.job import Job, day_of
from tidemill.domain.saga_state import SagaState
from tidemill.service.listing import Query

DELIVERIES: Final = 100
BATCH: Final = f"batch of {DELIVERIES} deliveries, counted exactly, and its callback"
SOLD: Final = "saga of an order that goes well"
UNDONE: Final = "saga of an order that fails half-way is undone"
BALANCED: Final = "shop's books balance"
TICK: Final = "schedule's tick makes one job"
CHECKS: Final = (BATCH, SOLD, UNDONE, BALANCED, *shop_events.CHECKS, TICK)
# It is sent at the next full minute.
_TICK_PATIENCE_S: Final = 90.0


def play_shop(shop: Shop, screen: Screen, board: Scoreboard) -> None:
    """Fill the shelf, place two orders, of which the carrier refuses one, look at the books and who has heard."""
    bought = list(islice(purchases(), DELIVERIES))
    with board.expecting(BATCH), screen.step("batch") as note:
        note(_fill(shop, board, bought))
    with board.expecting(SOLD, UNDONE, BALANCED), screen.step("sagas") as note:
        note(_sell(shop, board, bought[0], bought[1]))
    shop_events.play_events(shop, screen, board, bought[0], bought[1])
    with board.expecting(TICK), screen.step("schedule") as note:
        note(_tick(shop, board))


def _fill(shop: Shop, board: Scoreboard, bought: list[Purchase]) -> str:
    client = shop.program.client
    batch_id = shop.deliver(bought, key="spring")
    wait_until(lambda: client.batches.get(batch_id).is_over and all(map(is_over, _jobs(shop, ShelfFilled))), 60)
    view, told = client.batches.get(batch_id), _jobs(shop, ShelfFilled)
    found = (view.state, view.succeeded, [job.result for job in told])
    wanted = (BatchState.SUCCEEDED, DELIVERIES, [f'"{DELIVERIES} of {DELIVERIES} deliveries"'])
    board.score(BATCH, "" if found == wanted else f"(state, succeeded, callbacks) are {found}, not {wanted}")
    return f"{view.succeeded} of {DELIVERIES} deliveries of real purchases, then one job that knows it"


def _sell(shop: Shop, board: Scoreboard, good: Purchase, bad: Purchase) -> str:
    plan(shop.books, bad.order, "ship", Trouble.REFUSED)
    sold, undone = shop.place(good), shop.place(bad)
    wait_until(lambda: all(shop.look(one).state.is_final for one in (sold, undone)), 60)
    board.score(SOLD, _problem(shop, sold, SagaState.SUCCEEDED))
    board.score(UNDONE, _problem(shop, undone, SagaState.COMPENSATED))
    board.score(BALANCED, shop.problem([good]))
    return f"{good.discs} discs sold for ${good.cents / 100:.2f}; the carrier refused {bad.discs}: undone"


def _problem(shop: Shop, saga_id: str, wanted: SagaState) -> str:
    view = shop.look(saga_id)
    return "" if view.state is wanted else f"the saga is {view.state} ({view.reason}), not {wanted}"


def _tick(shop: Shop, board: Scoreboard) -> str:
    def done() -> list[str]:
        return sorted(job.result or "" for job in _jobs(shop, CountTill) if job.state is State.SUCCEEDED)

    wait_until(lambda: bool(done()), _TICK_PATIENCE_S)
    ticks = done()
    noted = {f'"{posting.name.removeprefix("till ")}"' for posting in shop.books.postings() if "till" in posting.name}
    right = ticks and len(set(ticks)) == len(ticks) and noted >= set(ticks)
    board.score(TICK, "" if right else f"the jobs are of {ticks}, the books have {noted}")
    return f"of {ticks[0] if ticks else 'never'}, sent by EventBridge Scheduler straight into the queue"


def _jobs(shop: Shop, kind: type[JobArgs]) -> list[Job]:
    """All of a kind, today's and those of a minute ago."""
    now_ms = shop.program.clock.now_ms()
    days = dict.fromkeys(day_of(at_ms) for at_ms in (now_ms, now_ms - 180_000))
    return [job for day in days for job in shop.program.listing.jobs(Query(kind=kind.job_kind, day=day)).jobs]
