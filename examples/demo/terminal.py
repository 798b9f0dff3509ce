"""The demo on a terminal: spinners while something takes a while, a table of jobs that lives."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Final

from PIL import Image
from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from examples.demo.screen import TITLE_WIDTH, Bulk, Note, Row, Show

COLOURS: Final = {
    "sent": "dim",
    "queued": "cyan",
    "running": "bold blue",
    "retrying": "yellow",
    "succeeded": "green",
    "dead": "bold red",
}
_BAR_WIDTH: Final = 40
# A character cell is about twice as high as wide, and the upper half block shows two pixels in one.
_PICTURE_WIDTH: Final = 30


@dataclass
class TerminalScreen:
    """See Screen."""

    console: Console

    def title(self, line: str) -> None:
        """See Screen."""
        self.console.print()
        self.console.print(Text(line, style="bold"))
        self.console.print()

    @contextmanager
    def step(self, title: str) -> Iterator[Note]:
        """See Screen."""
        notes: list[str] = []
        began = time.monotonic()
        with self.console.status(f"[bold]{title}[/bold]"):
            yield notes.append
        took = f"{time.monotonic() - began:5.1f} s"
        self.console.print(
            Text.assemble(("✓ ", "green"), (f"{title:<{TITLE_WIDTH}}", "bold"), (f" {took}  ", "dim"), "; ".join(notes))
        )

    @contextmanager
    def watching(self) -> Iterator[Show]:
        """See Screen."""
        with Live(console=self.console, refresh_per_second=10) as live:
            yield lambda rows, bulk: live.update(_view(rows, bulk))

    def verdict(self, name: str, problem: str) -> None:
        """See Screen."""
        word = ("FAIL", "bold red") if problem else ("ok", "green")
        self.console.print(Text.assemble(word, f" {name}"), soft_wrap=True)
        if problem:
            self.console.print(Text(f"     {problem}", style="red"), soft_wrap=True)

    def say(self, line: str = "") -> None:
        """See Screen."""
        self.console.print(Text(line), soft_wrap=True)

    def show_pictures(self, pictures: Sequence[bytes]) -> None:
        """See Screen. Two pixels to a character."""
        row = Table.grid(padding=(0, 2))
        row.add_row(*[_drawn(picture) for picture in pictures])
        self.console.print(Padding(row, (1, 2)))


def _view(rows: Sequence[Row], bulk: Bulk) -> RenderableType:
    parts = [_table(rows)] if rows else []
    return Padding(Group(*parts, *([_bar(bulk)] if bulk.total else [])), (1, 2))


def _table(rows: Sequence[Row]) -> Table:
    table = Table(box=None, header_style="dim", padding=(0, 2, 0, 0))
    for heading in ("job", "submitted by", "state", ""):
        table.add_column(heading)
    for row in rows:
        table.add_row(row.label, Text(row.via, "dim"), Text(row.state, COLOURS.get(row.state, "")), row.story)
    return table


def _bar(bulk: Bulk) -> Table:
    bar = Table.grid(padding=(0, 2))
    bar.add_row(
        f"{bulk.total} jobs in bulk",
        ProgressBar(bulk.total, bulk.done, width=_BAR_WIDTH, complete_style="green", finished_style="green"),
        f"{bulk.done} succeeded",
    )
    return bar


def _drawn(picture: bytes) -> Text:
    with Image.open(BytesIO(picture)) as image:
        height = round(image.height * _PICTURE_WIDTH / image.width / 2) * 2
        small = image.convert("RGB").resize((_PICTURE_WIDTH, height))
    text = Text()
    for y in range(0, height, 2):
        for x in range(_PICTURE_WIDTH):
            upper, lower = (small.getpixel((x, y + below)) for below in (0, 1))
            text.append("▀", f"rgb{_triple(upper)} on rgb{_triple(lower)}")
        text.append("\n")
    return text


def _triple(pixel: object) -> str:
    return str(pixel).replace(" ", "")
