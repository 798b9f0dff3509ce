"""The snapshots of the repository's own programs are as their code is."""

import importlib
import sys
from pathlib import Path

import pytest

from tidemill.domain.schema.judging import described_in, judge
from tidemill.schemas import FOLDER, read_snapshots

ROOT = Path(__file__).parents[3]
PROGRAMS = {
    "functions": "jobs",
    "examples/orders/functions": "orders",
    "layers/runtime/python/tidemill/project/functions": "jobs",
}


@pytest.mark.parametrize("code", PROGRAMS)
def test_every_program_carries_fresh_snapshots(code, monkeypatch):
    module = PROGRAMS[code]
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.syspath_prepend(str(ROOT / code))
    registry = importlib.import_module(module).registry
    for name in [name for name in sys.modules if name.partition(".")[0] == module]:
        monkeypatch.delitem(sys.modules, name)

    snapshots = read_snapshots(ROOT / code / FOLDER)

    assert snapshots
    assert judge(described_in(registry), snapshots) == []
