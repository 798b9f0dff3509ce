import json

import pytest

from tests.builders import moved
from tidemill import days
from tidemill.domain.lifecycle import State

UUID = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


def answer(result, code=0):
    assert result.exit_code == code, result.output
    return json.loads(result.stdout)


def revive(world):
    """Make every record that of a job which waits again."""
    world.store.jobs = {ref: job.reopened(State.QUEUED, 0, job.ttl_s) for ref, job in world.store.jobs.items()}


class TestLs:
    def test_every_tenants_dead_jobs_and_the_depths(self, run, world):
        (mine,), (theirs,) = world.dead(), world.dead(tenant="acme")

        human, machine = run("dlq", "ls").stdout, answer(run("dlq", "ls", "--json"))

        assert f"default/{mine}" in human
        assert f"acme/{theirs}" in human
        assert "critical 0, default 2, bulk 0" in human
        assert {job["id"] for job in machine["jobs"]} == {mine, theirs}
        assert machine["depths"] == {"critical": 0, "default": 2, "bulk": 0}

    @pytest.mark.parametrize(("option", "value"), [("--lane", "bulk"), ("--tenant", "acme"), ("--kind", "demo.greet")])
    def test_a_filter_leaves_the_others_out(self, run, world, option, value):
        world.dead()

        assert answer(run("dlq", "ls", option, value, "--json"))["jobs"] == []
        assert "no dead jobs" in run("dlq", "ls", option, value).stdout

    def test_a_filter_keeps_what_matches(self, run, world):
        (mine,) = world.dead(lane="bulk", tenant="acme")
        world.dead()

        for options in (("--lane", "bulk"), ("--tenant", "acme"), ("--lane", "bulk", "--kind", "demo.break")):
            assert [job["id"] for job in answer(run("dlq", "ls", *options, "--json"))["jobs"]] == [mine]

    def test_a_job_past_its_retention_is_not_listed(self, run, world):
        world.dead()
        world.clock.advance(days(31))

        assert answer(run("dlq", "ls", "--json"))["jobs"] == []

    def test_page_by_page(self, run, world):
        ids = set(world.dead(3))

        first = answer(run("dlq", "ls", "--limit", "2", "--json"))
        second = answer(run("dlq", "ls", "--cursor", first["cursor"], "--json"))

        assert len(first["jobs"]) == 2
        assert {job["id"] for page in (first, second) for job in page["jobs"]} == ids

    @pytest.mark.parametrize(
        ("option", "value", "field"),
        [
            ("--lane", "gpu", "lane"),
            ("--lane", "GPU", "lane"),
            ("--kind", "A B", "kind"),
            ("--tenant", "a#b", "tenant"),
            ("--limit", "0", "limit"),
            ("--limit", "101", "limit"),
            ("--cursor", "nonsense", "cursor"),
        ],
    )
    def test_bad_input_is_named(self, refused, option, value, field):
        assert list(refused("dlq", "ls", option, value)) == [field]


class TestShow:
    def test_why_it_died_and_with_what(self, run, world):
        (job_id,) = world.dead()
        (job,) = world.store.jobs.values()

        human, machine = run("dlq", "show", job_id).stdout, answer(run("dlq", "show", job_id, "--json"))

        for shown in ("permanent", "no such bucket", "Traceback", "first failure", job.error, '"message": "no such'):
            assert shown in human
        assert machine["args"] == {"message": "no such bucket"}
        assert machine["error"] == job.error == machine["failures"][0]["fingerprint"]
        assert "raise PermanentError" in machine["failures"][0]["trace"]

    def test_without_stored_arguments_it_says_where_they_are(self, run, world):
        (job_id,) = world.dead()
        world.store.envelopes.clear()

        assert answer(run("dlq", "show", job_id, "--json"))["args"] is None
        assert "the message in the DLQ has them" in run("dlq", "show", job_id).stdout

    def test_a_job_that_lives_is_refused(self, refused, world):
        (job_id,) = world.dead()
        revive(world)

        assert refused("dlq", "show", job_id, code=1) == "job_state"

    def test_bad_ids(self, refused):
        assert refused("dlq", "show", UUID, code=1) == "job_not_found"
        assert list(refused("dlq", "show", "nonsense")) == ["id"]


