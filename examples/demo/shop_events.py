"""What the shop tells: two jobs hear of an order that was shipped, and the supplier hears of a delivery."""

from __future__ import annotations

from dataclasses import replace
from typing import Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from orders.shelf import Deliver

from examples.demo.loopback import LOOPBACK
from examples.demo.receiver import Receiver, receiving
from examples.demo.scoreboard import Scoreboard
from examples.demo.screen import Screen
from examples.demo.watch import wait_until
from examples.orders.purchases import Purchase
from examples.orders.shop import Shop

HEARD: Final = "event of a shipped order reaches both of its subscribers"
HOOKED: Final = "webhook of a job's end is received, signed, and a forged one is not believed"
CHECKS: Final = (HEARD, HOOKED)
_LATE: Final = "a late delivery"


def play_events(shop: Shop, screen: Screen, board: Scoreboard, sold: Purchase, undone: Purchase) -> None:
    """Look for what the subscribers wrote into the books, and receive a webhook."""
    with board.expecting(HEARD), screen.step("events") as note:
        wait_until(lambda: not shop.unheard([sold]))
        board.score(HEARD, shop.unheard([sold]) or shop.wrongly_heard([undone]))
        note("the saga's ship_order publishes a fact; two jobs hear of it, and of the order undone nobody does")
    with board.expecting(HOOKED), screen.step("webhook") as note, receiving() as receiver:
        note(_hook(shop, board, receiver))


def _hook(shop: Shop, board: Scoreboard, receiver: Receiver) -> str:
    client = shop.program.client
    # A deployed program would refuse an address of this machine.
    endpoints = replace(client.webhooks, reach=LOOPBACK)
    receiver.secret = endpoints.create("supplier", receiver.url).secret
    receipt = client.submit(Deliver(delivery=_LATE, discs=1), webhook="supplier")
    wait_until(lambda: bool(receiver.believed))
    told = [(message.type, message.data["job_id"]) for message in receiver.believed]
    status = _forge(receiver)
    found, wanted = (told[:1], status), ([("job.succeeded", receipt.job_id)], 401)
    board.score(HOOKED, "" if found == wanted else f"(told, status of the forged) are {found}, not {wanted}")
    return f"POST {receiver.url}, verified as Standard Webhooks has it; one with another's signature got {status}"


def _forge(receiver: Receiver) -> int:
    headers = {"webhook-id": "forged", "webhook-timestamp": "1", "webhook-signature": "v1,AAAA"}
    try:
        with urlopen(Request(receiver.url, b"{}", headers), timeout=10) as answer:  # noqa: S310 - the demo's own address
            return int(answer.status)
    except HTTPError as error:
        with error:
            return error.code
