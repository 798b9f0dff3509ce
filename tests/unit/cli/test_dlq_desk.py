"""`tidemill dlq`: groups, modes, canary, edit, purge, audit."""

import json

import pytest

from tests.unit.cli.conftest import ADA
from tests.unit.cli.test_dlq import UUID, answer
from tidemill import seconds
from tidemill.domain.audit import Outcome
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory, Remembered, Wish


def remember(world, job_id, *names):
    steps = {name: Remembered(name, number, None, world.clock.now_ms(), 1) for number, name in enumerate(names, 1)}
    world.memory.memories[JobRef("default", job_id)] = Memory(fence=1, steps=steps)


def entries(world):
    return [world.trail.entries[one] for one in sorted(world.trail.entries)]


class TestGroups:
    def test_one_fault_one_row(self, run, world):
        world.dead(2)
        world.dead(lane="bulk", tenant="acme")

        human, machine = run("dlq", "groups").stdout, answer(run("dlq", "groups", "--json"))

        (group,) = machine["groups"]
        assert (group["count"], group["kinds"], group["lanes"]) == (3, ["demo.break"], ["bulk", "default"])
        assert machine["complete"] is True
        assert group["error"] in human
        assert "demo.break" in human

    def test_a_filter(self, run, world):
        world.dead(2)
        world.dead(lane="bulk")

        assert answer(run("dlq", "groups", "--lane", "bulk", "--json"))["groups"][0]["count"] == 1
        assert "no dead jobs" in run("dlq", "groups", "--since", "1s").stdout


class TestModes:
    def test_show_says_which_steps_are_done(self, run, world):
        (job_id,) = world.dead()
        remember(world, job_id, "reserve", "charge")

        human, machine = run("dlq", "show", job_id).stdout, answer(run("dlq", "show", job_id, "--json"))

        assert "reserve" in human
        assert "--from-step NAME" in human
        assert machine["effects"]["restart"]["again"] == ["reserve", "charge"]

    def test_a_dry_run_shows_which_effects_would_happen_again(self, run, world):
        (job_id,) = world.dead()
        remember(world, job_id, "reserve", "charge")

        line = ("dlq", "redrive", job_id, "--from-step", "charge", "--dry-run")
        human, machine = run(*line).stdout, answer(run(*line, "--json"))

        assert machine["foreseen"] == [{"id": job_id, "tenant": "default", "kept": ["reserve"], "again": ["charge"]}]
        assert "charge" in human
        assert "nothing was done" in human
        assert (world.queues.depth("default"), world.trail.entries) == (1, {})

    def test_effects_that_would_happen_again_are_asked_about(self, run, world):
        (job_id,) = world.dead()
        remember(world, job_id, "reserve", "charge")

        no = run("dlq", "redrive", job_id, "--mode", "restart", input="n\n")

        assert "finished steps that happen again: charge, reserve" in no.stderr
        assert (no.exit_code, world.queues.depth("default")) == (1, 1)

    @pytest.mark.parametrize(
        ("options", "forget"), [(("--mode", "restart"), "*"), (("--from-step", "charge"), "charge")]
    )
    def test_the_new_generation_knows_what_it_is_to_forget(self, run, world, options, forget):
        (job_id,) = world.dead()
        remember(world, job_id, "reserve", "charge")

        assert answer(run("dlq", "redrive", job_id, *options, "--yes", "--json"))["redriven"][0]["via"] == "table"

        (body,) = [json.loads(one.body) for one in world.queues.receive("default")]
        (memory,) = world.store.memories.values()
        assert (memory.wish, body["generation"]) == (Wish(2, forget), 2)
        assert world.queues.depth("default") == 0

    def test_a_step_that_nothing_remembers_changes_nothing(self, refused, world):
        (job_id,) = world.dead()

        assert list(refused("dlq", "redrive", job_id, "--from-step", "charge", "--yes")) == ["from_step"]
        assert (world.queues.depth("default"), world.trail.entries) == (1, {})


class TestFilters:
    def test_only_what_matches_runs_again(self, run, world):
        world.dead(2)
        world.dead(3, lane="bulk", tenant="acme")

        line = ("dlq", "redrive", "--tenant", "acme", "--kind", "demo.break", "--reason", "permanent", "--yes")
        assert len(answer(run(*line, "--json"))["redriven"]) == 3
        assert (world.queues.depth("default"), world.queues.depth("bulk")) == (2, 0)

    @pytest.mark.parametrize(
        "options", [("--kind", "demo.greet"), ("--reason", "poison"), ("--lane", "bulk", "--tenant", "default")]
    )
    def test_a_filter_that_matches_nothing_is_an_error_and_changes_nothing(self, refused, world, options):
        world.dead()

        for more in ((), ("--dry-run",), ("--mode", "restart")):
            assert refused("dlq", "redrive", *options, *more, "--yes", code=1) == "nothing_matched"
        assert (world.queues.depth("default"), world.trail.entries) == (1, {})

    def test_died_since(self, run, world):
        world.dead()

        assert len(answer(run("dlq", "ls", "--since", "2h", "--json"))["jobs"]) == 1
        assert answer(run("dlq", "ls", "--since", "1s", "--json"))["jobs"] == []
        assert answer(run("dlq", "ls", "--until", "2026-01-01T00:00:00Z", "--json"))["jobs"] == []


