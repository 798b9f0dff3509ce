"""What a running job hands on to the jobs that it submits."""

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor

import pytest

from tidemill import JobArgs, JobRegistry, job
from tidemill.domain import limits
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import InputError
from tidemill.domain.lifecycle import State
from tidemill.service.submission import Submission
from tidemill.testing import Harness


class Child(JobArgs, kind="test.child"):
    x: int = 0


class Parent(JobArgs, kind="test.parent"):
    x: int = 0


class AsyncParent(JobArgs, kind="test.async_parent"):
    x: int = 0


class Stack(Harness):
    """A harness whose parents do what the test says."""

    def __init__(self, behaviour):
        def parent(args, ctx):
            return behaviour(self, ctx)

        async def async_parent(args, ctx):
            await asyncio.sleep(1)
            return behaviour(self, ctx)

        super().__init__(
            JobRegistry(job(Child)(lambda args, ctx: None), job(Parent)(parent), job(AsyncParent)(async_parent))
        )

    def envelopes(self):
        """By kind, of what the queues hold."""
        bodies = [m.body for queue in self.queues._queues.values() for m in queue.messages]
        return [decode(parse_body(body)) for body in bodies]


@pytest.mark.parametrize("kind", [Parent, AsyncParent])
def test_a_job_hands_on_hops_correlation_causation_and_trace(kind):
    with Stack(lambda tide, ctx: tide.client.submit(Child()) and None) as tide:
        traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        mine = tide.client.submit(kind(), hops=3, correlation_id="corr-1", traceparent=traceparent)
        tide.run_one(mine)

        (child,) = tide.envelopes()
        assert (child.hops, child.correlation_id, child.causation_id, child.traceparent) == (
            4,
            "corr-1",
            mine.job_id,
            traceparent,
        )


def test_what_the_caller_says_wins():
    def behaviour(tide, ctx):
        tide.client.submit(Child(), hops=0, correlation_id="c", causation_id="d")

    with Stack(behaviour) as tide:
        tide.run_one(Parent(), hops=3)

        (child,) = tide.envelopes()
        assert (child.hops, child.correlation_id, child.causation_id) == (0, "c", "d")


def test_outside_of_a_job_nothing_is_handed_on():
    with Stack(lambda tide, ctx: None) as tide:
        tide.run_one(Parent(), hops=3)
        tide.client.submit(Child())

        (child,) = tide.envelopes()
        assert (child.hops, child.causation_id, child.correlation_id) == (0, None, child.ref.id)


def test_a_thread_of_the_jobs_own_needs_its_context():
    def behaviour(tide, ctx):
        with ThreadPoolExecutor(1) as pool:
            pool.submit(contextvars.copy_context().run, tide.client.submit, Child()).result()

    with Stack(behaviour) as tide:
        tide.run_one(Parent())

        (child,) = tide.envelopes()
        assert child.hops == 1


@pytest.mark.parametrize("kind", [Parent, AsyncParent])
def test_a_job_that_submits_itself_ends_after_32_hops_and_is_near_it_before(kind):
    runs = []

    def behaviour(tide, ctx):
        runs.append(ctx.job_id)
        tide.client.submit(kind(x=len(runs)))

    with Stack(behaviour) as tide:
        tide.client.submit(kind())
        tide.drain_until_idle()

        assert len(runs) == limits.MAX_HOPS + 1
        dead = tide.job(tide.jobs()[-1])
        assert (dead.state, dead.reason) == (State.DEAD, "invalid_input")
        assert "jobs that make jobs end after 32" in tide.failures(dead)[0].failure.message
        near = [line for line in tide.telemetry.lines if "limit_near" in str(line)]
        assert len(near) == 1
        assert "hops" in str(near[0])


def test_the_jobs_that_one_attempt_submits_are_bounded_and_warned_of(monkeypatch):
    monkeypatch.setattr(limits, "MAX_CHILDREN", 10)
    refused = []

    def behaviour(tide, ctx):
        tide.client.submit_many([Submission(Child(x=x)) for x in range(7)])
        assert "children" not in tide.story()
        tide.client.submit(Child(x=7))
        assert "children" in tide.story()
        with pytest.raises(InputError, match=r"11 that one attempt submits; 10 is the most\. Fix: checkpoint") as error:
            tide.client.submit_many([Submission(Child(x=x)) for x in range(8, 11)])
        refused.append(error)
        tide.client.submit_many([Submission(Child(x=x)) for x in range(8, 10)])

    with Stack(behaviour) as tide:
        tide.run_one(Parent())

        assert len(refused) == 1
        assert len(tide.envelopes()) == 10


def test_each_attempt_counts_for_itself(monkeypatch):
    monkeypatch.setattr(limits, "MAX_CHILDREN", 1)
    with Stack(lambda tide, ctx: tide.client.submit(Child(x=ctx.attempt)) and None) as tide:
        first, second = tide.client.submit(Parent()), tide.client.submit(Parent(x=1))
        tide.drain_until_idle()

        assert {tide.job(one).state for one in (first, second)} == {State.SUCCEEDED}
