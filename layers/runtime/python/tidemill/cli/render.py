"""What people see. Machines get `as_json`; both go to stdout, and nothing else does."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidemill.domain.lifecycle import State
from tidemill.domain.waiting import Wait

if TYPE_CHECKING:
    from tidemill.domain.job import Job
    from tidemill.domain.ports import AttemptFailure

# Wide enough for a row of a listing where nobody says how wide the output is: a pipe or a file.
_PIPE_COLUMNS: Final = 200
_COLOURS: Final = {
    State.SUCCEEDED: "green",
    State.RUNNING: "cyan",
    State.RETRYING: "yellow",
    State.DEAD: "red",
    State.EXPIRED: "magenta",
    State.CANCELLED: "magenta",
}


def as_json(document: object) -> None:
    """Print one JSON document on one line."""
    typer.echo(json.dumps(document, separators=(",", ":")))


def line(text: str) -> None:
    """Print one line of text."""
    _console().print(Text(printable(text)), soft_wrap=True)


def fields(pairs: Iterable[tuple[str, object]]) -> None:
    """Print names and values below each other; a value that is None or empty is left out."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value not in (None, ""):
            table.add_row(name, _cell(value))
    _print(table)


def rows(headings: Sequence[str], lines: Iterable[Sequence[object]], *, empty: str) -> None:
    """Print a table, or `empty` if there is nothing in it. The first column is never cut: it is what is copied."""
    table = Table(box=None, header_style="bold", padding=(0, 2, 0, 0))
    for index, heading in enumerate(headings):
        table.add_column(heading, no_wrap=index == 0, overflow="fold")
    for cells in lines:
        table.add_row(*(_cell(cell) for cell in cells))
    if table.row_count:
        _print(table)
    else:
        line(empty)


def jobs(found: Sequence[Job], cursor: str | None, *, empty: str, with_tenant: bool = False) -> None:
    """Print a page of jobs, one a line."""
    headings = ["id", "state", "kind", "lane", "attempt", "created", "due or ended", "reason"]
    lines = [
        [
            f"{job.ref}" if with_tenant else job.ref.id,
            job.state,
            job.kind,
            job.lane,
            attempts(job),
            moment(job.created_at),
            moment(job.finished_at or job.claimable_at or None),
            job.reason,
        ]
        for job in found
    ]
    rows(headings, lines, empty=empty if cursor is None else "none on this page")
    if cursor is not None:
        line(f"more: --cursor {cursor}")


def wait(asked: Wait) -> str:
    """What came of a question, in one line."""
    if asked.given is not None:
        return f"{asked.given.value} from {asked.given.by} by {asked.given.means}, {moment(asked.given.at)}"
    if asked.timed_out_at is not None:
        return f"not answered until {moment(asked.timed_out_at)}"
    return f"open until {moment(asked.ends_at)}{f': {asked.asks}' if asked.asks else ''}"


def job(found: Job, extra: Iterable[tuple[str, object]] = ()) -> None:
    """Print one job's record."""
    waits = not found.state.is_final and found.state is not State.RUNNING
    fields(
        [
            ("job", found.ref.id),
            ("state", found.state),
            ("reason", found.reason),
            ("kind", found.kind),
            ("tenant", found.ref.tenant),
            ("lane", found.lane),
            ("key", found.key),
            ("attempt", attempts(found)),
            ("deferrals", found.deferrals or None),
            ("crashes", found.crashes or None),
            ("created", moment(found.created_at)),
            ("due", moment(found.claimable_at or None) if waits else None),
            ("started", moment(found.started_at)),
            ("finished", moment(found.finished_at)),
            ("expires", moment(found.expires_at)),
            ("kept until", moment(found.keep_until)),
            ("error", found.error),
            ("correlation", found.correlation_id if found.correlation_id != found.ref.id else None),
            *extra,
        ]
    )


def failures(found: Sequence[AttemptFailure]) -> None:
    """Print failed attempts, oldest first, each on one line."""
    if found:
        lines = [
            (moment(one.at), f"{one.generation}.{one.attempt}", one.failure.type, one.failure.message) for one in found
        ]
        rows(("failed", "attempt", "error", "message"), lines, empty="")


def block(title: str, text: str) -> None:
    """Print text of several lines below its title."""
    console = _console()
    console.print(Text(f"{title}:", style="bold"))
    console.print(Text(printable(text.rstrip())), soft_wrap=True)


def attempts(found: Job) -> str:
    """The attempt, and the generation once there was a redrive or rerun."""
    return str(found.attempt) if found.generation == 1 else f"{found.attempt} (generation {found.generation})"


def moment(at_ms: int | None) -> str | None:
    """A time in Unix milliseconds, to the second, in UTC."""
    return None if at_ms is None else f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M:%S}Z"


def pretty(document: object) -> str:
    """A JSON document for reading."""
    return json.dumps(document, indent=2, ensure_ascii=False)


def printable(text: str) -> str:
    """`text` without control characters: what a job raised must not command the operator's terminal."""
    return "".join(char if char.isprintable() or char in "\n\t" else "\N{REPLACEMENT CHARACTER}" for char in text)


def counts(pairs: Mapping[str, int]) -> str:
    """Names with their counts: `critical 0, default 2`."""
    return ", ".join(f"{name} {count}" for name, count in pairs.items())


def _print(table: Table) -> None:
    console = _console()
    with console.capture() as captured:
        console.print(table)
    # rich fills every line with spaces up to the table's width, which is a nuisance in files and diffs.
    for text in captured.get().splitlines():
        typer.echo(text.rstrip())


def _cell(value: object) -> Text:
    if isinstance(value, State):
        return Text(value, style=_COLOURS.get(value, ""))
    return Text("" if value is None else printable(str(value)))


def _console() -> Console:
    # Made anew for each use: stdout is another one in every test.
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_COLUMNS)
