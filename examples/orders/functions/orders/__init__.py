"""The whole list of the shop's jobs, its saga, what it publishes and whom it tells."""

from orders.jobs import (
    charge_customer,
    notify_customer,
    refund_customer,
    reserve_discs,
    return_discs,
    ship_order,
)
from orders.saga import place_order
from orders.sales import OrderShipped, count_sale, thank_customer
from orders.shelf import deliver, open_the_shop
from orders.till import count_till
from tidemill import JobRegistry

registry = JobRegistry(
    reserve_discs,
    return_discs,
    charge_customer,
    refund_customer,
    ship_order,
    notify_customer,
    deliver,
    open_the_shop,
    count_till,
    count_sale,
    thank_customer,
    sagas=[place_order],
    events=[OrderShipped],
    webhooks=["supplier"],
)
