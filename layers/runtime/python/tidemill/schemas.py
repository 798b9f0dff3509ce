"""The folder of schema snapshots: `schemas` beside the jobs, with a file for each version of each contract."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from tidemill.domain.schema.snapshot import Part, Snapshot, read_snapshot

# In the folder of the functions' code.
FOLDER: Final = "schemas"
# Below it, so that no event's file is taken for a job's.
_BELOW: Final = {Part.ARGS: "", Part.EVENT: "events"}


def read_snapshots(folder: Path) -> list[Snapshot]:
    """All snapshots below `folder`, in the order of their names; none if it is not there.

    Raises:
        SnapshotError: a file is none, or is damaged.
        OSError: one can't be read.
    """
    return [
        read_snapshot(part, path.name, path.read_text(encoding="utf-8"))
        for part, below in _BELOW.items()
        for path in sorted((folder / below).glob("*.json"))
    ]


def write_snapshots(folder: Path, snapshots: Iterable[Snapshot]) -> list[Path]:
    """Write these into `folder`, which is made; answers the files.

    Raises:
        OSError: one can't be written.
    """
    written = []
    for one in snapshots:
        path = folder / _BELOW[one.part] / one.file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.text(), encoding="utf-8")
        written.append(path)
    return written
