"""The programs of the docs about time and flow, in one registry."""

from examples.guide import (
    album,
    approving,
    delayed,
    nightly,
    overlap,
    replying,
    runtime_schedules,
    saga_orders,
    schedules,
)
from tidemill import JobRegistry

registry = JobRegistry(
    delayed.remind,
    replying.quote,
    schedules.close_day,
    schedules.poll,
    overlap.mirror,
    runtime_schedules.report,
    album.resize,
    album.album_ready,
    album.album_broken,
    nightly.load,
    nightly.check,
    nightly.report,
    saga_orders.reserve,
    saga_orders.release,
    saga_orders.charge,
    saga_orders.ship,
    approving.release,
    sagas=[saga_orders.place_order],
)
