import json
from dataclasses import replace

import pytest

from tests.unit.cli.conftest import ADA
from tidemill import hours, minutes
from tidemill.cli.render import moment
from tidemill.domain.duration import milliseconds
from tidemill.domain.job import day_of
from tidemill.service.request import parse_request

UUID = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


@pytest.fixture
def greet(world):
    """Submit a job that succeeds once the worker runs; answers its id."""

    def submit(**fields):
        document = {"kind": "demo.greet", "args": {"name": "Ada"}, **fields}
        return world.submitter.submit([parse_request(document, world.submitter.registry)])[0].job_id

    return submit


def answer(result):
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


class TestGet:
    def test_a_job_with_its_result(self, run, world, greet):
        job_id = greet(key="k:1")
        world.work()

        human, machine = run("get", job_id), answer(run("get", job_id, "--json"))

        assert human.exit_code == 0, human.output
        for shown in (job_id, "succeeded", "demo.greet", "k:1", '"greeting": "Hello Ada"'):
            assert shown in human.stdout
        assert (machine["id"], machine["state"]) == (job_id, "succeeded")
        assert machine["result"] == {"greeting": "Hello Ada"}
        assert machine["failures"] == []

    def test_a_dead_job_with_its_failures(self, run, world):
        (job_id,) = world.dead()

        human, machine = run("get", job_id), answer(run("get", job_id, "--json"))

        assert "PermanentError" in human.stdout
        assert "tidemill.domain.signals.PermanentError" in human.stdout
        # The job raised its own argument.
        assert [failure["message"] for failure in machine["failures"]] == ["[hidden]"]
        assert "result" not in machine

    def test_a_large_result_is_shown_as_any_other(self, run, world, greet):
        job_id = greet(args={"name": "x" * 140_000})
        assert len(world.payloads.kept) == 1
        world.work()

        assert [name for _, name in world.payloads.kept] == ["result/1"]
        assert answer(run("get", job_id, "--json"))["result"] == {"greeting": "Hello " + "x" * 140_000}

    def test_a_result_that_is_gone_hides_no_job(self, run, world, greet):
        job_id = greet(args={"name": "x" * 140_000})
        world.work()
        world.payloads.kept.clear()

        machine = answer(run("get", job_id, "--json"))

        assert (machine["state"], "result" in machine) == ("succeeded", False)
        assert "Fix: " in machine["result_omitted"]
        assert "gone" in run("get", job_id).stdout

    @pytest.mark.parametrize("name", ["Ada", "x" * 140_000])
    def test_arguments_that_the_table_has(self, run, greet, name):
        job_id = greet(args={"name": name}, delay_seconds=7_200)

        assert answer(run("get", job_id, "--args", "--json"))["args"] == {"name": name}
        assert f'"name": "{name}"' in run("get", job_id, "--args").stdout
        assert "args" not in answer(run("get", job_id, "--json"))

    def test_arguments_that_only_the_message_has(self, run, greet):
        job_id = greet()

        assert answer(run("get", job_id, "--args", "--json"))["args"] is None
        assert "only the job's message has them" in run("get", job_id, "--args").stdout

    def test_another_tenants_job_needs_its_tenant(self, run, refused, greet):
        job_id = greet(tenant="acme")

        assert refused("get", job_id, code=1) == "job_not_found"
        assert answer(run("get", job_id, "--tenant", "acme", "--json"))["tenant"] == "acme"
        assert answer(run("get", f"acme/{job_id}", "--json"))["tenant"] == "acme"

    def test_a_job_past_its_retention_is_gone(self, refused, world, greet):
        job_id = greet()
        world.work()
        world.clock.advance(hours(25))

        assert refused("get", job_id, code=1) == "job_not_found"

    @pytest.mark.parametrize("job_id", ["1", UUID.upper(), "", UUID + "0", "acme/1"])
    def test_an_ill_formed_id_is_named(self, refused, job_id):
        assert list(refused("get", job_id)) == ["id"]

    def test_an_ill_formed_tenant_is_named(self, refused):
        assert list(refused("get", UUID, "--tenant", "a#b")) == ["tenant"]

    def test_what_a_job_raised_does_not_command_the_terminal(self, run, world):
        (job_id,) = world.dead()
        (failures,) = world.store.failures.values()
        evil = replace(failures[0].failure, message="\x1b]0;owned\x07 [red]x[/red]")
        failures[0] = replace(failures[0], failure=evil)

        shown = run("get", job_id).stdout

        assert "\x1b" not in shown
        assert "\x07" not in shown
        assert "[red]x[/red]" in shown


