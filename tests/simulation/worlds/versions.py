"""Two versions of arguments on one queue: submitted, read, parked, edited and redriven by both versions of the code."""

from __future__ import annotations

from tests.simulation.asking import WELL, sometime, soon, want
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.versioned import KIND, UNITS
from tests.simulation.setting import Setting
from tests.simulation.watchers.versions import Versions, audit_versions
from tests.simulation.world import World
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.service.editing import Edit

_CONDUCTS = (
    WELL,
    WELL,
    Behaviour(Conduct.FAILS, 1),
    Behaviour(Conduct.FAILS, 2),
    Behaviour(Conduct.REFUSES, 1),
    Behaviour(Conduct.REFUSES, 2),
    Behaviour(Conduct.KILLS, 1),
    Behaviour(Conduct.WAITS, 1),
)


def prepare(world: World) -> int:
    """Ask for one to three jobs, and let somebody deploy the old code again."""
    rng = world.rng
    world.part(Versions)
    # It may cost a job its life: chance can give it to old code as often as it takes.
    world.strike(Fault.OLD_CODE)
    trouble_ms = rng.choice((300_000, 900_000, 6_000_000))
    for number in range(rng.randint(1, 3)):
        _ask(world, number, trouble_ms)
    if rng.random() < 0.4:
        start, lasts_ms = sometime(world, trouble_ms), rng.choice((60_000, 600_000, 5_400_000))
        world.scheduler.at(start, lambda: _roll_back(world, start + lasts_ms))
    for _ in range(rng.choice((0, 1, 1, 2))):
        act = rng.choice(
            (
                world.operators.redrive_at_console,
                world.operators.redrive_at_desk,
                world.operators.redrive_lane,
                world.operators.cancel,
                lambda at_ms: edit(world, at_ms),
                lambda at_ms: edit(world, at_ms),
            )
        )
        act(sometime(world, trouble_ms))
    return trouble_ms


def _ask(world: World, number: int, trouble_ms: int) -> None:
    rng = world.rng
    version = rng.choice((1, 2, 2))
    wanted = want(
        world,
        number,
        rng.choice(_CONDUCTS),
        kind=KIND,
        via=rng.choice(("submit", "submit", "message")),
        key=f"key-{number}" if rng.random() < 0.3 else None,
        delay_s=rng.choice((0, 0, 0, 20, 930)),
        version=version,
        details={"amount": (number + 1) * UNITS[version]},
    )
    world.submitters.start([wanted], soon(world))
    if wanted.key is not None and rng.random() < 0.5:
        world.submitters.start([wanted], sometime(world, trouble_ms))


def _roll_back(world: World, until_ms: int) -> None:
    world.functions.roll_back(until_ms)
    world.tell("rolled back", until_ms)


def edit(world: World, at_ms: int) -> None:
    """Somebody edits one dead job, and changes nothing: the arguments mean what they meant, in the desk's version."""
    world.operators.acted += 1
    world.later(at_ms, lambda: world.start("desk", lambda: _edit(world), role="operator"))


def _edit(world: World) -> None:
    dead = [job for job, item in world.cloud.records().items() if item["state"]["S"] == "dead"]
    if not dead:
        return
    job = world.rng.choice(dead)
    tenant, _, job_id = job.partition("#")
    program = world.rng.choice(world.functions.deployments).program
    try:
        program.desk.acting_as("an operator").edit(JobRef(tenant, job_id), Edit({}))
    except (UnavailableError, InputError, JobNotFoundError, JobStateError) as error:
        world.tell("not edited", job, error.code)
        return
    world.tell("edited", job)


SETTING = Setting(
    "versions",
    "old and new code share the queues: arguments of two versions, parked, edited and redriven by both; rollbacks",
    prepare,
    certain=(Fault.OLD_CODE,),
    share_redriven=0.5,
    quiet_within_ms=4 * 3_600_000,
    audits=(audit_versions,),
)
