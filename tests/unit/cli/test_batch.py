"""`tidemill batch`: start, show, watch, cancel."""

import json
from dataclasses import replace

import pytest

from tests.unit.cli.conftest import Break, Greet
from tidemill.batches import Batch
from tidemill.cli import watching
from tidemill.domain.errors import UnavailableError

FLOW = '{"children": [{"kind": "demo.greet", "args": {"name": "Ada"}}, {"kind": "demo.greet", "args": {"name": "Bo"}}]}'


@pytest.fixture
def worker(world, monkeypatch):
    """Whoever sleeps lets the worker run."""
    naps = []

    def sleep(seconds):
        naps.append(seconds)
        world.work()

    monkeypatch.setattr(watching.time, "sleep", sleep)
    return naps


def started(world, *children):
    return world.client.start(Batch(children or [Greet(name="Ada"), Greet(name="Bo")])).batch_id


def test_a_batch_is_started_and_shown(run, world):
    first = run("batch", "start", FLOW, "--key", "k", "--tenant", "acme")
    again = run("batch", "start", FLOW, "--key", "k", "--tenant", "acme", "--json")

    document = json.loads(again.stdout)
    assert first.stdout == f"batch {document['id']} accepted: 2 of 2 submitted\n"
    assert (document["created"], document["total"]) == (False, 2)
    shown = run("batch", "show", f"acme/{document['id']}")
    assert shown.exit_code == 0, shown.output
    assert "running" in shown.stdout
    assert "open" in shown.stdout
    world.work()
    found = json.loads(run("batch", "show", document["id"], "--tenant", "acme", "--json").stdout)
    assert (found["state"], found["succeeded"], found["open"]) == ("succeeded", 2, 0)


def test_a_batch_near_its_limit_is_accepted_with_a_warning(run, monkeypatch):
    assert "warning" not in run("batch", "start", FLOW).stderr
    monkeypatch.setattr("tidemill.domain.limits.MAX_BATCH_CHILDREN", 2)
    near = run("batch", "start", FLOW)

    assert near.stderr == "warning: 2 of the 2 jobs that a batch may have\n"
    assert "accepted" in near.stdout


def test_a_flow_comes_from_a_file_or_standard_input(run, tmp_path):
    file = tmp_path / "flow.json"
    file.write_text(FLOW)
    assert run("batch", "start", f"@{file}").exit_code == 0
    assert run("batch", "start", "-", input=FLOW).exit_code == 0


def test_a_flow_may_say_by_itself_whose_it_is_and_under_which_key(run, refused, world):
    flow = json.dumps({**json.loads(FLOW), "tenant": "acme", "key": "k"})
    first = json.loads(run("batch", "start", flow, "--json").stdout)
    assert world.client.batches.get(first["id"], "acme").batch.key == "k"

    same = json.loads(run("batch", "start", flow, "--tenant", "acme", "--key", "k", "--json").stdout)
    assert (same["id"], same["created"]) == (first["id"], False)
    for option, given, found in (("tenant", "default", "acme"), ("key", "j", "k")):
        refusal = refused("batch", "start", flow, f"--{option}", given)
        assert refusal == {
            option: f"is {given!r} by the option and {found!r} in the flow. Fix: leave one of the two out"
        }
    # Without either it is the default tenant's.
    plain = json.loads(run("batch", "start", FLOW, "--json").stdout)
    assert world.client.batches.get(plain["id"], "default")


def test_a_bad_flow_is_named(refused, tmp_path):
    assert refused("batch", "start", "[]") == {"flow": "must be a JSON object, not an array"}
    assert "flow" in refused("batch", "start", f"@{tmp_path}/nothing")
    assert refused("batch", "start", '{"children": 7}') == {"children": "must be an array, not int"}
    assert refused("batch", "show", "nothing") == {"id": "must be a lower-case UUID"}


