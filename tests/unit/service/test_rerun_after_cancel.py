"""A cancelled job's key, submitted again: a new run, which remembers nothing of the one that was undone."""

import pytest

from tests.unit.service.conftest import Effects, World
from tidemill import minutes, seconds
from tidemill.domain.lifecycle import State


@pytest.fixture
def world() -> World:
    return World()


def refunding(world, effects):
    """Charges, is asked to stop, and refunds."""

    def behaviour(args, ctx):
        effects.done.append(ctx.step_key("charge"))
        ctx.step("charge", effects, "charge")
        world.client.cancel(ctx.job_id)
        world.clock.advance(seconds(5))
        try:
            ctx.heartbeat()
        finally:
            effects("refund")

    return behaviour


def charging(effects):
    def behaviour(args, ctx):
        effects.done.append(ctx.step_key("charge"))
        return ctx.step("charge", effects, "charge")

    return behaviour


@pytest.mark.parametrize("delay", [minutes(0), minutes(20)], ids=["at once", "parked"])
def test_a_rerun_of_a_cancelled_job_does_its_steps_again(world, delay):
    effects = Effects()
    world.does = [refunding(world, effects), charging(effects)]
    job = world.submit(key="k")
    world.invoke()
    assert world.state(job) is State.CANCELLED

    again = world.submit(key="k", delay=delay)
    world.settle()

    assert (again.ref, world.state(job), world.job(job).generation) == (job.ref, State.SUCCEEDED, 2)
    first, charge, refund, second, charge_again = effects.done
    assert (charge, refund, charge_again) == ("charge", "refund", "charge")
    # To a dependency that recognises a repeated key, the new charge is another one.
    assert first != second


def test_its_message_may_come_before_its_record(world):
    effects = Effects()
    world.does = [refunding(world, effects), charging(effects)]
    job = world.submit(key="k")
    world.invoke()
    move, world.store.move = world.store.move, lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt)
    with pytest.raises(KeyboardInterrupt):
        world.submit(key="k")
    world.store.move = move

    world.settle()

    assert (world.state(job), world.job(job).generation) == (State.SUCCEEDED, 2)
    assert effects.done.count("charge") == 2


def test_a_rerun_of_a_dead_job_goes_on_from_its_steps(world):
    from tests.unit.service.conftest import PERMANENT, raising

    effects = Effects()

    def dies(args, ctx):
        ctx.step("charge", effects, "charge")
        return raising(PERMANENT)(args, ctx)

    world.does = [dies, charging(effects)]
    job = world.submit(key="k")
    world.invoke()
    assert world.state(job) is State.DEAD

    world.submit(key="k")
    world.settle()

    assert world.state(job) is State.SUCCEEDED
    assert effects.done.count("charge") == 1
