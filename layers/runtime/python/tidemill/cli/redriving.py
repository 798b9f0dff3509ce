"""`tidemill dlq redrive`: what is chosen, the question before, the progress while, the account after."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import typer

from tidemill.cli import render
from tidemill.cli.dead import redrive_each, redrive_lane
from tidemill.cli.exits import CliError, as_document, exit_code
from tidemill.domain.errors import InputError, TidemillError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.domain.job import JobRef
    from tidemill.entrypoints.bootstrap import Program

# What became of a job, by how it was redriven.
_TOLD: Final = {
    "dlq": "job {id} runs again (sent from the dlq)",
    "table": "job {id} runs again (sent from the table)",
    "message": "the message refused as {id} is back on its lane and becomes a new job; its refusal stays on record",
}


def check_choice(jobs: Sequence[str] | None, lane: str | None, limit: int | None, *, everything: bool) -> None:
    """Refuse what does not say clearly which jobs are meant.

    Raises:
        InputError: not exactly one of ids, a lane and all was chosen, or the limit fits none of it.
    """
    if [bool(jobs), lane is not None, everything].count(True) != 1:
        raise InputError.at("ids", "give job ids, or --lane NAME, or --all: exactly one of the three", "choice")
    if limit is not None and jobs:
        raise InputError.at("limit", "is for --lane and --all; leave it out beside ids", "choice")
    if limit is not None and limit < 1:
        raise InputError.at("limit", f"must be at least 1, not {limit}", "range")


@dataclass(frozen=True)
class Redriving:
    """One redrive command."""

    program: Program
    as_json: bool

    def lanes(self, lane: str | None) -> tuple[str, ...]:
        """The lanes that are meant.

        Raises:
            InputError: there is no such lane.
        """
        known = tuple(self.program.settings.lanes)
        if lane is not None and lane not in known:
            raise InputError.at("lane", f"no lane {lane!r}; known: {', '.join(known)}", "unknown_lane")
        return known if lane is None else (lane,)

    def depth(self, lanes: Sequence[str], limit: int | None) -> int:
        """About how many messages that will be."""
        depths = self.program.desk.depths()
        waiting = sum(depths[lane] for lane in lanes)
        return waiting if limit is None else min(waiting, limit)

    def confirm(self, count: int | None, what: str, *, yes: bool) -> None:
        """Ask before many jobs run again.

        Raises:
            InputError: there is nobody to ask.
            Abort: the answer was no.
        """
        if yes or count == 1:
            return
        if self.as_json:
            raise InputError.at("yes", "give --yes beside --json: there is nobody to ask", "missing")
        typer.confirm(f"Redrive {what}?", abort=True, err=True)

    def run_jobs(self, refs: Sequence[JobRef]) -> None:
        """Redrive jobs by id.

        Raises:
            TidemillError: the only one could not be redriven.
            CliError: one of several could not.
        """
        redriven: list[dict[str, Any]] = []
        failed: list[tuple[JobRef, TidemillError]] = []
        with self._progress(len(refs)) as advance:
            for ref, result in redrive_each(self.program.desk, refs):
                if isinstance(result, TidemillError):
                    failed.append((ref, result))
                else:
                    redriven.append({"id": ref.id, "tenant": ref.tenant, "via": result.via})
                advance(1)
        if len(failed) == 1 and not redriven:
            raise failed[0][1]
        if self.as_json:
            refusals = [{"id": ref.id, "tenant": ref.tenant, **as_document(error)} for ref, error in failed]
            render.as_json({"redriven": redriven, "failed": refusals})
        else:
            for entry in redriven:
                render.line(_TOLD[entry["via"]].format(**entry))
            for _, error in failed:
                render.line(f"not redriven: {error}")
        if failed:
            message = f"{len(failed)} of {len(failed) + len(redriven)} jobs could not be redriven"
            raise CliError("not_redriven", message, max(exit_code(error) for _, error in failed))

    def run_lanes(self, lanes: Sequence[str], limit: int | None, waiting: int) -> None:
        """Redrive whole DLQs."""
        moved = dict.fromkeys(lanes, 0)
        with self._progress(waiting) as advance:
            for lane in lanes:
                left = None if limit is None else limit - sum(moved.values())
                for count in redrive_lane(self.program.desk, lane, left):
                    moved[lane] += count
                    advance(count)
        if self.as_json:
            render.as_json({"moved": moved})
        else:
            render.line(f"redriven: {render.counts(moved)}")

    @contextmanager
    def _progress(self, total: int) -> Iterator[Callable[[float], None]]:
        """A bar on standard error, gone when it is done."""
        from rich.console import Console
        from rich.progress import Progress

        console = Console(stderr=True)
        with Progress(
            console=console, transient=True, disable=self.as_json or total < 2 or not console.is_terminal
        ) as bar:
            task = bar.add_task("redriving", total=total)
            yield lambda count: bar.advance(task, count)
