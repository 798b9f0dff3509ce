"""The command line as its user runs it, in a process of its own."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_PATIENCE_S: Final = 60


@dataclass(frozen=True)
class Refusal:
    """How a command failed: its exit code, what it said of it, and what it had printed by then."""

    code: int
    error: dict[str, Any]
    answer: dict[str, Any] | None


@dataclass(frozen=True)
class CommandLine:
    """The program `tidemill` in a folder and an environment."""

    folder: Path
    environment: dict[str, str]

    def __call__(self, *words: str) -> dict[str, Any]:
        """What the command answers."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def refused(self, *words: str) -> Refusal:
        """How the command is refused."""
        done = self.run(*words, "--json")
        assert done.returncode != 0, done.stdout
        return Refusal(done.returncode, json.loads(done.stderr), json.loads(done.stdout) if done.stdout else None)

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """Run it while its user types."""
        return subprocess.run(
            [str(Path(sys.executable).with_name("tidemill")), *words],
            cwd=self.folder,
            env=self.environment,
            input=typed,
            capture_output=True,
            text=True,
            check=False,
            timeout=_PATIENCE_S,
        )