class TestCanary:
    def test_the_others_follow_a_canary_that_ends_well(self, run, world, mend):
        world.dead(6)
        mend()

        found = answer(run("dlq", "redrive", "--kind", "demo.break", "--canary", "2", "--yes", "--json"))

        assert (found["canary"]["passed"], len(found["canary"]["well"]), len(found["redriven"])) == (True, 2, 6)
        assert world.slept
        assert world.queues.depth("default") == 0

    def test_a_canary_that_dies_again_stops_it(self, run, world):
        world.dead(6)

        result = run("dlq", "redrive", "--kind", "demo.break", "--canary", "2", "--yes", "--json")

        assert answer(result, code=1)["canary"]["passed"] is False
        assert json.loads(result.stderr)["code"] == "canary_failed"
        assert len(json.loads(result.stdout)["redriven"]) == 2
        assert sum(job.generation == 1 for job in world.store.jobs.values()) == 4
        (entry,) = entries(world)
        assert (entry.outcome, entry.error) == (Outcome.STOPPED, "canary")

    def test_one_that_does_not_end_in_time_stops_it_too(self, run, world):
        world.dead(3)
        world.works_meanwhile = False

        line = ("dlq", "redrive", "--kind", "demo.break", "--canary", "1", "--canary-wait", "30s", "--yes")
        human = run(*line)

        assert human.exit_code == 1
        assert "not ended in time" in human.stderr
        assert world.queues.depth("default") == 2
        assert 30 <= sum(world.slept) <= 32

    def test_a_whole_lane_has_its_canary_too(self, run, world):
        world.dead(5)

        result = run("dlq", "redrive", "--lane", "default", "--canary", "1", "--yes", "--json")

        assert result.exit_code == 1
        assert json.loads(result.stdout)["moved"] == {"default": 0}
        assert sum(job.generation == 1 for job in world.store.jobs.values()) == 4


class TestEdit:
    def test_the_arguments_are_merged_into_the_job_s_own(self, run, world, mend):
        (job_id,) = world.dead()
        mend()

        result = run("dlq", "edit", job_id, '{"message":"mended"}', "--yes")

        assert result.exit_code == 0, result.output
        assert "runs again with other arguments" in result.stdout
        (entry,) = entries(world)
        assert (entry.action, entry.actor, entry.tenant) == ("edit", ADA, "default")
        world.work()
        (job,) = world.store.jobs.values()
        assert (job.state, job.generation) == (State.SUCCEEDED, 2)

    def test_it_shows_what_it_will_run_and_asks(self, run, world):
        (job_id,) = world.dead()

        no = run("dlq", "edit", job_id, '{"message":"mended"}', input="n\n")

        assert '"message": "mended"' in no.stdout
        assert (no.exit_code, world.queues.depth("default"), world.trail.entries) == (1, 1, {})

    def test_a_dry_run_and_another_tenant(self, run, world):
        (job_id,) = world.dead(tenant="acme")

        shown = answer(run("dlq", "edit", f"acme/{job_id}", '{"message":"x"}', "--dry-run", "--json"))

        assert (shown["dry_run"], shown["args"], shown["tenant"]) == (True, {"message": "x"}, "acme")
        assert world.trail.entries == {}

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            (('{"message":5}',), "args.message"),
            (('{"colour":"red"}',), "args.colour"),
            (("[]",), "args"),
            (("{",), "args"),
            (('{"message":"x"}', "--mode", "again"), "mode"),
        ],
    )
    def test_an_edit_that_no_longer_validates_is_named_and_changes_nothing(self, refused, world, arguments, field):
        (job_id,) = world.dead()
        before = dict(world.store.jobs)

        assert list(refused("dlq", "edit", job_id, *arguments, "--yes")) == [field]
        assert (world.store.jobs, world.queues.depth("default"), world.trail.entries) == (before, 1, {})

    def test_machines_are_not_asked(self, run, world):
        (job_id,) = world.dead()

        assert run("dlq", "edit", job_id, "{}", "--json").exit_code == 2
        assert world.trail.entries == {}

    def test_it_asks_no_api(self, run, world):
        (job_id,) = world.dead()

        assert run("dlq", "edit", job_id, '{"message":"x"}', "--yes").exit_code == 0
        assert world.api.posted == []


