"""Large arguments on the deployed stack: by way of its bucket, into a function of its own, and out of the way again."""

from dataclasses import replace

import pytest

from examples.demo.stage import stage_of
from examples.demo.watch import wait_until
from tidemill import JobArgs, JobContext, JobRegistry, job
from tidemill.domain.errors import PayloadGoneError
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_PAYLOAD_BYTES
from tidemill.domain.payload import checked_in

pytestmark = pytest.mark.slow
PATIENCE_S = 60


class PaddedPing(JobArgs, kind="demo.ping"):
    """A ping of a newer submitter: the deployed worker ignores the field that it does not know."""

    message: str
    padding: str


@job(PaddedPing)
def never_run_here(args: PaddedPing, _: JobContext) -> None:
    """The deployed worker has its own."""


def test_the_largest_arguments_reach_the_worker_and_leave_nothing_behind(cloud):
    stage = stage_of(cloud)
    client = replace(stage.program, registry=JobRegistry(never_run_here)).client
    args = PaddedPing(message="I am large", padding="x" * (MAX_PAYLOAD_BYTES - 100))

    receipt = client.submit(args)

    def is_over() -> bool:
        return stage.client.get(receipt.job_id).state.is_final

    assert wait_until(is_over, PATIENCE_S)
    done = stage.client.get(receipt.job_id)
    assert (done.state, done.result, done.attempt) == (State.SUCCEEDED, '"I am large"', 1)
    _, stored = checked_in(args.canonical())

    def is_discarded() -> bool:
        try:
            stage.program.payloads.get(done.ref, stored)
        except PayloadGoneError:
            return True
        return False

    assert wait_until(is_discarded, PATIENCE_S)
