"""What the audience sees: the same events as plain lines, or alive on a terminal."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Final, Protocol, TextIO, TypeAlias

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State

Note: TypeAlias = Callable[[str], None]

TITLE_WIDTH: Final = 14
_QUARTERS: Final = 4


@dataclass(frozen=True)
class Row:
    """One job on the screen, as of now; `job` is None until its record is there."""

    label: str
    via: str
    job: Job | None

    @property
    def state(self) -> str:
        """A word for where it stands."""
        return self.job.state if self.job else "sent"

    @property
    def story(self) -> str:
        """What else there is to say."""
        if self.job is None:
            return ""
        parts = [
            f"generation {self.job.generation}" if self.job.generation > 1 else "",
            f"attempt {self.job.attempt}" if self.job.attempt > 1 else "",
            # Of a job that succeeded, it is the reason of the failure before.
            "" if self.job.state is State.SUCCEEDED else self.job.reason or "",
        ]
        return ", ".join(part for part in parts if part)


@dataclass(frozen=True)
class Bulk:
    """How far the many are."""

    done: int
    total: int


Show: TypeAlias = Callable[[Sequence[Row], Bulk], None]


class Screen(Protocol):
    """Where the demo shows itself."""

    def title(self, line: str) -> None:
        """The headline."""

    def step(self, title: str) -> AbstractContextManager[Note]:
        """A part of the demo that takes a while. What is noted stands beside its title when it is done."""

    def watching(self) -> AbstractContextManager[Show]:
        """A view of jobs that is shown anew with every call."""

    def verdict(self, name: str, problem: str) -> None:
        """One check: `ok NAME`, or `FAIL NAME` and what is wrong."""

    def say(self, line: str = "") -> None:
        """One line."""

    def show_pictures(self, pictures: Sequence[bytes]) -> None:
        """Pictures beside each other, where they can be drawn."""


@dataclass
class PlainScreen:
    """Lines that a log keeps."""

    out: TextIO
    clock: Callable[[], float] = time.monotonic
    _shown: dict[str, str] = field(default_factory=dict)
    _quarter: int = 0

    def title(self, line: str) -> None:
        """See Screen."""
        self.say(line)
        self.say()

    @contextmanager
    def step(self, title: str) -> Iterator[Note]:
        """See Screen."""
        notes: list[str] = []
        began = self.clock()
        yield notes.append
        self.say(f"{title:<{TITLE_WIDTH}} {self.clock() - began:5.1f} s  {'; '.join(notes)}".rstrip())

    @contextmanager
    def watching(self) -> Iterator[Show]:
        """See Screen."""
        yield self._show

    def verdict(self, name: str, problem: str) -> None:
        """See Screen."""
        self.say(f"FAIL {name}" if problem else f"ok {name}")
        if problem:
            self.say(f"     {problem}")

    def say(self, line: str = "") -> None:
        """See Screen."""
        print(line, file=self.out, flush=True)

    def show_pictures(self, pictures: Sequence[bytes]) -> None:
        """See Screen. Lines can't."""

    def _show(self, rows: Sequence[Row], bulk: Bulk) -> None:
        for row in rows:
            line = f"{row.state} {row.story}".strip()
            if self._shown.get(row.label) != line:
                self._shown[row.label] = line
                self.say(f"  {row.label:<26} {row.via:<14} {line}")
        if not bulk.total:
            return
        quarter = bulk.done * _QUARTERS // bulk.total
        if quarter > self._quarter:
            self._quarter = quarter
            self.say(f"  {f'{bulk.total} jobs in bulk':<26} {'client':<14} {bulk.done} succeeded")
