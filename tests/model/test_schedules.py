"""Every order of the calls of sweeps and changes of one schedule, and the planted bugs that it finds."""

from __future__ import annotations

from unittest.mock import patch

import pytest

from tests.model.schedules import BOUNDS, Bounds, Broken, explore
from tidemill.domain import ticking
from tidemill.domain.schedule_row import Settling
from tidemill.service import schedule_change
from tidemill.service.tick_withdrawal import Withdrawing


@pytest.mark.parametrize("bounds", BOUNDS, ids=str)
def test_no_order_of_calls_breaks_a_promise(bounds):
    assert explore(bounds) > 50


def withdraws_nothing(*_):
    return True


def settles_nothing(row, now_ms):
    return Settling((), now_ms)


def knows_only_what_was_made(row, now_ms):
    return tuple(tick for tick in row.made if tick.at > now_ms)


@pytest.mark.parametrize(
    ("where", "name", "bug", "bounds"),
    [
        (Withdrawing, "withdraw", withdraws_nothing, Bounds(1, ("delete",))),
        (schedule_change, "settling_for", settles_nothing, Bounds(1, ("change",))),
        (ticking, "withdrawable", knows_only_what_was_made, Bounds(2, ("delete",))),
    ],
)
def test_a_planted_bug_is_found(where, name, bug, bounds):
    with patch.object(where, name, bug), pytest.raises(Broken):
        explore(bounds)
