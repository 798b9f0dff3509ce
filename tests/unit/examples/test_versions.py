"""The program of docs/versions.md, run: what the version before submitted is read by this one."""

import pytest

from examples.guide.versions import Charge, charge_card
from tidemill import JobArgs, JobRegistry, minutes
from tidemill.service.request import parse_request
from tidemill.testing import Harness


class ChargeBefore(JobArgs, kind="guide.charge-card"):
    card: str
    euros: float


def test_what_was_written_before_is_read_now():
    written = ChargeBefore(card="mine", euros=12.5).canonical()

    assert Charge.from_message(written, 1) == Charge(card="mine", cents=1250)


def test_a_document_says_its_version():
    registry = JobRegistry(charge_card)
    first = {"kind": "guide.charge-card", "args": {"card": "mine", "euros": 1}}
    second = {"kind": "guide.charge-card", "args": {"card": "mine", "cents": 100}, "version": 2}

    assert parse_request(first, registry).args == parse_request(second, registry).args


@pytest.mark.parametrize("cents", [0, 99])
def test_the_job_runs(cents):
    with Harness(JobRegistry(charge_card)) as tide:
        job_id = tide.client.submit(Charge(card="mine", cents=cents), delay=minutes(20)).job_id
        tide.run_for(minutes(21))

        assert tide.client.result(job_id) == f"mine: {cents} cents"
