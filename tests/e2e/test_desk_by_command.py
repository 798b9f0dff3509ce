"""The DLQ desk on the deployed stack by command line: what it says, what it does, and what the trail tells of it."""

import json
from typing import NamedTuple

import pytest
from trials.building import FAULTS, Build

from tidemill import State

pytestmark = pytest.mark.slow
STEPS = ["dig", "lay", "raise"]


@pytest.fixture
def site(ground, tenant, gate):
    """Have jobs dead after all of their steps, with their messages in the DLQ, one for each fault."""

    def dead_of(*grounds):
        args = [Build(diary=str(ground.diary(tenant).path), gate=str(gate), ground=one) for one in grounds]
        refs = [ground.client.submit(one, tenant=tenant).job.ref for one in args]
        assert [ground.ended(ref).reason for ref in refs] == ["permanent"] * len(refs)
        ground.wait_for_dlq("default", refs)
        return refs

    return dead_of


def test_dead_jobs_are_listed_grouped_by_their_fault_and_shown(ground, tenant, site, tidemill):
    wet, again, icy = site("wet", "wet", "icy")

    listed = tidemill("dlq", "ls", "--tenant", tenant, "--kind", "trial.build")
    assert {job["id"] for job in listed["jobs"]} == {wet.id, again.id, icy.id}
    assert listed["depths"]["default"] >= 3
    groups = tidemill("dlq", "groups", "--tenant", tenant)["groups"]
    assert [(group["count"], group["message"]) for group in groups] == [
        (2, FAULTS["wet"]),
        (1, FAULTS["icy"]),
    ]
    fault = tidemill("dlq", "ls", "--tenant", tenant, "--error", groups[1]["error"])
    assert [job["id"] for job in fault["jobs"]] == [icy.id]

    shown = tidemill("dlq", "show", f"{tenant}/{wet.id}")
    assert (shown["args"]["ground"], shown["args"]["width"]) == ("wet", 1)
    assert [step["name"] for step in shown["steps"]] == STEPS
    assert shown["effects"]["restart"] == {"kept": [], "again": STEPS}
    assert [(one["type"], one["generation"]) for one in shown["failures"]] == [
        ("tidemill.domain.signals.PermanentError", 1)
    ]
    assert ground.trail(tenant) == []


def test_an_edit_is_checked_before_anything_is_changed(ground, tenant, site, gate, tidemill):
    (ref,) = site("wet")
    before, letter = ground.job(ref), ground.in_dlq("default")[ref]
    named = f"{tenant}/{ref.id}"

    bad = tidemill.refused("dlq", "edit", named, '{"width": 0}', "--yes")
    assert (bad.code, [violation["field"] for violation in bad.error["violations"]]) == (2, ["args.width"])
    foreseen = tidemill("dlq", "edit", named, '{"width": 3}', "--dry-run")
    assert (foreseen["args"]["width"], foreseen["kept"], foreseen["again"]) == (3, STEPS, [])
    assert (ground.job(ref), ground.in_dlq("default")[ref]) == (before, letter)

    gate.touch()
    assert tidemill("dlq", "edit", named, '{"width": 3}', "--yes")["via"] == "table"

    edited = ground.ended(ref, generation=2)
    assert (edited.state, edited.generation, edited.result) == (State.SUCCEEDED, 2, "3")
    assert [line["word"] for line in ground.diary(tenant).lines()] == STEPS
    assert ref not in ground.in_dlq("default")
    (entry,) = ground.trail(tenant)
    assert (entry.action, entry.outcome, entry.jobs) == ("edit", "done", (str(ref),))
    assert entry.actor == ground.operator


class Case(NamedTuple):
    """How a redrive is asked for, what the trail calls it, where the message comes from, which steps happen again."""

    options: tuple[str, ...]
    manner: str
    via: str
    again: list[str]


