"""A batch on its way, as a bar for people and as lines for files."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

import typer

from tidemill.cli.exits import CliError
from tidemill.domain.batch_record import BatchState
from tidemill.domain.errors import UnavailableError

if TYPE_CHECKING:
    from tidemill.service.batch_view import BatchView

# A look at ten thousand children costs a hundred read units: it is worth no more than one a second.
_PAUSE_S: Final = 1.0
# A file gets no line more often than this, unless the batch is in another state: hours of it stay readable.
_LINES_APART_S: Final = 10.0
# So many looks in a row that AWS does not answer are no passing throttle any more.
_MOST_UNANSWERED: Final = 30


def watch(look: Callable[[], BatchView], timeout_s: float | None, *, shown: bool) -> BatchView:
    """The batch once it has ended, or as it stands when the time is over. `shown`: people look on.

    Raises:
        UnavailableError: AWS does not answer, thirty times in a row.
    """
    deadline = None if timeout_s is None else time.monotonic() + timeout_s
    unanswered = 0
    with _onlookers(shown=shown) as tell:
        while True:
            left = _PAUSE_S if deadline is None else deadline - time.monotonic()
            try:
                view = look()
            except UnavailableError:
                unanswered += 1
                if unanswered >= _MOST_UNANSWERED or left <= 0:
                    raise
            else:
                unanswered = 0
                tell(view)
                if view.is_over or left <= 0:
                    return view
            time.sleep(max(min(_PAUSE_S, left), 0))


def sentence(view: BatchView) -> str:
    """The batch in one line: `running: 4,310 of 10,000 succeeded, 2 failed, 5,688 open`."""
    counts = [
        f"{number:,} {word}"
        for number, word in (
            (view.failed, "failed"),
            (view.cancelled, "cancelled"),
            (view.skipped, "skipped"),
            (view.open, "open"),
        )
        if number
    ]
    if view.state is BatchState.SUBMITTING:
        counts.append(f"{view.batch.submitted:,} submitted")
    return ", ".join([f"{view.state}: {view.succeeded:,} of {view.batch.size:,} succeeded", *counts])


def check_succeeded(view: BatchView, timeout_s: float | None) -> None:
    """Whoever watches a batch wants it to succeed.

    Raises:
        CliError: it has not.
    """
    batch_id = view.batch_id
    if not view.is_over:
        message = f"batch {batch_id} is still {view.state} after {timeout_s:g} s. Fix: watch it again"
        raise CliError("wait_timeout", message)
    if view.state is not BatchState.SUCCEEDED:
        message = f"batch {batch_id} {view.state}. Fix: see why with `tidemill batch show --failures {batch_id}`"
        raise CliError("batch_not_succeeded", message)


@contextmanager
def _onlookers(*, shown: bool) -> Iterator[Callable[[BatchView], None]]:
    """What tells people of each look: a bar on a terminal, lines in a file."""
    if not shown:
        yield lambda _: None
    elif sys.stderr.isatty():
        with _bar() as tell:
            yield tell
    else:
        yield _Lines()


class _Lines:
    """Prints a line on standard error when something has changed, now and then; the answer is on standard output."""

    def __init__(self) -> None:
        self._said, self._state, self._at = "", "", 0.0

    def __call__(self, view: BatchView) -> None:
        line, now = sentence(view), time.monotonic()
        is_due = view.state != self._state or now - self._at >= _LINES_APART_S
        if line != self._said and is_due:
            typer.echo(line, err=True)
            self._said, self._state, self._at = line, view.state, now


@contextmanager
def _bar() -> Iterator[Callable[[BatchView], None]]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[done]}"), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("looking", total=None, done="")

        def tell(view: BatchView) -> None:
            size, over = view.batch.size, view.batch.size - view.open
            bar.update(task, total=size, completed=over, description=_label(view), done=f"{over:,} of {size:,}")

        yield tell


def _label(view: BatchView) -> str:
    """The state, and what did not succeed."""
    if view.state is BatchState.SUBMITTING:
        return f"{view.state} {view.batch.submitted:,}"
    lost = [(view.failed, "failed"), (view.cancelled, "cancelled"), (view.skipped, "skipped")]
    return ", ".join([f"{view.state}", *(f"{count:,} {word}" for count, word in lost if count)])
