"""`tidemill projection show | rebuild | switch | drop | catch-up | resume`: read models, looked after.

They run the projections of the project's own code, on the operator's rights.
"""

from __future__ import annotations

from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidemill.cli.options import REGISTRY, Jobs, Json
from tidemill.cli.target import target_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tidemill.domain.line import Line
    from tidemill.service.rebuilding import Filled, Rebuilder

projection_app = typer.Typer(name="projection", help="Look after read models.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(metavar="NAME", help="The projection's name.")]
Anyway = Annotated[bool, typer.Option("--anyway", help="Even if streams are halted in the new edition.")]


class _Quiet:
    """The command says itself what became of things."""

    def count(self, name: str, value: int = 1) -> None:
        """Not counted."""

    def note(self, event: str, **fields: object) -> None:
        """Not noted."""

    def alert(self, event: str, **fields: object) -> None:
        """Not told."""


@projection_app.command()
def show(
    context: typer.Context,
    name: Name,
    *,
    lag: Annotated[bool, typer.Option("--lag", help="Compare every stream with its line: exact, a read each.")] = False,
    jobs: Jobs = REGISTRY,
    as_json: Json = False,
) -> None:
    """Show where a projection is: its editions, how far it has come, and which streams are halted."""
    from tidemill.cli import render

    rebuilder = target_of(context).program_knowing(jobs).rebuilder(_Quiet())
    found = rebuilder.standing(name)
    behind = rebuilder.lag(name) if lag else None
    editions = found.editions
    halted = [(one, editions.live) for one in found.halted]
    halted += [(one, editions.filling or editions.live) for one in found.halted_filling]
    if as_json:
        told: dict[str, Any] = {
            "projection": name,
            "live": found.editions.live,
            "filling": found.editions.filling,
            "reached": found.reached,
            "halted": [_halt(one, edition) for one, edition in halted],
        }
        if behind is not None:
            told["lag"] = {"streams": behind.streams, "behind": behind.behind, "facts": behind.facts}
        render.as_json(told)
        return
    filling = f", edition {found.editions.filling} is being filled" if found.editions.filling else ""
    reached = render.moment(found.reached) if found.reached else "nothing yet"
    render.line(f"{name}: edition {found.editions.live} is read{filling}; reached {reached}")
    if behind is not None:
        render.line(f"{behind.behind} of {behind.streams} streams are behind, by {behind.facts} facts")
    if halted:
        rows = [tuple(map(str, _halt(one, edition).values())) for one, edition in halted]
        render.rows(("halted", "at", "reason", "edition"), rows, empty="")


@projection_app.command()
def rebuild(
    context: typer.Context,
    name: Name,
    *,
    go_on: Annotated[bool, typer.Option("--go-on", help="Fill the edition that an earlier command began.")] = False,
    hold: Annotated[bool, typer.Option("--hold", help="Do not switch: compare first, then `switch`.")] = False,
    anyway: Anyway = False,
    jobs: Jobs = REGISTRY,
    as_json: Json = False,
) -> None:
    """Fill the next edition from the first fact on, beside the live one, and let queries read it when it is whole."""
    from tidemill.cli import render

    with _acting(context, jobs, "projection.rebuild", name) as rebuilder:
        edition = rebuilder.filling(name) if go_on else rebuilder.begin(name)
        facts = _pages(partial(rebuilder.fill, name, edition))
        told: dict[str, Any] = {"projection": name, "facts": facts}
        if hold:
            differing = [str(ref) for ref in rebuilder.differing(name)]
            told["differing"] = differing
            said = f"{len(differing)} lines differ from the live edition: {', '.join(differing[:10])}"
        else:
            told["live"] = rebuilder.switch(name, edition, anyway=anyway).live
            _purge(rebuilder, name)
            said = f"edition {told['live']} is read from now on"
    if as_json:
        render.as_json(told)
    else:
        render.line(f"{facts} facts; {said}")


@projection_app.command()
def switch(
    context: typer.Context, name: Name, *, anyway: Anyway = False, jobs: Jobs = REGISTRY, as_json: Json = False
) -> None:
    """Let queries read the edition that `rebuild --hold` has filled."""
    from tidemill.cli import render

    with _acting(context, jobs, "projection.switch", name) as rebuilder:
        editions = rebuilder.switch(name, anyway=anyway)
        _purge(rebuilder, name)
    if as_json:
        render.as_json({"projection": name, "live": editions.live})
    else:
        render.line(f"edition {editions.live} is read from now on")


@projection_app.command()
def drop(context: typer.Context, name: Name, *, jobs: Jobs = REGISTRY, as_json: Json = False) -> None:
    """Give an edition up that is being filled, and delete its lines."""
    from tidemill.cli import render

    with _acting(context, jobs, "projection.drop", name) as rebuilder:
        editions = rebuilder.drop(name)
        _purge(rebuilder, name)
    if as_json:
        render.as_json({"projection": name, "live": editions.live})
    else:
        render.line(f"dropped; edition {editions.live} is read as before")


@projection_app.command("catch-up")
def catch_up(context: typer.Context, name: Name, *, jobs: Jobs = REGISTRY, as_json: Json = False) -> None:
    """Put what the live edition misses into it, after the projector was down for longer than a stream lasts."""
    from tidemill.cli import render

    with _acting(context, jobs, "projection.catch_up", name) as rebuilder:
        facts = _pages(partial(rebuilder.catch_up, name))
    if as_json:
        render.as_json({"projection": name, "facts": facts})
    else:
        render.line(f"{facts} facts looked at; nothing is missing")


@projection_app.command()
def resume(context: typer.Context, name: Name, *, jobs: Jobs = REGISTRY, as_json: Json = False) -> None:
    """Let halted streams go on, in every edition, from the fact that the projection did not get over."""
    from tidemill.cli import render

    with _acting(context, jobs, "projection.resume", name) as rebuilder:
        going, staying = rebuilder.resume(name)
    if as_json:
        render.as_json({"projection": name, "resumed": going, "halted": staying})
    else:
        render.line(f"{going} streams go on, {staying} are still halted")


def _halt(line: Line, edition: int) -> dict[str, Any]:
    version, reason = (line.halt.version, line.halt.reason) if line.halt else (0, "")
    return {"stream": str(line.ref), "version": version, "reason": reason, "edition": edition}


@contextmanager
def _acting(context: typer.Context, jobs: str, action: str, name: str) -> Iterator[Rebuilder]:
    program = target_of(context).program_knowing(jobs)
    with program.auditor.action(action, chosen={"projection": name}):
        yield program.rebuilder(_Quiet())


def _pages(work: Callable[[str | None], Filled]) -> int:
    facts, cursor = 0, None
    while True:
        filled = work(cursor)
        facts, cursor = facts + filled.facts, filled.cursor
        if cursor is None:
            return facts


def _purge(rebuilder: Rebuilder, name: str) -> None:
    cursor = rebuilder.purge(name, None)
    while cursor is not None:
        cursor = rebuilder.purge(name, cursor)
