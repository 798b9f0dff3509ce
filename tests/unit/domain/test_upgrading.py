"""How long a message is left for newer code: ever longer, and no longer than its receives allow."""

from datetime import timedelta

import pytest

from tidemill.domain import limits
from tidemill.domain.decide import Waits
from tidemill.domain.upgrading import left_for_newer

NOW = 1_800_000_000_000


def hold_s(receives, **waits):
    hold = left_for_newer(Waits(receives, **waits), NOW)
    return None if hold is None else hold.seconds_from(NOW)


def test_on_a_standard_lane_it_is_left_for_an_hour_and_then_taken():
    found = [hold_s(receives) for receives in range(1, limits.MAX_RECEIVES + 1)]

    assert found == [15, 30, 60, 120, 240, 480, 960, 1728, None, None]
    assert timedelta(hours=1) < timedelta(seconds=sum(one for one in found if one)) < timedelta(hours=1, minutes=1)


def test_the_last_receive_is_not_needed_to_bury_it():
    """On the last one a job is parked whatever it is, so that the one before has to end it."""
    assert next(receives for receives in range(1, 20) if hold_s(receives) is None) == limits.MAX_RECEIVES - 1


def test_on_a_fifo_lane_it_waits_as_long_as_any_message_may():
    assert hold_s(9, in_order=True) == hold_s(99, in_order=True) == 1728
    assert hold_s(limits.MAX_FIFO_RECEIVES, in_order=True) is None
    assert hold_s(1, in_order=True, age=limits.MAX_IN_ORDER_AGE) is None
    assert hold_s(1, in_order=True, age=limits.MAX_IN_ORDER_AGE - timedelta(minutes=1)) == 15


@pytest.mark.parametrize("receives", [10**3, 10**9])
def test_any_number_of_receives_has_an_answer(receives):
    assert hold_s(receives) is None
