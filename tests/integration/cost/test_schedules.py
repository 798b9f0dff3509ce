"""What a tick of a schedule costs beside its job, and what a change costs, on an account that counts."""

from __future__ import annotations

import time

import pytest

from bench.cloud.account import BenchAccount
from bench.workload import lambda_environment
from tests.integration.cost.jobs import LANE, Echo, registry
from tidemill.domain.cron import Every
from tidemill.domain.duration import minutes
from tidemill.domain.ports import Telemetry
from tidemill.entrypoints.bootstrap import Program
from tidemill.testing.clock import FrozenClock

# The janitor's queries of the due index, which it makes whether something is due or not.
SHARDS = 8


class Silence:
    def count(self, name: str, value: int = 1) -> None: ...

    def note(self, event: str, **fields: object) -> None: ...

    alert = note


@pytest.fixture
def stack():
    account = BenchAccount(LANE)
    with lambda_environment(account):
        program = Program.from_env(registry)
        object.__setattr__(program, "clock", FrozenClock(time.time_ns() // 1_000_000))
        yield account, program


def sweep(program: Program) -> int:
    telemetry: Telemetry = Silence()
    return program.ticks(telemetry).run()


@pytest.mark.parametrize("overlap", ["allow", "skip"])
def test_a_tick_costs_three_write_units_beside_its_job(stack, overlap):
    account, program = stack
    program.schedules.create("nightly", Echo(), Every(minutes(1)), overlap=overlap)
    for _ in range(5):
        program.clock.advance(minutes(1))
        sweep(program)
    before = account.meter.write_units
    made = program.schedules.get("nightly").ticks
    ran = program.schedules.get("nightly").made

    program.clock.advance(minutes(1))
    if overlap == "skip":
        # The job of the tick before is over.
        _finish(program, [program.schedules.get("nightly").job_id(tick) for tick in ran])
        before = account.meter.write_units
    assert sweep(program) == 1

    assert program.schedules.get("nightly").ticks == made + 1
    # The row, and its old and its new entry in the due index; the job's own record is the fourth.
    assert account.meter.write_units - before == 3 + 1


def test_a_sweep_without_anything_due_writes_nothing_and_asks_once_a_shard(stack):
    account, program = stack
    program.schedules.create("nightly", Echo(), Every(minutes(60)))
    writes, calls = account.meter.write_units, account.meter.calls.total()

    assert sweep(program) == 0

    assert (account.meter.write_units - writes, account.meter.calls.total() - calls) == (0, SHARDS)


def test_what_changes_cost(stack):
    account, program = stack
    schedules = program.schedules.acting_as("ada")
    costs = {}
    for verb, call in {
        "create": lambda: schedules.create("nightly", Echo(), Every(minutes(60))),
        "change": lambda: schedules.change("nightly", overlap="skip"),
        "pause": lambda: schedules.pause("nightly"),
        "resume": lambda: schedules.resume("nightly"),
        "delete": lambda: schedules.delete("nightly"),
    }.items():
        before = account.meter.write_units
        call()
        costs[verb] = account.meter.write_units - before

    # In a transaction each costs two: the row, the new version, the old version, the count, and an entry in the due
    # index that comes or goes.
    assert costs == {"create": 8, "change": 6, "pause": 8, "resume": 8, "delete": 10}


def _finish(program: Program, job_ids: list[str]) -> None:
    for job_id in job_ids:
        if not program.client.get(job_id).state.is_final:
            program.client.cancel(job_id)
