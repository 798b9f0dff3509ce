"""Code that submits jobs: it is given the client, so that a test can give it another one."""

from examples.guide.testing_orders import PlaceOrder
from tidemill import JobClient, minutes


def check_out(client: JobClient, order: str, cents: int) -> None:
    """Place an order, unless it is free."""
    if cents:
        client.submit(PlaceOrder(order=order, cents=cents), key=f"order:{order}", tenant="acme", delay=minutes(1))
