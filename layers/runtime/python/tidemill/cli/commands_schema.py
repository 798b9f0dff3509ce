"""`tidemill schema snapshot | check`: the schemas of arguments and events as they were deployed, kept in git."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidemill.cli.options import REGISTRY, Jobs, Json

if TYPE_CHECKING:
    from tidemill.domain.schema.judging import Described, Judgement
    from tidemill.domain.schema.snapshot import Snapshot

schema_app = typer.Typer(
    name="schema", help="What arguments and events look like, and looked like.", no_args_is_help=True
)

Folder = Annotated[
    Path, typer.Option(envvar="TIDEMILL_SCHEMAS", metavar="FOLDER", help="Where the snapshots are; in git.")
]
_FOLDER = Path("functions/schemas")


@schema_app.command("snapshot")
def snapshot(*, jobs: Jobs = REGISTRY, folder: Folder = _FOLDER, as_json: Json = False) -> None:
    """Write the snapshots that are missing or out of date; nothing if a change would break what is deployed."""
    from tidemill.cli import render
    from tidemill.domain.schema.judging import judge, renewed
    from tidemill.schemas import write_snapshots

    now, kept = _read(jobs, folder)
    _refuse([one for one in judge(now, kept) if one.refused])
    written = [str(path) for path in write_snapshots(folder, renewed(now, kept))]
    if as_json:
        render.as_json({"written": written})
        return
    for path in written:
        render.line(f"written {path}")
    render.line("commit them with the change" if written else "every snapshot is as the code is")


@schema_app.command("check")
def check(
    *,
    jobs: Jobs = REGISTRY,
    folder: Folder = _FOLDER,
    fresh: Annotated[bool, typer.Option("--fresh", help="Fail too if a snapshot is missing or out of date.")] = False,
    as_json: Json = False,
) -> None:
    """Compare the code with the snapshots; fail if a change would break what is deployed. Changes nothing."""
    from tidemill.cli import render
    from tidemill.domain.schema.judging import judge

    now, kept = _read(jobs, folder)
    found = judge(now, kept)
    _refuse(found if fresh else [one for one in found if one.refused])
    if as_json:
        render.as_json({"checked": len(now), "hints": [_view(one) for one in found]})
        return
    for one in found:
        render.line(str(one))
    render.line(f"{len(now)} checked: nothing breaks")


def _read(jobs: str, folder: Path) -> tuple[list[Described], list[Snapshot]]:
    from tidemill.cli.kinds import registry_at
    from tidemill.domain.schema.judging import described_in
    from tidemill.schemas import read_snapshots

    return described_in(registry_at(jobs)), read_snapshots(folder)


def _refuse(found: list[Judgement]) -> None:
    """Raise if there is anything; all of it is said."""
    from tidemill.cli.exits import CliError
    from tidemill.domain.errors import Violation

    if found:
        violations = tuple(
            Violation(one.name or "schemas", f"{one.problem}. Fix: {one.fix}", "schema") for one in found
        )
        raise CliError("schema", "\n".join(str(one) for one in found), violations=violations)


def _view(one: Judgement) -> dict[str, Any]:
    return {"name": one.name, "problem": one.problem, "fix": one.fix}