class TestRedriveJobs:
    def test_one_job_goes_back_without_a_question(self, run, world):
        (job_id,) = world.dead()

        result = run("dlq", "redrive", job_id)

        assert result.exit_code == 0, result.output
        assert result.stdout == f"job {job_id} runs again (sent from the dlq)\n"
        assert (world.queues.count("default"), world.queues.depth("default")) == (1, 0)

    def test_a_job_whose_message_is_gone_is_sent_from_the_table(self, run, world):
        (job_id,) = world.dead()
        moved(world.queues, "default", lambda _: True, 1)
        world.queues.delete("default", [delivery.receipt for delivery in world.queues.receive("default")])

        redriven = answer(run("dlq", "redrive", job_id, "--json"))

        assert redriven == {"redriven": [{"id": job_id, "tenant": "default", "via": "table"}], "failed": []}
        assert world.queues.count("default") == 1

    def test_another_tenants_job(self, run, world):
        (job_id,) = world.dead(tenant="acme")

        assert run("dlq", "redrive", job_id).exit_code == 1
        assert run("dlq", "redrive", f"acme/{job_id}").exit_code == 0

    def test_many_ask_first(self, run, world):
        ids = world.dead(2)

        no = run("dlq", "redrive", *ids, input="n\n")
        assert (no.exit_code, world.queues.depth("default")) == (1, 2)
        assert "Redrive 2 jobs?" in no.stderr
        assert "nothing was done" not in no.stdout

        yes = run("dlq", "redrive", *ids, input="y\n")
        assert (yes.exit_code, world.queues.depth("default")) == (0, 0)

    def test_one_that_can_not_does_not_stop_the_others(self, run, world):
        (job_id,) = world.dead()

        result = run("dlq", "redrive", UUID, job_id, "--yes", "--json")

        report = answer(result, code=1)
        assert [entry["id"] for entry in report["redriven"]] == [job_id]
        assert [(entry["id"], entry["code"]) for entry in report["failed"]] == [(UUID, "job_not_found")]
        assert json.loads(result.stderr)["code"] == "not_redriven"
        assert "has no job" in run("dlq", "redrive", UUID, job_id, "--yes").stdout

    def test_the_same_id_twice_is_one_job(self, run, world):
        (job_id,) = world.dead()

        assert len(answer(run("dlq", "redrive", job_id, job_id, "--json"))["redriven"]) == 1

    def test_a_job_that_is_not_dead_is_refused(self, refused, world):
        (job_id,) = world.dead()
        revive(world)

        assert refused("dlq", "redrive", job_id, code=1) == "job_state"


