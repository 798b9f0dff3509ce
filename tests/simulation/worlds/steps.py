"""Jobs of several steps that fail, die, hang and freeze between any two, and are redriven in every manner."""

from __future__ import annotations

from typing import Any

from tests.simulation.asking import ask_and_meddle, sometime, soon, want
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import Behaviour, Conduct
from tests.simulation.jobs.stepping import FREEZES, KINDS, LINGERS, PLACES, SORTS
from tests.simulation.setting import Setting
from tests.simulation.world import World
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, PayloadGoneError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.service.manner import RESUME, Manner, Mode

_TROUBLE = (
    Conduct.FAILS,
    Conduct.FAILS,
    Conduct.REFUSES,
    Conduct.REFUSES,
    Conduct.KILLS,
    Conduct.HANGS,
    Conduct.DOZES,
    FREEZES,
    LINGERS,
    LINGERS,
)


def prepare(world: World) -> int:
    """Ask for one or two jobs, and redrive them meanwhile."""
    rng = world.rng
    trouble_ms = ask_and_meddle(world, _ask, lambda world, within_ms: redrive(world, sometime(world, within_ms)))
    if rng.random() < 0.2:
        world.operators.redrive_at_console(sometime(world, trouble_ms))
    if rng.random() < 0.3:
        end = rng.choice((world.operators.cancel, world.operators.cancel, world.operators.kill))
        end(rng.choice((soon(world), sometime(world, 20_000), sometime(world, trouble_ms))))
    return trouble_ms


def _ask(world: World, number: int) -> None:
    rng = world.rng
    plan = [rng.choice(SORTS) for _ in range(rng.randint(2, 4))]
    starts = rng.choice((0, 1, 1, 2, 3, 4))
    trouble = [(start + 1, rng.randint(0, PLACES * len(plan)), rng.choice(_TROUBLE)) for start in range(starts)]
    wanted = want(
        world,
        number,
        Behaviour(Conduct.FAILS, starts) if starts else Behaviour(),
        kind=rng.choice(KINDS),
        via=rng.choice(("submit", "submit", "message")),
        key=f"key-{number}" if rng.random() < 0.3 else None,
        details={"plan": plan, "trouble": trouble, "busy_s": rng.choice((0, 0, 0, 7))},
    )
    world.submitters.start([wanted], soon(world))
    if wanted.key is not None and rng.random() < 0.5:
        world.submitters.start([wanted], soon(world))


def redrive(world: World, at_ms: int) -> None:
    """Somebody redrives one dead job: all of its steps, some of them or none are forgotten."""
    world.operators.acted += 1
    world.later(at_ms, lambda: world.start("desk", lambda: _redrive(world), role="operator"))


def _redrive(world: World) -> None:
    records = world.cloud.records()
    dead = [job for job, item in records.items() if item["state"]["S"] == "dead"]
    if not dead:
        return
    job = world.rng.choice(dead)
    tenant, _, job_id = job.partition("#")
    manner = _manner(world, job)
    try:
        redriven = world.deployment.program.desk.acting_as("an operator").redrive(JobRef(tenant, job_id), manner)
    except (UnavailableError, InputError, JobNotFoundError, JobStateError, PayloadGoneError) as error:
        world.tell("not redriven", job, str(manner), error.code)
        return
    world.tell("redriven", job, str(manner), redriven.via)


def _manner(world: World, job: str) -> Manner:
    steps: dict[str, Any] = dict(world.cloud.items.get((job, "MEMORY"), {}).get("steps", {"M": {}})["M"])
    choice = world.rng.choice((Mode.RESUME, Mode.RESTART, Mode.FROM_STEP, Mode.FROM_STEP))
    if choice is Mode.FROM_STEP:
        return Manner(Mode.FROM_STEP, world.rng.choice(sorted(steps) or ["step-0"]))
    return RESUME if choice is Mode.RESUME else Manner(choice)


def audit(world: World) -> None:
    """Effects without a key happened as often as they may, and who was cancelled stays so."""
    world.memories.audit()
    world.signs.audit()


SETTING = Setting(
    "steps",
    "jobs of several steps that fail, die, hang and freeze between any two; resumed, restarted, redriven from a step",
    prepare,
    certain=(Fault.OLD_CODE,),
    share_redriven=0.5,
    audits=(audit,),
)
