"""What a worker's cold start must not load. How long it takes is measured in `bench`, not tested."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from bench.environment import environment

# functions/worker/handler.py and functions/jobs/__init__.py, with a job that needs nothing.
JOBS = """
from tidemill import JobArgs, JobContext, JobRegistry, job

class Nothing(JobArgs, kind="nothing"):
    pass

@job(Nothing)
def do_nothing(args: Nothing, ctx: JobContext) -> None:
    pass

registry = JobRegistry(do_nothing)
"""
# The X-Ray SDK makes a client while it is imported; the others are for tools, tests and synthesis.
DENIED = ("aws_cdk", "aws_xray_sdk", "boto3", "jsii", "moto", "rich", "s3transfer", "tidemill_cdk", "typer")
# Ours that only others need.
NOT_A_WORKERS = (
    "tidemill.cli",
    "tidemill.local",
    "tidemill.testing",
    "tidemill.aws.dead_letters",
    "tidemill.domain.cron",
    "tidemill.domain.schedule",
    "tidemill.domain.tick",
    "tidemill.entrypoints.http",
    "tidemill.entrypoints.janitor",
    "tidemill.service.client",
    "tidemill.service.deadletters",
    "tidemill.service.janitor",
    "tidemill.service.listing",
    "tidemill.aws.schedules",
    "tidemill.domain.schedule_row",
    "tidemill.domain.ticking",
    "tidemill.aws.events",
    "tidemill.aws.lines",
    "tidemill.domain.chain",
    "tidemill.domain.event",
    "tidemill.domain.fact",
    "tidemill.domain.projection",
    "tidemill.domain.stream",
    "tidemill.service.streams",
    "tidemill.service.schedules",
    "tidemill.service.tick_sweep",
    "tidemill.service.ticks",
)


def modules_of(folder: Path, statement: str) -> set[str]:
    """What is in `sys.modules` of a fresh process after `statement`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_"))}
    done = subprocess.run(
        [sys.executable, "-c", f"{statement}\nimport json, sys\nprint(json.dumps(list(sys.modules)))"],
        cwd=folder,
        env={**kept, **environment()},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def worker_modules(tmp_path_factory, repository):
    folder = tmp_path_factory.mktemp("functions")
    (folder / "jobs").mkdir()
    (folder / "jobs" / "__init__.py").write_text(JOBS)
    (folder / "worker").mkdir()
    shipped = repository / "functions" / "worker" / "handler.py"
    (folder / "worker" / "handler.py").write_text(shipped.read_text())
    return modules_of(folder, "import worker.handler")


def test_the_worker_is_what_was_imported(worker_modules):
    assert {"worker.handler", "tidemill.service.executor", "tidemill.aws.store", "botocore.client"} <= worker_modules


@pytest.mark.parametrize("name", [*DENIED, *NOT_A_WORKERS])
def test_a_worker_does_not_load(worker_modules, name):
    assert [module for module in worker_modules if module == name or module.startswith(f"{name}.")] == []


def test_a_denied_module_would_be_seen(tmp_path):
    assert {"boto3.resources", "s3transfer", "aws_xray_sdk.core"} <= modules_of(
        tmp_path, "import aws_xray_sdk.core, boto3.resources, s3transfer"
    )
