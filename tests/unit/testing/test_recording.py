"""A timeout that comes while an effect is being recorded waits for the record, or the effect would happen again."""

from __future__ import annotations

import pytest

from tidemill import JobArgs, JobRegistry, SoftTimeoutError, job, minutes, seconds
from tidemill.testing import Harness, assert_succeeded


class Order(JobArgs, kind="try.recording"):
    pass


def run(function, call, span, **options):
    """The job after a record that took so long, and what it says of itself."""
    with Harness(JobRegistry(job(Order, timeout=minutes(1), **options)(function))) as tide:
        tide.faults.slow(call, span)
        done = tide.client.submit(Order())
        tide.drain_until_idle()
        return assert_succeeded(tide, done), [
            (one.failure.type.rpartition(".")[2], one.attempt) for one in tide.failures(done)
        ]


@pytest.mark.parametrize(("span", "options"), [(40, {"soft_timeout": seconds(30)}), (60.5, {})], ids=["soft", "hard"])
@pytest.mark.parametrize("call", ["remember", "put"])
def test_a_record_is_finished_first(call, span, options):
    effects = []

    def charge():
        effects.append("charge")
        return "x" * 2_000 if call == "put" else "x"

    done, failures = run(lambda args, ctx: len(ctx.step("charge", charge)), call, seconds(span), **options)

    assert (effects, done.attempt, failures) == (["charge"], 1, [])


def test_what_was_due_meanwhile_comes_right_after_it():
    effects = []

    def order(args, ctx):
        ctx.step("charge", effects.append, "charge")
        try:
            ctx.step("mail", effects.append, "mail")
        except SoftTimeoutError:
            effects.append("warned")
            raise

    done, failures = run(order, "remember", seconds(40), soft_timeout=seconds(30))

    assert effects == ["charge", "warned", "mail"]
    assert (done.attempt, failures) == (2, [("SoftTimeoutError", 1)])


def test_a_record_that_takes_longer_than_the_last_second_is_left_behind():
    """Its worker ends then, and with it what it has not sent: the gap that only a step's key closes."""
    effects = []

    done, failures = run(lambda args, ctx: ctx.step("charge", effects.append, "x"), "remember", seconds(62))

    assert (effects, done.attempt, failures) == (["x", "x"], 2, [("HardTimeout", 1)])
