"""What goes wrong around the job."""

import pytest

from examples.guide.testing_orders import PlaceOrder, letters, place_order
from tidemill import JobRegistry, State, minutes
from tidemill.errors import UnavailableError
from tidemill.testing import Harness, assert_state, assert_succeeded


@pytest.fixture
def tide():
    letters.clear()
    with Harness(JobRegistry(place_order)) as tide:
        yield tide


def test_a_worker_dies_between_the_charge_and_the_letter(tide):
    tide.faults.crash_after_step("charge")
    job = tide.run_one(PlaceOrder(order="7", cents=100))
    assert_state(tide, job, State.RUNNING)  # as far as anybody knows

    tide.drain_until_idle()  # its lease ends, and another worker takes over

    assert_succeeded(tide, job)
    assert len(letters) == 1
    assert tide.calls(job).recalled == ["charge"]


def test_aws_has_a_bad_day(tide):
    tide.faults.throttle("claim", times=2)
    tide.faults.lose_answer("conclude")
    tide.faults.deliver_twice()
    tide.faults.slow("remember", minutes(2), after=1)
    job = tide.client.submit(PlaceOrder(order="7", cents=100))

    tide.drain_until_idle()

    assert_succeeded(tide, job)


def test_a_submit_that_fails_is_repeated_under_its_key(tide):
    tide.faults.lose_answer("send")

    with pytest.raises(UnavailableError):
        tide.client.submit(PlaceOrder(order="7", cents=100), key="order:7")
    tide.client.submit(PlaceOrder(order="7", cents=100), key="order:7")
    tide.drain_until_idle()

    assert len(letters) == 1
