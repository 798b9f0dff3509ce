"""`tidemill schema snapshot` and `check`: offline, in the project's folder."""

import json
import sys

import pytest

JOBS = """
from tidemill import JobArgs, JobRegistry, job

class Charge(JobArgs, kind="pay.charge"):
    {fields}

@job(Charge)
def charge(args, ctx): ...

registry = JobRegistry(charge)
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "functions" / "priced_jobs").mkdir(parents=True)

    def write(fields):
        (tmp_path / "functions" / "priced_jobs" / "__init__.py").write_text(JOBS.format(fields=fields))
        monkeypatch.delitem(sys.modules, "priced_jobs", raising=False)
        monkeypatch.setattr(sys, "dont_write_bytecode", True)

    write("amount: int")
    return write


@pytest.fixture
def schema(run, project):
    return lambda *arguments: run("schema", *arguments, "--jobs", "priced_jobs:registry")


def test_a_snapshot_is_written_once_and_then_checked(schema, tmp_path):
    first = schema("snapshot")

    assert "written functions/schemas/pay.charge.v1.json" in first.stdout
    assert json.loads((tmp_path / "functions/schemas/pay.charge.v1.json").read_text())["kind"] == "pay.charge"
    assert "every snapshot is as the code is" in schema("snapshot").stdout
    assert schema("check", "--fresh").stdout == "1 checked: nothing breaks\n"


def test_what_breaks_fails_both_and_writes_nothing(schema, project, tmp_path):
    schema("snapshot")
    kept = (tmp_path / "functions/schemas/pay.charge.v1.json").read_text()
    project("amount: str")

    for command in ("check", "snapshot"):
        failed = schema(command)
        assert failed.exit_code == 1
        assert "args.amount was integer, and is string" in failed.stderr
        assert "Fix:" in failed.stderr
    assert (tmp_path / "functions/schemas/pay.charge.v1.json").read_text() == kept


def test_what_breaks_nothing_is_a_hint_unless_it_must_be_fresh(schema, project):
    schema("snapshot")
    project("amount: int = 1")

    hint = schema("check")
    assert (hint.exit_code, "args.amount may be left out now" in hint.stdout) == (0, True)
    assert schema("check", "--fresh").exit_code == 1
    schema("snapshot")
    assert schema("check", "--fresh").exit_code == 0


def test_for_programs(schema, project):
    assert json.loads(schema("snapshot", "--json").stdout) == {"written": ["functions/schemas/pay.charge.v1.json"]}
    assert json.loads(schema("check", "--json").stdout) == {"checked": 1, "hints": []}
    project("amount: str")
    failed = json.loads(schema("check", "--json").stderr)
    assert (failed["code"], failed["violations"][0]["field"]) == ("schema", "pay.charge")


def test_a_damaged_snapshot_is_named(schema, tmp_path):
    schema("snapshot")
    (tmp_path / "functions/schemas/pay.charge.v1.json").write_text("{")

    failed = schema("check")

    assert (failed.exit_code, "pay.charge.v1.json is damaged" in failed.stderr) == (1, True)


def test_another_folder(schema, tmp_path):
    schema("snapshot", "--folder", "elsewhere")

    assert (tmp_path / "elsewhere" / "pay.charge.v1.json").is_file()
