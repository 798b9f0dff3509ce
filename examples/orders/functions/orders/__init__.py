"""The whole list of the shop's jobs."""

from orders.jobs import (
    charge_customer,
    notify_customer,
    refund_customer,
    reserve_discs,
    return_discs,
    ship_order,
)
from tidemill import JobRegistry

registry = JobRegistry(reserve_discs, return_discs, charge_customer, refund_customer, ship_order, notify_customer)