class TestPurge:
    def test_it_takes_the_lane_s_name(self, run, world):
        world.dead(2)

        no = run("dlq", "purge", "--lane", "default", input="yes\n")
        assert (no.exit_code, world.queues.depth("default")) == (1, 2)

        yes = run("dlq", "purge", "--lane", "default", input="default\n")
        assert (yes.exit_code, world.queues.depth("default")) == (0, 0)
        assert "deleted: 2 messages of default" in yes.stdout
        assert {job.state for job in world.store.jobs.values()} == {State.DEAD}

    def test_a_purged_job_still_runs_again_from_the_table(self, run, world, mend):
        (job_id,) = world.dead()
        answer(run("dlq", "purge", "--lane", "default", "--yes", "--json"))
        mend()

        assert answer(run("dlq", "redrive", job_id, "--json"))["redriven"][0]["via"] == "table"
        world.work()
        assert [job.state for job in world.store.jobs.values()] == [State.SUCCEEDED]

    def test_only_what_the_filter_means(self, run, world):
        world.dead()
        world.dead(tenant="acme")

        found = answer(run("dlq", "purge", "--lane", "default", "--tenant", "acme", "--yes", "--json"))

        assert (found["messages"], world.queues.depth("default")) == (1, 1)
        assert "acme" not in world.queues.peek("default", 1)[0].body

    def test_a_message_whose_death_no_record_tells_stays(self, run, world):
        """It may be all that is left of its job."""
        world.dead(2)
        unseen = next(iter(world.store.jobs))
        del world.store.jobs[unseen]

        found = answer(run("dlq", "purge", "--lane", "default", "--yes", "--json"))

        assert (found["messages"], found["kept"], world.queues.depth("default")) == (1, 1, 1)

    def test_it_says_what_it_did_not_look_at(self, run, world):
        world.dead(3)
        hidden = next(iter(world.queues._dlqs["default"].messages))
        hidden.visible_at = world.clock.now_ms() + 60_000

        human = run("dlq", "purge", "--lane", "default", "--dry-run").stdout
        done = answer(run("dlq", "purge", "--lane", "default", "--yes", "--json"))

        assert "about 1 more were not looked at: purge again once these are gone" in human
        assert (done["messages"], done["unseen"], world.queues.depth("default")) == (2, 1, 1)
        assert "not looked at" not in run("dlq", "purge", "--lane", "bulk", "--dry-run").stdout

    def test_a_dry_run(self, run, world):
        world.dead(2)

        assert answer(run("dlq", "purge", "--lane", "default", "--dry-run", "--json"))["messages"] == 2
        assert (world.queues.depth("default"), world.trail.entries) == (2, {})

    def test_bad_input(self, run, refused, world):
        assert refused("dlq", "purge", "--lane", "default", "--yes", code=1) == "nothing_matched"
        assert list(refused("dlq", "purge", "--lane", "gpu", "--yes")) == ["lane"]
        assert run("dlq", "purge", "--lane", "default", "--json").exit_code == 2


class TestAudit:
    def test_who_did_what(self, run, world):
        first, second = world.dead(2)
        run("dlq", "redrive", first)
        world.clock.advance(seconds(1))
        run("dlq", "purge", "--lane", "default", "--yes")
        world.clock.advance(seconds(1))
        run("dlq", "redrive", second, "--mode", "restart", "--yes")

        human, machine = run("dlq", "audit").stdout, answer(run("dlq", "audit", "--json"))

        assert {entry["actor"] for entry in machine["entries"]} == {ADA}
        assert [entry["action"] for entry in machine["entries"]] == ["redrive", "purge", "redrive"]
        restart, purge, resume = machine["entries"]
        assert (restart["manner"], restart["jobs"], restart["outcome"]) == ("restart", [f"default/{second}"], "done")
        assert (purge["chosen"], purge["counts"]) == ({"lane": "default"}, {"asked": 1, "purged": 1})
        assert resume["manner"] == "resume"
        assert ADA in human
        assert "purged 1" in human

    def test_page_by_page_and_another_day(self, run, world):
        for job_id in world.dead(3):
            run("dlq", "redrive", job_id)

        first = answer(run("dlq", "audit", "--limit", "2", "--json"))
        second = answer(run("dlq", "audit", "--cursor", first["cursor"], "--json"))

        assert [len(page["entries"]) for page in (first, second)] == [2, 1]
        assert "nothing was done on that day" in run("dlq", "audit", "--day", "2026-01-01").stdout

    def test_no_audit_no_action(self, run, world):
        (job_id,) = world.dead()
        world.trail.outage = UnavailableError("audit", "down")

        for line in (
            ("redrive", job_id),
            ("redrive", "--all", "--yes"),
            ("redrive", "--kind", "demo.break", "--mode", "restart", "--yes"),
            ("purge", "--lane", "default", "--yes"),
        ):
            assert run("dlq", *line).exit_code == 3
        assert (world.queues.depth("default"), world.queues.count("default")) == (1, 0)
        assert [job.state for job in world.store.jobs.values()] == [State.DEAD]

    @pytest.mark.parametrize(
        ("option", "value", "field"),
        [("--day", "yesterday", "day"), ("--limit", "0", "limit"), ("--cursor", "x", "cursor")],
    )
    def test_bad_input_is_named(self, refused, option, value, field):
        assert list(refused("dlq", "audit", option, value)) == [field]

    def test_an_id_that_is_none_leaves_no_entry(self, run, world):
        assert run("dlq", "redrive", UUID).exit_code == 1
        assert world.trail.entries == {}