@pytest.mark.parametrize(
    "case",
    [
        Case((), "resume", "dlq", []),
        Case(("--mode", "restart"), "restart", "table", STEPS),
        Case(("--from-step", "lay"), "from_step lay", "table", ["lay", "raise"]),
    ],
    ids=lambda case: case.manner,
)
def test_a_redrive_repeats_the_steps_that_its_dry_run_says(ground, tenant, site, gate, tidemill, case):
    options, manner, via, again = case
    (ref,) = site("wet")
    before, letter = ground.job(ref), ground.in_dlq("default")[ref]

    foreseen = tidemill("dlq", "redrive", f"{tenant}/{ref.id}", *options, "--dry-run")

    (effects,) = foreseen["foreseen"]
    assert (effects["again"], effects["kept"]) == (again, [step for step in STEPS if step not in again])
    assert (ground.job(ref), ground.in_dlq("default")[ref]) == (before, letter)
    gate.touch()
    done = tidemill("dlq", "redrive", f"{tenant}/{ref.id}", *options, "--yes")
    assert done["redriven"] == [{"id": ref.id, "tenant": tenant, "via": via}]
    job = ground.ended(ref, generation=2)
    assert (job.state, job.generation, job.attempt, job.crashes) == (State.SUCCEEDED, 2, 1, 0)
    assert [line["word"] for line in ground.diary(tenant).lines()] == [*STEPS, *again]
    assert ref not in ground.in_dlq("default")
    (entry,) = ground.trail(tenant)
    assert (entry.action, entry.manner, entry.actor, entry.outcome) == ("redrive", manner, ground.operator, "done")
    told = tidemill("dlq", "audit", "--limit", "100")["entries"]
    (shown,) = [one for one in told if one["id"] == entry.id]
    assert (shown["actor"], shown["jobs"], shown["counts"]["redriven"]) == (ground.operator, [str(ref)], 1)


def test_the_others_follow_a_canary_only_if_it_lives(ground, tenant, site, gate, tidemill):
    refs = site("wet", "wet", "wet")
    carefully = ("dlq", "redrive", "--tenant", tenant, "--kind", "trial.build", "--canary", "1", "--yes")

    died = tidemill.refused(*carefully)

    assert (died.code, died.error["code"]) == (1, "canary_failed")
    assert died.answer["canary"]["passed"] is False
    assert len(died.answer["redriven"]) == len(died.answer["canary"]["died"]) == 1
    assert sorted(ground.job(ref).generation for ref in refs) == [1, 1, 2]
    assert {ground.job(ref).state for ref in refs} == {State.DEAD}
    ground.wait_for_dlq("default", refs)

    gate.touch()
    lived = tidemill(*carefully)

    assert (lived["canary"]["passed"], len(lived["redriven"])) == (True, 3)
    ended = [ground.ended(ref, generation=2) for ref in refs]
    assert [job.state for job in ended] == [State.SUCCEEDED] * 3
    second, first = ground.trail(tenant)
    assert (first.outcome, first.error, first.counts["redriven"]) == ("stopped", "canary", 1)
    assert (second.outcome, second.error, second.counts["redriven"]) == ("done", None, 3)
    assert {first.actor, second.actor} == {ground.operator}


def test_a_purge_asks_for_the_lanes_name_and_the_records_stay(ground, tenant, site, gate, tidemill):
    (ref,) = site("wet")
    purge = ("dlq", "purge", "--lane", "default", "--tenant", tenant)

    assert json.loads(tidemill.run(*purge, "--dry-run", "--json").stdout)["messages"] == 1
    assert tidemill.refused(*purge).error["violations"][0]["field"] == "yes"
    assert tidemill.run(*purge, typed="bulk\n").returncode != 0
    assert ref in ground.in_dlq("default")
    assert ground.trail(tenant) == []
    assert tidemill.run(*purge, typed="default\n").returncode == 0
    assert ref not in ground.in_dlq("default")
    assert ground.job(ref).state is State.DEAD

    gate.touch()
    done = tidemill("dlq", "redrive", f"{tenant}/{ref.id}")

    assert done["redriven"][0]["via"] == "table"
    assert ground.ended(ref, generation=2).state is State.SUCCEEDED
    assert [line["word"] for line in ground.diary(tenant).lines()] == STEPS
    redriven, purged = ground.trail(tenant)
    assert [(one.action, one.actor, one.outcome) for one in (purged, redriven)] == [
        ("purge", ground.operator, "done"),
        ("redrive", ground.operator, "done"),
    ]
    assert (purged.counts["purged"], purged.chosen["lane"]) == (1, "default")