class TestCancel:
    def test_a_waiting_job(self, run, world, greet):
        job_id, other = greet(), greet()

        assert run("cancel", job_id).stdout == f"job {job_id} is cancelled\n"
        assert answer(run("cancel", other, "--json"))["state"] == "cancelled"
        world.work()
        assert {job.state for job in world.store.jobs.values()} == {"cancelled"}

    def test_twice_changes_nothing(self, run, greet):
        job_id = greet()
        run("cancel", job_id)

        assert run("cancel", job_id).exit_code == 0

    def test_who_did_it_is_in_the_trail(self, run, world, greet):
        ended, killed, moved = greet(), greet(), greet()

        assert run("cancel", ended).exit_code == run("cancel", ended).exit_code == 0
        assert run("cancel", killed, "--kill").exit_code == 0
        assert run("move", moved, "--in", "10m").exit_code == 0

        assert {(one.action, one.actor, one.jobs) for one in world.trail.entries.values()} == {
            ("cancel", ADA, (f"default/{ended}",)),
            ("kill", ADA, (f"default/{killed}",)),
            ("move", ADA, (f"default/{moved}",)),
        }
        assert len(world.trail.entries) == 3

    def test_a_finished_job_is_refused(self, refused, world, greet):
        job_id = greet()
        world.work()

        assert refused("cancel", job_id, code=1) == "job_state"

    def test_an_unknown_job_is_refused(self, refused):
        assert refused("cancel", UUID, code=1) == "job_not_found"


class TestList:
    def test_by_state_of_one_tenant(self, run, world):
        mine = world.dead(2)
        (theirs,) = world.dead(tenant="acme")

        listed = answer(run("list", "--state", "dead", "--json"))
        human = run("list", "--state", "dead").stdout

        assert {job["id"] for job in listed["jobs"]} == set(mine)
        assert listed["cursor"] is None
        assert all(job_id in human for job_id in mine)
        assert theirs not in human

    def test_by_kind_and_day(self, run, world, greet):
        today = day_of(world.clock.now_ms())
        job_id = greet()

        for day in ((), ("--day", today)):
            assert [j["id"] for j in answer(run("list", "--kind", "demo.greet", *day, "--json"))["jobs"]] == [job_id]
        assert run("list", "--kind", "demo.greet", "--day", "2020-02-29").stdout == "no such jobs\n"

    def test_scheduled_jobs_show_when_they_are_due(self, run, world, greet):
        greet(delay_seconds=3600)

        assert moment(world.clock.now_ms() + milliseconds(minutes(60))) in run("list", "--state", "scheduled").stdout

    def test_page_by_page(self, run, world):
        ids = set(world.dead(3))

        first = answer(run("list", "--state", "dead", "--limit", "2", "--json"))
        second = answer(run("list", "--state", "dead", "--limit", "2", "--cursor", first["cursor"], "--json"))

        assert len(first["jobs"]) == 2
        assert {job["id"] for page in (first, second) for job in page["jobs"]} == ids
        assert f"--cursor {first['cursor']}" in run("list", "--state", "dead", "--limit", "2").stdout

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ((), "state"),
            (("--state", "queued"), "state"),
            (("--state", "nonsense"), "state"),
            (("--kind", "No Kind"), "kind"),
            (("--kind", "demo.greet", "--day", "yesterday"), "day"),
            (("--kind", "demo.greet", "--day", "2026-02-30"), "day"),
            (("--state", "dead", "--limit", "0"), "limit"),
            (("--state", "dead", "--limit", "101"), "limit"),
            (("--state", "dead", "--cursor", "nonsense"), "cursor"),
            (("--state", "dead", "--tenant", ""), "tenant"),
        ],
    )
    def test_bad_input_is_named(self, refused, arguments, field):
        assert list(refused("list", *arguments)) == [field]

    def test_a_limit_that_is_no_number_is_bad_usage(self, refused):
        assert refused("list", "--limit", "many") == "usage"
