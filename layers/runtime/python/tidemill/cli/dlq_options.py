"""Options that the commands of the DLQ desk share, and what they mean."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError

if TYPE_CHECKING:
    from tidemill.service.dead_filter import Filter
    from tidemill.service.manner import Manner

Lane = Annotated[str | None, typer.Option("--lane", help="Only this lane's.")]
Kind = Annotated[str | None, typer.Option("--kind", help="Only of this kind.")]
AnyTenant = Annotated[str | None, typer.Option("--tenant", help="Only this tenant's; all by default.")]
Fault = Annotated[str | None, typer.Option("--error", metavar="FINGERPRINT", help="Only with this last failure.")]
Reason = Annotated[str | None, typer.Option("--reason", help="Only dead for this reason.")]
Since = Annotated[str | None, typer.Option("--since", metavar="TIME", help="Died then or later: 2h ago, or a time.")]
Until = Annotated[str | None, typer.Option("--until", metavar="TIME", help="Died before: 2h ago, or a time.")]
ModeOption = Annotated[
    str | None,
    typer.Option("--mode", help="resume (finished steps stay, the default) or restart (they are forgotten)."),
]
FromStep = Annotated[
    str | None, typer.Option("--from-step", metavar="NAME", help="Forget this finished step and those after it.")
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would happen, and change nothing.")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]


def filter_of(parts: dict[str, str | None], now_ms: int, lanes: Sequence[str]) -> Filter:
    """The filter that the options `tenant`, `lane`, `kind`, `error`, `reason`, `since` and `until` name.

    Raises:
        InputError: one is bad; it is named as the option is.
    """
    from tidemill.service.dead_filter import Filter

    words = {name: value for name, value in parts.items() if name not in {"since", "until"}}
    since, until = (_moment(parts.get(name), name, now_ms) for name in ("since", "until"))
    return Filter(**words, since=since, until=until).checked(lanes)


def manner_for(mode: str | None, from_step: str | None) -> Manner:
    """The manner that the options name.

    Raises:
        InputError: they name none.
    """
    from tidemill.service.manner import manner_of

    return manner_of(mode, from_step)


def _moment(text: str | None, field: str, now_ms: int) -> int | None:
    from tidemill.cli.durations import parse_duration
    from tidemill.service.dead_filter import moment_of

    if text is None:
        return None
    try:
        return now_ms - milliseconds(parse_duration(text.removesuffix(" ago"), field))
    except InputError:
        pass
    try:
        return moment_of(text, field)
    except InputError:
        problem = "must be a duration such as 2h, or a time with its zone such as 2026-11-22T08:30:00Z"
        raise InputError.at(field, problem, "format") from None
