"""`tidemill init`."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner

from tidemill.cli.app import app


def test_init_writes_a_project_that_a_registry_can_be_imported_from(tmp_path: Path) -> None:
    answer = CliRunner().invoke(app, ["init", str(tmp_path / "hello"), "--json"])

    assert answer.exit_code == 0, answer.output
    files = json.loads(answer.stdout)["files"]
    assert {"app.py", "cdk.json", "submit.py", "functions/jobs/greet.py", "functions/worker/handler.py"} <= set(files)
    assert not [name for name in files if "__pycache__" in name]
    assert json.loads((tmp_path / "hello/cdk.json").read_text())["app"] == "python3 app.py"


def test_init_leaves_a_folder_alone_that_holds_something(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("precious")

    answer = CliRunner().invoke(app, ["init", str(tmp_path), "--json"])

    assert answer.exit_code == 2
    assert "folder" in answer.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