class TestRedriveLanes:
    def test_a_lane(self, run, world):
        world.dead(3)
        world.dead(2, lane="bulk")

        result = run("dlq", "redrive", "--lane", "default", "--yes")

        assert result.stdout == "redriven: default 3\n"
        assert (world.queues.depth("default"), world.queues.depth("bulk")) == (0, 2)

    def test_all_lanes(self, run, world):
        world.dead(3)
        world.dead(2, lane="bulk")

        assert answer(run("dlq", "redrive", "--all", "--yes", "--json")) == {
            "moved": {"critical": 0, "default": 3, "bulk": 2},
            "moving": {},
        }

    def test_more_than_one_step(self, run, world):
        world.dead(120)

        assert answer(run("dlq", "redrive", "--all", "--yes", "--json"))["moved"]["default"] == 120

    @pytest.mark.parametrize(("limit", "left", "more"), [(1, 3, True), (3, 1, True), (9, 0, False)])
    def test_a_limit_counts_jobs_over_all_lanes(self, run, world, limit, left, more):
        world.dead(2)
        world.dead(2, lane="bulk")

        found = answer(run("dlq", "redrive", "--all", "--limit", str(limit), "--yes", "--json"))

        assert (len(found["redriven"]), found["more"]) == (4 - left, more)
        assert world.queues.depth("default") + world.queues.depth("bulk") == left

    def test_sqs_does_it_by_itself_where_it_can(self, run, world):
        world.dead(3)
        world.queues.moves_by_itself = True

        assert "SQS is putting them back by itself: about default 3" in run("dlq", "redrive", "--all", "--yes").stdout
        assert (world.queues.depth("default"), world.queues.count("default")) == (0, 3)

    def test_a_rate_is_kept(self, run, world):
        world.works_meanwhile = False
        world.dead(30)

        assert answer(run("dlq", "redrive", "--all", "--rate", "5", "--yes", "--json"))["moved"]["default"] == 30
        assert 5 <= sum(world.slept) <= 6

    def test_empty_dlqs_are_nothing_to_redrive(self, refused, world):
        assert refused("dlq", "redrive", "--all", "--yes", code=1) == "nothing_matched"
        assert world.trail.entries == {}

    def test_a_dry_run(self, run, world):
        world.dead(3)

        assert answer(run("dlq", "redrive", "--lane", "default", "--dry-run", "--json")) == {
            "dry_run": True,
            "messages": {"default": 3},
        }
        assert "nothing was done" in run("dlq", "redrive", "--all", "--dry-run").stdout
        assert (world.queues.depth("default"), world.trail.entries) == (3, {})

    def test_what_comes_back_at_once_is_left(self, run, world):
        """A job that dies as fast as it is redriven must not keep the command busy for ever."""
        world.dead(60)
        move = world.queues.move

        def move_and_fail(lane, chosen, step, *rest):
            for gone in move(lane, chosen, step, *rest):
                world.work()
                yield gone

        world.queues.move = move_and_fail

        assert answer(run("dlq", "redrive", "--lane", "default", "--yes", "--json"))["moved"] == {"default": 60}
        assert world.queues.depth("default") == 60

    def test_it_asks_first_and_says_how_many(self, run, world):
        world.dead(3)

        no = run("dlq", "redrive", "--lane", "default", input="n\n")

        assert "about 3 messages of default" in no.stderr
        assert (no.exit_code, world.queues.depth("default")) == (1, 3)
        assert run("dlq", "redrive", "--all", input="").exit_code == 1
        assert run("dlq", "redrive", "--lane", "default", input="y\n").exit_code == 0

    def test_machines_are_not_asked(self, run, world):
        world.dead()

        result = run("dlq", "redrive", "--all", "--json")

        assert result.exit_code == 2
        assert json.loads(result.stderr)["violations"][0]["field"] == "yes"
        assert world.queues.depth("default") == 1

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ((), "ids"),
            ((UUID, "--all"), "ids"),
            ((UUID, "--lane", "bulk"), "ids"),
            (("--lane", "bulk", "--all"), "ids"),
            ((UUID, "--limit", "3"), "limit"),
            (("--all", "--limit", "0"), "limit"),
            (("--lane", "gpu"), "lane"),
            (("nonsense",), "id"),
            (("--all", "--rate", "0"), "rate"),
            (("--all", "--canary-wait", "soon"), "canary_wait"),
            (("--all", "--mode", "again"), "mode"),
            (("--all", "--mode", "restart", "--from-step", "x"), "from_step"),
            (("--since", "yesterday"), "since"),
            (("--until", "2026-01-01"), "until"),
            (("--error", "x"), "error"),
            (("--reason", "So what"), "reason"),
        ],
    )
    def test_bad_input_is_named(self, refused, arguments, field):
        assert list(refused("dlq", "redrive", *arguments, "--yes")) == [field]
