"""`tidemill schedule list` and `next`: what the project declares, and when it fires."""

import json
import sys

import pytest

JOBS = """
from tidemill import Cron, Every, JobArgs, JobRegistry, Schedule, hours, job, minutes

class Report(JobArgs, kind="reports.daily"):
    depth: int = 1

class Tidy(JobArgs, kind="tidy"):
    pass

@job(Report, schedule=[
    Cron("30 2 * * *", tz="Europe/Paris"),
    Schedule(Cron("0 12 * * *"), name="noon", tenant="acme", jitter=minutes(15), expires_in=hours(1), enabled=False),
])
def report(args, ctx): ...

@job(Tidy, lane="bulk", schedule=Every(minutes(5)))
def tidy(args, ctx): ...

registry = JobRegistry(report, tidy)
none = JobRegistry()
"""
# The night in which Paris has no 02:30.
BEFORE_SPRING = "2027-03-27T12:00Z"


@pytest.fixture(autouse=True)
def project(tmp_path, monkeypatch):
    package = tmp_path / "functions" / "scheduled_jobs"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(JOBS)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delitem(sys.modules, "scheduled_jobs", raising=False)


@pytest.fixture
def schedule(run):
    return lambda *arguments: run("schedule", *arguments, "--jobs", "scheduled_jobs:registry")


def test_list_shows_each_with_its_next_time(schedule):
    lines = schedule("list", "--after", BEFORE_SPRING).stdout.splitlines()

    assert [line.split("  ")[0] for line in lines] == ["schedule", "reports.daily", "noon", "tidy"]
    assert "30 2 * * *" in lines[1]
    assert "Europe/Paris" in lines[1]
    assert "Mon 2027-03-29 02:30 +0200" in lines[1]
    assert "0 12 * * *, within 15 min" in lines[2]
    assert lines[2].endswith("disabled")
    assert "every 5 minutes" in lines[3]
    assert "counts from its deployment" in lines[3]


def test_list_for_programs(schedule):
    found = json.loads(schedule("list", "--after", BEFORE_SPRING, "--json").stdout)["schedules"]

    assert found[1] == {
        "schedule": "noon",
        "kind": "reports.daily",
        "lane": "default",
        "tenant": "acme",
        "when": "0 12 * * *",
        "zone": "UTC",
        "jitter_seconds": 900,
        "overlap": "allow",
        "expires_in_seconds": 3600,
        "enabled": False,
        "expressions": ["cron(0 12 * * ? *)"],
        "next": [{"local": "Sun 2027-03-28 12:00 +0000", "utc": "2027-03-28T12:00:00Z"}],
    }
    assert (found[2]["expressions"], found[2]["next"]) == (["rate(5 minutes)"], [])


def test_next_shows_both_clocks_and_leaves_out_what_the_clocks_skip(schedule):
    lines = schedule("next", "reports.daily", "--count", "2", "--after", "2027-03-26T12:00Z").stdout.splitlines()

    assert [line.split() for line in lines[1:]] == [
        ["reports.daily", "Sat", "2027-03-27", "02:30", "+0100", "Europe/Paris", "2027-03-27T01:30:00Z"],
        ["reports.daily", "Mon", "2027-03-29", "02:30", "+0200", "Europe/Paris", "2027-03-29T00:30:00Z"],
    ]


def test_next_shows_all_from_now_on(schedule):
    found = json.loads(schedule("next", "--json").stdout)["schedules"]

    assert [len(one["next"]) for one in found] == [5, 5, 0]


def test_a_day_without_a_time_is_its_midnight_in_utc(schedule):
    (found,) = json.loads(schedule("next", "noon", "--count", "1", "--after", "2027-01-05", "--json").stdout)[
        "schedules"
    ]

    assert found["next"][0]["utc"] == "2027-01-05T12:00:00Z"


def test_a_span_says_from_when_it_counts(schedule):
    assert "every 5 minutes, from its deployment on" in schedule("next", "tidy").stdout


def test_a_project_without_schedules_says_so(run):
    assert run("schedule", "list", "--jobs", "scheduled_jobs:none").stdout == "no schedules\n"
    assert run("schedule", "next", "--jobs", "scheduled_jobs:none").stdout == "no schedules\n"


@pytest.mark.parametrize(
    ("arguments", "fields"),
    [
        (("next", "nightly"), ["schedule"]),
        (("next", "--count", "0"), ["count"]),
        (("next", "--count", "101"), ["count"]),
        (("list", "--after", "soon"), ["after"]),
    ],
)
def test_what_is_refused_names_its_field(refused, arguments, fields):
    assert list(refused("schedule", *arguments, "--jobs", "scheduled_jobs:registry")) == fields


def test_outside_of_a_project_the_registry_is_missing(refused):
    assert list(refused("schedule", "list", "--jobs", "nobodys_jobs:registry")) == ["jobs"]


def test_an_unknown_zone_names_its_schedule(run, tmp_path):
    package = tmp_path / "functions" / "lost_jobs"
    package.mkdir()
    (package / "__init__.py").write_text(JOBS.replace("Europe/Paris", "Europe/Pariss"))

    run_ = run("schedule", "list", "--jobs", "lost_jobs:registry")

    assert run_.exit_code == 2
    assert "schedule 'reports.daily': tz: 'Europe/Pariss' is no time zone" in run_.stderr
    assert "did you mean Europe/Paris" in run_.stderr
