import json
from importlib.metadata import version

from tidemill.service.leftovers import OutboxStatus

HEADINGS = ["lane", "ready", "in", "flight", "delayed", "dead", "visibility", "receives", "kept", "kept", "dead"]


def test_lanes(run, world):
    world.dead(2)
    world.client.submit(next(iter(world.submitter.registry)).args_type(name="Ada"))

    human, machine = run("lanes").stdout.splitlines(), json.loads(run("lanes", "--json").stdout)

    assert human[0].split() == HEADINGS
    assert human[2].split() == ["default", "1", "2", "3", "2", "450s", "5", "4d", "14d"]
    assert machine["lanes"][1] == {
        "lane": "default",
        "ready": 1,
        "in_flight": 2,
        "delayed": 3,
        "dead": 2,
        "visibility_timeout_s": 450,
        "retention_s": 345_600,
        "dlq_retention_s": 1_209_600,
        "max_receives": 5,
    }


def test_version(run):
    assert run("version").stdout == f"tidemill {version('tidemill')}\n"
    assert json.loads(run("version", "--json").stdout) == {"version": version("tidemill")}


def test_outbox(run, world):
    world.outbox = lambda: (OutboxStatus(3, 4, 1, 1_000_000, is_whole=False), 1_090_500)

    human, machine = run("outbox").stdout, json.loads(run("outbox", "--json").stdout)

    assert human.split()[:8] == ["jobs", "3", "facts", "4", "damaged", "1", "oldest", "90s"]
    assert "there is more" in human
    assert (machine["jobs"], machine["facts"], machine["oldest_age_s"], machine["is_whole"]) == (3, 4, 90, False)


def test_an_empty_outbox(run, world):
    world.outbox = lambda: (OutboxStatus(0, 0, 0, None, is_whole=True), 0)

    assert run("outbox").stdout.split() == ["jobs", "0", "facts", "0"]
