"""A job that is asked to stop cleans up: with steps, with signs of life, and once more if its worker dies meanwhile."""

from __future__ import annotations

from typing import Self

import pytest

from tidemill import JobArgs, JobRegistry, RateLimitedError, Retry, State, days, job, minutes, seconds
from tidemill.domain.interrupt import JobCancelled
from tidemill.domain.memory import Memory
from tidemill.testing import Harness, assert_dead, assert_state, assert_succeeded


class Order(JobArgs, kind="try.clean-up"):
    pass


class Shop:
    """A job that charges, waits and ships; asked to stop, it refunds."""

    def __init__(self, **options) -> None:
        self.effects: list[str] = []
        self.keys: list[str] = []
        self.heard = 0
        # What happens after each step and while it waits, by name, once.
        self.then: dict[str, object] = {}
        self.options = {"heartbeat": seconds(30), "timeout": minutes(5), **options}

    def __enter__(self) -> Self:
        self.tide = Harness(JobRegistry(job(Order, **self.options)(self.order))).__enter__()
        self.ref = self.tide.client.submit(Order(), key="order").job.ref
        return self

    def __exit__(self, *ended) -> None:
        self.tide.__exit__(*ended)

    def order(self, args, ctx):
        try:
            self.look(ctx)
            charge = self.step(ctx, "charge")
            self.happens("waiting")
            self.look(ctx)
            return [charge, self.step(ctx, "ship")]
        except JobCancelled:
            self.heard += 1
            self.happens("heard")
            self.look(ctx)
            self.step(ctx, "refund")
            self.happens("refunded")
            raise

    def look(self, ctx):
        ctx.progress(0, 3)

    def step(self, ctx, name):
        self.keys.append(ctx.step_key(name))
        return ctx.step(name, self.effect, name)

    def effect(self, name):
        self.effects.append(name)
        self.happens(name)
        return name

    def happens(self, name):
        happens = self.then.pop(name, None)
        if happens is not None:
            happens()

    def cancel(self):
        assert self.tide.client.cancel(self.ref.id).cancel_asked
        self.tide.advance(seconds(5))


@pytest.fixture
def shop():
    with Shop() as shop:
        yield shop


def test_the_clean_up_does_steps_and_gives_signs_of_life(shop):
    shop.then["waiting"] = shop.cancel

    shop.tide.drain_until_idle()

    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert (shop.effects, shop.heard) == (["charge", "refund"], 1)
    assert shop.keys[-1] == f"{shop.ref.id}/refund"


def test_what_a_step_did_while_the_job_was_asked_to_stop_is_remembered(shop):
    """A heartbeat inside the step hears nothing that could come between its effect and the record."""
    shop.then["charge"] = lambda: (shop.cancel(), shop.tide.advance(seconds(30)))

    shop.tide.drain_until_idle()

    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert shop.effects == ["charge", "refund"]


@pytest.mark.parametrize("moment", ["waiting", "heard", "refund", "refunded"])
def test_a_worker_that_dies_on_the_way_is_followed_by_one_that_cleans_up(shop, moment):
    dies = shop.tide.kill_worker
    if moment == "waiting":
        shop.then["waiting"] = lambda: (shop.cancel(), dies())
    else:
        shop.then = {"waiting": shop.cancel, moment: dies}

    shop.tide.drain_until_idle()

    again = ["refund"] if moment == "refund" else []
    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert shop.effects == ["charge", "refund", *again]
    assert shop.tide.job(shop.ref).crashes == 1
    assert len({key for key in shop.keys if "refund" in key}) == 1


def test_a_worker_that_died_before_the_job_used_its_memory_is_followed_by_none(shop):
    shop.look = lambda ctx: (shop.cancel(), shop.tide.kill_worker())

    shop.tide.drain_until_idle()

    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert (shop.effects, shop.heard, shop.tide.job(shop.ref).attempt) == ([], 0, 2)


