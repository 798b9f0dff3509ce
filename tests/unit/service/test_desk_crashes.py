"""A desk that dies in the middle: whichever call is its last, the job runs once more, or is dead as it was."""

import json
from contextlib import suppress
from dataclasses import replace

import pytest

from tests.builders import Greet
from tests.unit.service.conftest import PERMANENT, raising
from tests.unit.service.test_deadletters import console_redrive
from tidemill import days
from tidemill.domain.interrupt import WorkerDied
from tidemill.domain.lifecycle import State
from tidemill.domain.limits import MAX_RECEIVES
from tidemill.service.editing import Edit
from tidemill.service.manner import Manner, Mode

WRITES = {"keep", "move", "send", "purge", "write", "put", "renew", "start_move"}


class Crash(WorkerDied):
    """The process is gone."""


class Fragile:
    """A port whose process dies before or after one of its writes."""

    def __init__(self, port, fuse):
        self._port, self._fuse = port, fuse

    def __getattr__(self, name):
        method = getattr(self._port, name)
        if name not in WRITES:
            return method

        def call(*arguments, **named):
            self._fuse.burn()
            answer = method(*arguments, **named)
            self._fuse.burn()
            return answer

        return call


class Fuse:
    """Burns down at every point before and after a write; the process dies at its end, and whatever it does then."""

    def __init__(self, length):
        self.left = length

    def burn(self):
        if self.left == 0:
            raise Crash
        self.left -= 1


def fragile(world, length):
    fuse = Fuse(length)
    desk = world.desk
    tools = replace(desk.tools, trail=Fragile(desk.tools.trail, fuse), payloads=Fragile(desk.tools.payloads, fuse))
    ports = {name: Fragile(getattr(desk, name), fuse) for name in ("store", "queue", "dead_letters")}
    return replace(desk, tools=tools, **ports)


def charging(world, effects, *, dies):
    def behaviour(args, ctx):
        for step in ("reserve", "charge"):
            ctx.step(step, lambda step=step: effects.append((step, args.name)))
        return raising(PERMANENT)(args, ctx) if dies else None

    return behaviour


def dead_charge(world):
    """A job that did both its effects and died."""
    effects = []
    job = world.submit(Greet(name="ada"))
    world.does.append(charging(world, effects, dies=True))
    for _ in range(MAX_RECEIVES + 1):
        world.invoke()
    assert effects == [("reserve", "ada"), ("charge", "ada")]
    effects.clear()
    world.does = [charging(world, effects, dies=False) for _ in range(9)]
    world.clock.advance(days(1))
    return world.job(job), effects


RESTART, FROM_CHARGE = Manner(Mode.RESTART), Manner(Mode.FROM_STEP, "charge")
EDIT = Edit({"name": "bob"})
ACTIONS = {
    "resume": lambda desk, ref: desk.redrive(ref),
    "restart": lambda desk, ref: desk.redrive(ref, RESTART),
    "from a step": lambda desk, ref: desk.redrive(ref, FROM_CHARGE),
    "edit": lambda desk, ref: desk.edit(ref, EDIT, RESTART),
    "edit, steps kept": lambda desk, ref: desk.edit(ref, EDIT),
    "many": lambda desk, ref: list(desk.redrive_all([desk.inspection.dead(ref)], RESTART)),
    "lanes": lambda desk, ref: list(desk.redrive_lanes(("default",))),
}
BOTH, CHARGE = ["reserve", "charge"], ["charge"]
EFFECTS = {
    "resume": [],
    "restart": [(step, "ada") for step in BOTH],
    "from a step": [(step, "ada") for step in CHARGE],
    "edit": [(step, "bob") for step in BOTH],
    "edit, steps kept": [],
    "many": [(step, "ada") for step in BOTH],
    "lanes": [],
}


def test_every_write_is_a_point_to_die_at(world):
    """Else the tests below would prove nothing: an edit is seven writes, each with a before and an after."""
    job, _ = dead_charge(world)
    deaths = 0
    while True:
        with suppress(Crash):
            ACTIONS["edit"](fragile(world, deaths), job.ref)
            break
        deaths += 1
        world.store.jobs[job.ref] = job
    assert deaths == 14


@pytest.mark.parametrize("action", ACTIONS)
@pytest.mark.parametrize("length", range(24))
def test_a_desk_that_dies_loses_nothing_and_runs_nothing_twice(world, action, length):
    job, effects = dead_charge(world)

    with suppress(Crash):
        ACTIONS[action](fragile(world, length), job.ref)
    world.settle()

    runs = len(world.runs) - 1
    if world.state(job) is State.DEAD:
        # Nothing was begun: the job is as it was, in the table and in its DLQ.
        assert (runs, effects, world.job(job)) == (0, [], job)
        assert world.queues.depth("default") == 1
        assert world.store.envelope_of(job) is not None
    else:
        assert (world.state(job), world.job(job).generation, runs) == (State.SUCCEEDED, 2, 1)
        assert effects == EFFECTS[action]

    # Whatever is left in the DLQ does no harm to anybody who puts it back.
    state = world.state(job)
    console_redrive(world)
    world.settle()
    assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 2)
    assert effects == ([] if state is State.DEAD else EFFECTS[action])
    assert world.queues.depth("default") == world.queues.count("default") == 0


@pytest.mark.parametrize("action", ["restart", "edit", "from a step", "many"])
@pytest.mark.parametrize("length", range(24))
def test_after_a_crash_the_same_can_be_asked_again(world, action, length):
    job, effects = dead_charge(world)
    with suppress(Crash):
        ACTIONS[action](fragile(world, length), job.ref)
    if world.state(job) is State.DEAD:
        ACTIONS[action](world.desk, job.ref)
    world.settle()

    assert (world.state(job), world.job(job).generation, len(world.runs)) == (State.SUCCEEDED, 2, 2)
    assert effects == EFFECTS[action]


@pytest.mark.parametrize("length", range(24))
def test_what_was_done_is_in_the_trail_even_if_its_end_is_not(world, length):
    job, _ = dead_charge(world)
    with suppress(Crash):
        fragile(world, length).edit(job.ref, EDIT)

    if world.job(job) != job or world.queues.depth("default") == 0:
        (entry,) = world.trail.entries.values()
        assert (entry.action, entry.actor) == ("edit", "ada")


def test_a_worker_that_is_faster_than_the_desk_does_not_lose_an_edit(world):
    """It meets the message before the record says `queued`."""
    job, effects = dead_charge(world)
    send = world.queues.send

    def send_and_work(lane, sends):
        answer = send(lane, sends)
        world.invoke()
        return answer

    world.queues.send = send_and_work
    world.desk.edit(job.ref, EDIT, RESTART)

    assert (world.state(job), effects) == (State.SUCCEEDED, EFFECTS["edit"])
    assert world.queues.depth("default") == world.queues.count("default") == 0


@pytest.mark.parametrize("is_first", [True, False])
def test_an_old_copy_never_runs_an_edited_job(world, is_first):
    job, effects = dead_charge(world)
    if is_first:
        console_redrive(world)
    world.desk.edit(job.ref, EDIT, RESTART)
    if not is_first:
        world.queues.put("default", world.store.envelope_of(job).encode())
    world.settle()

    assert (world.state(job), effects) == (State.SUCCEEDED, EFFECTS["edit"])
    assert json.loads(world.store.envelope_of(world.job(job)).args)["name"] == "bob"
    assert world.queues.depth("default") == 0
