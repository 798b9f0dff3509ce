"""A job that comes near a limit of its own warns once, before anything is refused."""

import pytest

from tidemill import JobArgs, JobRegistry, job
from tidemill.domain import limits
from tidemill.domain.lifecycle import State
from tidemill.service.nearness import warn_near
from tidemill.testing import Harness

NEAR = int(limits.MAX_PAYLOAD_BYTES * limits.WARN_AT)


class Heavy(JobArgs, kind="test.heavy"):
    text: str = ""
    returns: int = 0


def worked(args, returns):
    registry = JobRegistry(job(Heavy)(lambda args, ctx: "x" * args.returns))
    with Harness(registry) as tide:
        ended = tide.run_one(Heavy(text="x" * args, returns=returns))
        return ended, [line for line in map(str, tide.telemetry.lines) if "limit_near" in line]


@pytest.mark.parametrize(("args", "warned"), [(NEAR - 1_000, False), (NEAR, True)])
def test_large_arguments_warn_from_80_percent_on(args, warned):
    ended, lines = worked(args, 0)

    assert ended.state is State.SUCCEEDED
    assert [("payload" in line) for line in lines] == [True] * warned


@pytest.mark.parametrize(("returns", "warned"), [(NEAR - 1_000, False), (NEAR, True)])
def test_a_large_result_warns_from_80_percent_on(returns, warned):
    ended, lines = worked(0, returns)

    assert ended.state is State.SUCCEEDED
    assert [("result" in line) for line in lines] == [True] * warned


def test_a_result_beyond_the_limit_is_refused_with_the_number():
    ended, lines = worked(0, limits.MAX_PAYLOAD_BYTES)

    assert (ended.state, ended.reason, lines) == (State.DEAD, "invalid_result", [])


@pytest.mark.parametrize(
    ("before", "now", "warned"), [(0, 7, False), (7, 8, True), (7, 9, True), (8, 9, False), (0, 10, True)]
)
def test_a_limit_is_near_once(before, now, warned):
    alerts = []

    class Ear:
        def alert(self, event, **fields):
            alerts.append((event, fields))

    warn_near(Ear(), "j", "things", before, now, 10)

    assert alerts == [("limit_near", {"job_id": "j", "limit": "things", "count": now, "most": 10})] * warned
