"""The schemas of arguments and events against their snapshots: what would break fails the synth, the rest is a hint."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from aws_cdk import Annotations
from constructs import Construct

from tidemill.domain.registry import JobRegistry
from tidemill.domain.schema.judging import Judgement, described_in, judge
from tidemill.schemas import FOLDER, read_snapshots
from tidemill_cdk.naming import worker_id
from tidemill_cdk.rules import Finding


def check_schemas(scope: Construct, registry: JobRegistry, code: Path) -> list[Finding]:
    """What the snapshots in `code`/schemas refuse; a note at `scope` says what of them is missing or out of date.

    Raises:
        SnapshotError: a snapshot is damaged.
    """
    judged = judge(described_in(registry), read_snapshots(code / FOLDER))
    hints = [str(one) for one in judged if not one.refused]
    if hints:
        Annotations.of(scope).add_info_v2("tidemill:schemas", "\n".join(hints))
    return findings([one for one in judged if one.refused], registry)


def findings(refused: Sequence[Judgement], registry: JobRegistry) -> list[Finding]:
    """Each at the worker that would meet it; what no worker would meet, at the first one."""
    first = next(iter(registry.lanes))
    return [Finding("schema", worker_id(one.lane or first), one.problem, one.fix) for one in refused]


def is_only_snapshots(folder: Path) -> bool:
    """Whether a folder holds snapshots and no code: no function needs it then, and none is deployed for it."""
    return folder.is_dir() and all(path.suffix == ".json" for path in folder.rglob("*") if path.is_file())
