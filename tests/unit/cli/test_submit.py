import json

import pytest

from tidemill.domain.duration import hours, milliseconds, minutes
from tidemill.domain.errors import UnavailableError

ARGS = '{"name":"Ada"}'
UUID = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b"


def submitted(run, *arguments):
    result = run("submit", "demo.greet", *arguments, "--json")
    assert result.exit_code == 0, result.output
    assert result.stderr == ""
    return json.loads(result.stdout)


def test_a_job_is_submitted_and_its_id_printed(run, world):
    result = run("submit", "demo.greet", ARGS)

    (stored,) = world.store.jobs.values()
    assert result.exit_code == 0, result.output
    assert result.stdout == f"job {stored.ref.id} is queued\n"
    assert world.queues.count("default") == 1


def test_machines_get_the_apis_answer(run, world):
    answer = submitted(run, ARGS)

    (stored,) = world.store.jobs.values()
    assert answer == {"id": stored.ref.id, "state": "queued", "created": True, "link": f"/jobs/{stored.ref.id}"}


def test_every_option_reaches_the_job(run, world):
    answer = submitted(
        run, ARGS, "--key", "k:1", "--tenant", "acme", "--lane", "bulk", "--delay", "30m", "--expires-in", "1h30m"
    )

    (stored,) = world.store.jobs.values()
    now = world.clock.now_ms()
    assert (stored.ref.id, stored.ref.tenant) == (answer["id"], "acme")
    assert (stored.key, stored.lane, stored.state) == ("k:1", "bulk", "scheduled")
    assert stored.claimable_at == now + milliseconds(minutes(30))
    assert stored.expires_at == now + milliseconds(hours(1.5))


def test_an_id_of_ones_own(run):
    assert submitted(run, ARGS, "--job-id", UUID)["id"] == UUID


def test_without_key_or_id_an_id_is_made_here_so_that_a_lost_answer_can_be_asked_for(run, world):
    answer = submitted(run, ARGS)

    assert world.api.posted[0]["job_id"] == answer["id"]


def test_the_same_key_answers_the_first_job(run):
    first = submitted(run, ARGS, "--key", "k")
    result = run("submit", "demo.greet", ARGS, "--key", "k")

    assert result.stdout == f"job {first['id']} is queued, which the key has had before\n"
    assert submitted(run, ARGS, "--key", "k") == {**first, "created": False}


def test_the_same_key_with_other_arguments_is_a_conflict(run, refused):
    submitted(run, ARGS, "--key", "k")

    assert refused("submit", "demo.greet", '{"name":"Bob"}', "--key", "k", code=1) == "key_conflict"


def test_arguments_come_from_a_file_or_standard_input(run, world, tmp_path):
    file = tmp_path / "args.json"
    file.write_text(ARGS)

    submitted(run, f"@{file}")
    result = run("submit", "demo.greet", "-", input=ARGS)

    assert result.exit_code == 0, result.output
    assert [document["args"] for document in world.api.posted] == [{"name": "Ada"}] * 2


@pytest.mark.parametrize(
    ("arguments", "field", "problem"),
    [
        ((ARGS[:-1],), "args", "is not valid JSON"),
        (('{"name": NaN}',), "args", "NaN is not a JSON number"),
        (('{"name": 1e999}',), "args", "not valid JSON"),
        (('{"name": "a", "name": "b"}',), "args", "'name' stands twice"),
        (('{"name": "\\ud800"}',), "args", "lone surrogate"),
        (('{"name":' + "[" * 40 + "]" * 40 + "}",), "args", "nested deeper than 32"),
        (("[1]",), "args", "must be a JSON object, not an array"),
        (("12",), "args", "must be a JSON object, not a number"),
        (("@/no/such/file.json",), "args", "No such file"),
        (("@/",), "args", "can't be read"),
        (('{"name":"' + "x" * 5_300_000 + '"}',), "args", "the limit is 5242880"),
        (('{"name":"' + '\\"' * 1_600_000 + '"}',), "args", "in the API's request, which holds"),
        (("{}",), "args.name", "Field required"),
        (('{"name":"a","nick":"b"}',), "args.nick", "Extra inputs"),
        (('{"name":5}',), "args.name", "valid string"),
        ((ARGS, "--key", "k" * 97), "key", "1 to 96 characters"),
        ((ARGS, "--key", "a b"), "key", "letters"),
        ((ARGS, "--tenant", "a#b"), "tenant", "letters"),
        ((ARGS, "--lane", "Bulk"), "lane", "lower-case"),
        ((ARGS, "--lane", "gpu"), "lane", "no lane 'gpu'; known: critical, default, bulk"),
        ((ARGS, "--job-id", "1"), "job_id", "lower-case UUID"),
        ((ARGS, "--job-id", UUID, "--key", "k"), "job_id", "beside a key"),
        ((ARGS, "--delay", "5"), "delay", "such as 90s"),
        ((ARGS, "--delay", "5 m"), "delay", "such as 90s"),
        ((ARGS, "--delay", "366d"), "delay", "at most 365d"),
        ((ARGS, "--at", "2027-01-20T09:00:00"), "at", "with an offset"),
        ((ARGS, "--at", "2027-01-20T09:00:00Z", "--delay", "5m"), "at", "beside --delay"),
        ((ARGS, "--expires-in", "soon"), "expires_in", "such as 90s"),
        ((ARGS, "--expires-in", "5m", "--delay", "5m"), "expires_in", "longer than the delay"),
        ((ARGS, "--expires-in", "0s"), "expires_in", "longer than the delay"),
    ],
)
def test_bad_input_names_its_field_and_leaves_no_job(refused, world, arguments, field, problem):
    named = refused("submit", "demo.greet", *arguments)

    assert list(named) == [field]
    assert problem in named[field]
    assert not world.store.jobs
    assert not any(world.queues.count(lane) for lane in ("critical", "default", "bulk"))


def test_an_unknown_kind_has_its_neighbours_named(refused):
    assert "did you mean demo.greet" in refused("submit", "demo.great", ARGS)["kind"]


def test_an_ill_formed_kind_never_leaves_the_machine(refused, world):
    assert "lower-case" in refused("submit", "Demo Greet", ARGS)["kind"]
    assert world.api.posted == []


@pytest.mark.parametrize("arguments", [("demo.greet",), (), ("demo.greet", ARGS, "--wait", "-1"), ("a", "b", "c")])
def test_bad_usage_is_bad_input(refused, arguments):
    assert refused("submit", *arguments) == "usage"


def test_a_lost_answer_says_how_to_ask_again(run, world):
    world.queues.outage = UnavailableError("send", "Throttling")
    result = run("submit", "demo.greet", ARGS, "--job-id", UUID, "--json")

    error = json.loads(result.stderr)
    assert result.exit_code == 3
    assert (error["code"], error["retryable"]) == ("unavailable", True)
    assert f"--job-id {UUID}" in error["message"]


def test_a_moment_and_durable_arguments_reach_the_job(run, world):
    submitted(run, ARGS, "--at", "2027-01-20T09:00:00+01:00")
    submitted(run, ARGS, "--delay", "5m", "--durable-args")

    first, second = world.store.jobs.values()
    assert (first.state, first.claimable_at) == ("scheduled", 1_800_432_000_000)
    assert (second.state, second.owns_args) == ("queued", True)
