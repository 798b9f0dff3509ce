"""`make demo` as a newcomer runs it."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from examples.demo.__main__ import NOTHING_LEFT
from examples.demo.play import CHECKS
from tidemill.local.process import ProcessIdentity

# It takes under a minute on a quiet machine of two processors; this only ends one that hangs.
PATIENCE_S = 400


@pytest.mark.slow
def test_the_demo_holds_what_it_promises_and_leaves_nothing_running(repository: Path):
    done = subprocess.run(
        [sys.executable, "-m", "examples.demo"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )

    lines = done.stdout.splitlines()
    assert done.returncode == 0, done.stdout + done.stderr
    assert {line for line in lines if line.startswith(("ok ", "FAIL "))} == {
        f"ok {name}" for name in (*CHECKS, NOTHING_LEFT)
    }
    assert lines[-1] == f"{len(CHECKS) + 1} passed, 0 failed"
    assert done.stderr == ""
    server = re.search(r"process (\d+);", done.stdout)
    assert server is not None
    assert ProcessIdentity.of(int(server[1])) is None


def test_a_local_cloud_that_cannot_start_fails_every_check(repository: Path, tmp_path: Path):
    """Without Node and the CDK command line in reach there is nothing to deploy with."""
    program = (
        "import examples.demo.stage as stage, pathlib, sys; "
        f"stage.REPOSITORY = pathlib.Path({str(tmp_path)!r}); "
        "from examples.demo.__main__ import main; sys.exit(main())"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=repository, capture_output=True, text=True, check=False, timeout=PATIENCE_S
    )

    assert done.returncode == 1
    assert "no cdk.json" in done.stdout
    assert done.stdout.splitlines()[-1] == f"0 passed, {len(CHECKS) + 1} failed"
