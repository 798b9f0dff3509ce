"""`tidemill schedule create`, `change`, ...: schedules of a stack, through its HTTP API."""

from __future__ import annotations

import json

import pytest

from tidemill.cli.commands_schedules import COMMANDS

MAKE = ("schedule", "create", "nightly", "demo.greet", '{"name":"Ada"}', "--cron", "0 3 * * *", "--tz", "Europe/Paris")


@pytest.fixture
def tide(run):
    """Run a command that must go well; answers what it printed as JSON."""

    def invoke(*arguments):
        result = run(*arguments, "--json")
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout)

    return invoke


def told(run, *arguments, **options):
    result = run(*arguments, **options)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_a_schedule_is_made_shown_changed_and_deleted(run, tide):
    made = tide(*MAKE, "--overlap", "skip", "--missed", "run_all", "--missed-limit", "3")
    assert (made["version"], made["overlap"], made["missed_limit"], made["args"]) == (1, "skip", 3, {"name": "Ada"})

    assert "0 3 * * * Europe/Paris" in told(run, "schedule", "ls")
    shown = told(run, "schedule", "show", "nightly")
    assert "Europe/Paris" in shown
    assert shown.count("T02:00:00.000Z") == 5
    changed = tide("schedule", "change", "nightly", "--every", "10m", "--args", '{"name":"Eve"}', "--version", "1")
    assert (changed["every_seconds"], changed["args"], changed["version"]) == (600, {"name": "Eve"}, 2)
    assert "is paused, version 3" in told(run, "schedule", "pause", "nightly")
    assert "paused" in told(run, "schedule", "ls")
    assert "is resumed, version 4; next " in told(run, "schedule", "resume", "nightly")
    assert tide("schedule", "revert", "nightly", "1")["cron"] == "0 3 * * *"

    listed = told(run, "schedule", "versions", "nightly")
    assert [word for word in ("created", "changed", "paused", "resumed", "reverted") if word in listed]
    assert "arn:aws:iam::1:user/op" in listed

    assert run("schedule", "delete", "nightly", input="n\n").exit_code == 1
    assert tide("schedule", "show", "nightly")["version"] == 5
    assert "is deleted" in told(run, "schedule", "delete", "nightly", input="y\n")
    assert run("schedule", "show", "nightly").exit_code == 1
    assert "no schedules" in told(run, "schedule", "ls")


def test_a_trigger_makes_a_job(run, tide, world):
    tide(*MAKE, "--paused")
    job = tide("schedule", "trigger", "nightly")
    assert world.client.get(job["id"]).kind == "demo.greet"
    assert "is queued" in told(run, "schedule", "trigger", "nightly")


def test_a_backfill_says_how_many_before_it_makes_any(run, tide, world):
    tide(*MAKE)
    span = ("schedule", "backfill", "nightly", "--start", "2027-01-01T00:00Z", "--end", "2027-01-08T00:00Z")

    assert "would make 7 jobs for 7 ticks" in told(run, *span, "--dry-run")
    result = run(*span, input="n\n")
    assert (result.exit_code, "Make 7 jobs, for 7 ticks of nightly?" in result.stderr) == (1, True)
    assert world.store.jobs == {}

    assert "made 7 jobs for 7 ticks" in told(run, *span, input="y\n")
    assert tide(*span, "--yes")["created"] == 0
    assert len(world.store.jobs) == 7


def test_what_is_stale_is_refused(run, refused):
    run(*MAKE)
    run("schedule", "pause", "nightly")
    for verb in (("resume",), ("pause",), ("change",), ("delete", "--yes"), ("revert",)):
        extra = {"change": ("--overlap", "skip"), "revert": ("1",)}.get(verb[0], ())
        result = run("schedule", verb[0], "nightly", *extra, *verb[1:], "--version", "1")
        assert result.exit_code == 1, verb
        assert "in version 2" in result.stderr


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("name", ("schedule", "pause", "No Name")),
        ("every", (*MAKE[:5], "--every", "soon")),
        ("cron", MAKE[:5]),
        ("cron.minute", (*MAKE[:5], "--cron", "99 * * * *")),
        ("tz", (*MAKE[:5], "--cron", "9 * * * *", "--tz", "Mars/Base")),
        ("args", ("schedule", "create", "x", "demo.greet", "[]", "--every", "5m")),
        ("args.nme", ("schedule", "create", "x", "demo.greet", '{"nme":"x"}', "--every", "5m")),
        ("kind", ("schedule", "create", "x", "nope", "--every", "5m")),
        ("overlap", (*MAKE, "--overlap", "x")),
    ],
)
def test_bad_input_names_its_field(refused, field, arguments):
    assert field in refused(*arguments)


def test_nobody_is_asked_by_a_machine(run):
    run(*MAKE)
    for arguments in (
        ("schedule", "delete", "nightly"),
        ("schedule", "backfill", "nightly", "--start", "2027-01-01T00:00Z", "--end", "2027-01-08T00:00Z"),
    ):
        assert json.loads(run(*arguments, "--json").stderr)["violations"][0]["field"] == "yes"


def test_every_verb_has_a_help(run):
    shown = run("schedule", "--help").stdout
    assert all(verb in shown for verb in COMMANDS)