def test_a_memory_that_was_never_opened_is_nothing_to_clean_up(shop):
    """Such as one that holds only what a person wants it to forget."""
    shop.look = lambda ctx: (shop.cancel(), shop.tide.kill_worker())
    shop.tide._stack.memory.memories[shop.ref] = Memory(forgot=1)

    shop.tide.drain_until_idle()

    assert (shop.tide.job(shop.ref).state, shop.effects) == (State.CANCELLED, [])
    assert shop.tide._stack.memory.look(shop.ref).fence == 0


def test_a_job_that_goes_on_is_answered_what_it_remembers_before_it_is_told_to_stop():
    """Told sooner, at its first progress, it would know of nothing to refund."""
    with Shop(retry=Retry(max_attempts=3, delays=(seconds(1),))) as shop:
        shop.then["waiting"] = lambda: (_ for _ in ()).throw(ConnectionResetError("the first attempt fails"))
        shop.tide.drain()
        shop.look = lambda ctx: (shop.tide.client.cancel(shop.ref.id), shop.tide.advance(seconds(5)), ctx.heartbeat())
        shop.tide.drain_until_idle()

        assert_state(shop.tide, shop.ref, State.CANCELLED)
        assert shop.effects == ["charge", "refund"]


def test_a_memory_that_does_not_answer_lets_the_clean_up_wait(shop):
    shop.then["waiting"] = lambda: (shop.cancel(), shop.tide.kill_worker())
    shop.tide.faults.throttle("look", times=3)

    shop.tide.drain_until_idle()

    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert shop.effects == ["charge", "refund"]


def test_a_clean_up_that_fails_is_tried_again_as_the_job_would_be():
    with Shop(retry=Retry(max_attempts=3, delays=(minutes(5),))) as shop:
        shop.then = {"waiting": shop.cancel, "heard": lambda: (_ for _ in ()).throw(ConnectionResetError("down"))}
        shop.tide.drain_until_idle()

        assert_state(shop.tide, shop.ref, State.CANCELLED)
        assert (shop.effects, shop.heard) == (["charge", "refund"], 2)


def test_a_job_that_fails_before_it_could_hear_waits_for_nothing(shop):
    def asks_to_wait():
        raise RateLimitedError(retry_after=days(30))

    shop.then = {"charge": lambda: (shop.cancel(), shop.tide.advance(seconds(30))), "waiting": asks_to_wait}
    begun = shop.tide.now

    shop.tide.drain_until_idle()

    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert (shop.effects, shop.heard) == (["charge", "refund"], 1)
    assert shop.tide.now - begun < minutes(2)


def test_a_clean_up_that_is_asked_to_wait_waits(shop):
    def asks_to_wait():
        raise RateLimitedError(retry_after=days(3))

    shop.then = {"waiting": shop.cancel, "heard": asks_to_wait}
    begun = shop.tide.now

    shop.tide.drain_until_idle()

    assert_state(shop.tide, shop.ref, State.CANCELLED)
    assert (shop.effects, shop.heard) == (["charge", "refund"], 2)
    assert shop.tide.now - begun >= days(3)


def test_a_clean_up_that_kills_its_worker_each_time_is_poison(shop):
    class Always(dict):
        def pop(self, name, default=None):
            return self.get(name, default)

    def die():
        if not shop.tide.job(shop.ref).cancel_asked:
            shop.cancel()
        shop.tide.kill_worker()

    shop.then = Always(waiting=die)

    shop.tide.drain_until_idle()

    assert_dead(shop.tide, shop.ref, "poison")


def test_a_job_that_swallows_the_request_is_told_once_and_goes_on():
    heard = []

    def stop(job_id):
        tide.client.cancel(job_id)

    def careless(args, ctx):
        for name in "abc":
            try:
                ctx.step(name, stop, ctx.job_id)
                tide.advance(seconds(5))
            except JobCancelled:
                heard.append(name)
        return heard

    with Harness(JobRegistry(job(Order)(careless))) as tide:
        done = tide.client.submit(Order())
        tide.drain_until_idle()

        assert_succeeded(tide, done, ["b"])
