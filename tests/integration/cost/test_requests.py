"""SQS requests, invocations and calls of whole jobs at full batches."""

from collections import Counter

import pytest

from tests.integration.cost.jobs import Echo
from tidemill.service.submission import Submission

JOBS = 200


def run(deployment, batch):
    deployment.program.client.submit_many([Submission(Echo(payload="a usual order"))] * JOBS)
    assert deployment.work(batch) == JOBS
    return deployment.account.meter


@pytest.mark.parametrize(("batch", "invocations"), [(10, 0.1), (100, 0.01)])
def test_a_job_takes_four_tenths_of_a_request_and_its_share_of_an_invocation(deploy, batch, invocations):
    meter = run(deploy(), batch)

    assert meter.sqs_requests.total() / JOBS <= 0.45
    assert meter.sqs_requests == dict.fromkeys(
        ("SendMessageBatch", "ReceiveMessage", "DeleteMessageBatch", "ChangeMessageVisibilityBatch"), JOBS / 10
    )
    assert meter.invocations / JOBS == invocations


@pytest.mark.parametrize(
    ("batch", "calls"),
    [
        # Claim, visibility, conclusion.
        (10, {"BatchExecuteStatement": 2, "ChangeMessageVisibilityBatch": 1}),
        # 25 statements and ten visibilities a call.
        (100, {"BatchExecuteStatement": 8, "ChangeMessageVisibilityBatch": 10}),
    ],
)
def test_the_calls_of_a_full_batch(deploy, batch, calls):
    deployment = deploy()
    deployment.program.client.submit_many([Submission(Echo())] * batch)
    before = deployment.account.meter.calls.copy()

    deployment.work(batch)

    assert deployment.account.meter.calls - before == Counter(calls)
    assert deployment.account.meter.invocations == 1


def test_the_calls_of_a_submit_of_many(deploy):
    deployment = deploy()

    deployment.program.client.submit_many([Submission(Echo())] * 100)

    assert deployment.account.meter.calls == {"SendMessageBatch": 10, "BatchExecuteStatement": 4}


def test_large_bodies_are_billed_by_their_size(deploy):
    """Ten bodies of 50 KB are 500 KB: eight requests to send and eight to receive, whatever the number of calls."""
    deployment = deploy()

    deployment.program.client.submit_many([Submission(Echo(payload="x" * 50_000))] * 10)
    deployment.work()

    assert deployment.account.meter.sqs_requests == {
        "SendMessageBatch": 8,
        "ReceiveMessage": 8,
        "DeleteMessageBatch": 1,
        "ChangeMessageVisibilityBatch": 1,
    }
