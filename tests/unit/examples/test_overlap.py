"""A schedule of the code whose ticks may not overlap ticks by the harness's clock."""

from datetime import UTC, datetime

from examples.guide.overlap import registry
from tidemill import State, minutes
from tidemill.testing import Harness


def test_it_ticks_by_the_clock():
    with Harness(registry, now=datetime(2027, 1, 15, 8, tzinfo=UTC)) as tide:
        tide.run_for(minutes(17))

        results = [tide.client.result(job.ref.id) for job in tide.jobs() if job.state is State.SUCCEEDED]

    assert len(results) == 3