def test_what_failed_is_listed(run, world):
    batch = started(world, Greet(name="Ada"), Break())
    world.work()
    shown = run("batch", "show", batch, "--failures")
    assert "failed" in shown.stdout
    assert "permanent" in shown.stdout
    (lost,) = json.loads(run("batch", "show", batch, "--failures", "--json").stdout)["failures"]
    assert (lost["index"], lost["state"]) == (1, "failed")
    assert "all that ended succeeded" in run("batch", "show", started(world), "--failures").stdout


def test_watching_ends_with_the_batch(run, world, worker):
    batch = started(world)
    result = run("batch", "watch", batch)

    assert result.exit_code == 0, result.output
    assert result.stdout == "succeeded: 2 of 2 succeeded\n"
    assert result.stderr.splitlines() == ["running: 0 of 2 succeeded, 2 open", "succeeded: 2 of 2 succeeded"]
    assert worker == [1.0]


def test_watching_a_batch_that_fails_fails(run, world, worker):
    batch = started(world, Greet(name="Ada"), Break())
    result = run("batch", "watch", batch, "--json")

    assert result.exit_code == 1
    assert json.loads(result.stdout)["failed"] == 1
    error = json.loads(result.stderr)
    assert error["code"] == "batch_not_succeeded"
    assert f"tidemill batch show --failures {batch}" in error["message"]


def test_watching_ends_when_its_time_is_over(run, world):
    result = run("batch", "watch", started(world), "--timeout", "0")
    assert result.exit_code == 1
    assert "still running after 0 s" in result.stderr


def test_a_file_gets_a_line_now_and_then(world, monkeypatch, capsys):
    now = [0.0]
    monkeypatch.setattr(watching.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(watching, "sentence", lambda view: f"{view.state} at {now[0]:g}")
    lines, batch = watching._Lines(), started(world)
    for second in range(25):
        now[0] = second
        lines(world.client.batches.get(batch))
    world.work()
    lines(world.client.batches.get(batch))

    assert capsys.readouterr().err.split("\n")[:-1] == [
        "running at 0",
        "running at 10",
        "running at 20",
        "succeeded at 24",
    ]


def test_a_look_that_aws_does_not_answer_ends_no_watch(world, worker):
    batch, looks = started(world), []

    def look():
        looks.append(1)
        if len(looks) in range(1, 30):
            raise UnavailableError("tally", "Throttled")
        return world.client.batches.get(batch)

    assert watching.watch(look, None, shown=False).is_over
    with pytest.raises(UnavailableError):
        watching.watch(lambda: looks.clear() or look(), None, shown=False)
    with pytest.raises(UnavailableError):
        watching.watch(lambda: looks.clear() or look(), 0, shown=False)


def test_a_terminal_gets_a_bar(run, world, worker, monkeypatch):
    monkeypatch.setattr(watching.sys.stderr.__class__, "isatty", lambda _: True, raising=False)
    with watching._bar() as tell:
        view = world.client.batches.get(started(world))
        tell(view)
    assert watching._label(view) == "running"
    world.work()
    assert watching._label(world.client.batches.get(view.batch_id)) == "succeeded"


def test_a_batch_is_cancelled(run, world):
    batch = started(world)
    assert run("batch", "cancel", batch).stdout == "cancelled: 0 of 2 succeeded, 2 cancelled\n"
    assert json.loads(run("batch", "cancel", batch, "--json").stdout)["state"] == "cancelled"


def test_an_unfinished_submit_says_how_far_it_came(world):
    batch = world.client.start(Batch([Greet(name=str(n)) for n in range(3)]))
    world.batches.records[batch.batch.ref] = replace(batch.batch, submitted=1)
    assert watching.sentence(world.client.batches.get(batch.batch_id)) == (
        "submitting: 0 of 3 succeeded, 3 open, 1 submitted"
    )


@pytest.mark.parametrize("command", ["show", "watch", "cancel"])
def test_a_batch_that_is_not_there_is_refused(run, command):
    result = run("batch", command, "0190a5b0-0000-7000-8000-000000000000", "--json")
    assert result.exit_code == 1
    assert json.loads(result.stderr)["code"] == "batch_not_found"
