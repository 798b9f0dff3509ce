"""How long a fresh process takes to import a handler's module.

Counted is the import statement's wall time: the handler's module and all it imports, its clients and its
registry of one job included; the interpreter's own start is not. Compiled bytecode is there, as in the layer.
Its CPU time is kept beside it: on a busy machine it moves less.
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.environment import environment

ROOT = Path(__file__).parents[1]
RUNS = 11
OURS, TEXTBOOK = "bench.shipped", "bench.textbook"

_TIMED = (
    "import time; wall, cpu = time.perf_counter(), time.process_time(); import {module}; "
    "print((time.perf_counter() - wall) * 1000, (time.process_time() - cpu) * 1000)"
)
_IMPORTTIME = re.compile(r"import time:\s+(\d+) \|\s+\d+ \|\s*([\w.]+)")


@dataclass
class Import:
    """One module's import: milliseconds of each run, and where they go: self time by top-level package."""

    module: str
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    by_package: list[tuple[str, float]] = field(default_factory=list)

    @property
    def wall_ms(self) -> float:
        """The median."""
        return statistics.median(self.wall)

    @property
    def cpu_ms(self) -> float:
        """The median."""
        return statistics.median(self.cpu)

    def run(self) -> None:
        """Import once more, in a fresh process."""
        wall, cpu = _run("-c", _TIMED.format(module=self.module)).stdout.split()
        self.wall.append(float(wall))
        self.cpu.append(float(cpu))


def measure_imports() -> tuple[Import, Import]:
    """Import both in turn, each time in a fresh process: ours and the textbook's."""
    ours, textbook = Import(OURS), Import(TEXTBOOK)
    for module in (OURS, TEXTBOOK):
        # The first import writes the bytecode.
        Import(module).run()
    for _ in range(RUNS):
        ours.run()
        textbook.run()
    for measured in (ours, textbook):
        measured.by_package = self_times(measured.module)
    return ours, textbook


def self_times(module: str, most: int = 8) -> list[tuple[str, float]]:
    """Milliseconds of import by top-level package, without what it imports of others; largest first."""
    spent: Counter[str] = Counter()
    for us, name in _IMPORTTIME.findall(_run("-X", "importtime", "-c", f"import {module}").stderr):
        spent[name.partition(".")[0]] += int(us)
    return [(name, us / 1000) for name, us in spent.most_common(most)]


def _run(*arguments: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "POWERTOOLS_", "PYTHON"))}
    return subprocess.run(  # noqa: S603 - this interpreter with arguments of our own
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**kept, **environment()},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
