"""What `make test` plays: it takes every core for minutes, so it begins with the first test and is asked for last.

    python -m tests.simulation.ahead FOLDER NAME...

plays the parts of these names, one after the other, and writes what each came to into the folder. It gives way to
everything else on the machine, and ends when the process that began it is gone.
"""

from __future__ import annotations

import os
import pickle
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Final, Self

from tests.simulation.flows import FLOWS
from tests.simulation.prove import Task, corpus, play_all, seeds_in
from tests.simulation.shares import share_of
from tests.simulation.tally import Tally
from tests.simulation.worlds import WORLDS

# In all worlds together.
SEEDS: Final = 20_000
CORPUS: Final = "corpus"
# All single faults of a flow.
SINGLES: Final = tuple(f"singles of {flow.name}" for flow in FLOWS)


def _only(task: Task) -> list[Task]:
    return [task]


PARTS: Final[Mapping[str, Callable[[], Iterable[Task]]]] = {
    CORPUS: lambda: [corpus()],
    **{name: partial(_only, Task(flow=flow.name)) for name, flow in zip(SINGLES, FLOWS, strict=True)},
    **{world: partial(seeds_in, world, share_of(world, SEEDS)) for world in WORLDS},
}
_LOOKS_EVERY_S: Final = 0.2
# Niceness: every test that runs meanwhile comes first, those that watch a clock too.
_GIVES_WAY: Final = 15
_SESSION: Final = Path("/proc/self/autogroup")


@dataclass(frozen=True, slots=True)
class Ahead:
    """Parts that are being played by processes of their own."""

    folder: Path
    process: subprocess.Popen[bytes]

    @classmethod
    def begun(cls, folder: Path, names: Sequence[str], repository: Path) -> Self:
        """Begin to play; nothing is waited for."""
        command = [sys.executable, "-m", __spec__.name, str(folder), *names]
        with (folder / "stderr").open("wb") as errors:
            # A session of its own, so that all its processes end together.
            process = subprocess.Popen(
                command, cwd=repository, stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True
            )
        return cls(folder, process)

    def tally(self, name: str) -> Tally:
        """What a part came to, once it is played.

        Raises:
            RuntimeError: the processes have ended without it; their own words are in the message.
        """
        written = self.folder / name
        while not written.exists():
            if self.process.poll() is not None and not written.exists():
                raise RuntimeError(f"{name!r} was not played:\n{(self.folder / 'stderr').read_text()}")
            time.sleep(_LOOKS_EVERY_S)
        tally: Tally = pickle.loads(written.read_bytes())
        return tally

    def end(self) -> None:
        """Stop what still plays."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGTERM)
        self.process.wait()


def _played(names: Sequence[str]) -> Iterator[tuple[str, Tally]]:
    """All parts share one pool, so that no core waits for the end of a part."""
    tasks = [(name, task) for name in names for task in PARTS[name]()]
    tallies = play_all(task for _, task in tasks)
    for name, played in groupby(zip(tasks, tallies, strict=True), lambda one: one[0][0]):
        yield name, sum((tally for _, tally in played), Tally())


def _end_with(begun_by: int) -> None:
    """End all processes of this session once nobody is left to ask: they would play on for minutes."""
    while os.getppid() == begun_by:
        time.sleep(_LOOKS_EVERY_S)
    os.killpg(0, signal.SIGTERM)


def _give_way() -> None:
    os.nice(_GIVES_WAY)
    # Linux weighs sessions before it looks at the processes of each: sched(7), "The autogroup feature".
    if _SESSION.exists():
        _SESSION.write_text(str(_GIVES_WAY))


def main(folder: Path, names: Sequence[str]) -> None:
    """The program."""
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    _give_way()
    for name, tally in _played(names):
        begun = folder / f"{name}.begun"
        begun.write_bytes(pickle.dumps(tally))
        begun.rename(folder / name)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
