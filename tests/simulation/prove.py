"""`make prove`: searches the models, plays schedules, looks for planted bugs, and ends with one line of what was found.

python -m tests.simulation.prove --seeds 100000
python -m tests.simulation.prove --seed basic:17
python -m tests.simulation.prove --planted
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.model.__main__ import searched
from tests.model.models import MODELS
from tests.simulation.enumeration import FLOWS, pairs, singles
from tests.simulation.measured import Measured, load, measure, save
from tests.simulation.planted import PLANTED
from tests.simulation.schedule import Seed, Stage, opened
from tests.simulation.story import Narrator
from tests.simulation.tally import Tally
from tests.simulation.worlds import WORLDS

SEEDS = 100_000
_CHUNK = 250
_FIGURES = ("states", "transitions", "violated", "planted", "caught")
_SHOWN = 20
CORPUS = Path(__file__).with_name("corpus.txt")


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does at a time: seeds of a world, the seeds of the corpus, or a flow's enumeration."""

    seeds: tuple[Seed, ...] = ()
    flow: str = ""
    in_pairs: bool = False

    def tally(self, stage: Stage) -> Tally:
        """Do it."""
        if not self.flow:
            return sum((Tally.of(seed, stage.play(seed)) for seed in self.seeds), Tally())
        flow = next(flow for flow in FLOWS if flow.name == self.flow)
        return sum((pairs if self.in_pairs else singles)(stage, flow), Tally())


def seeds_of(count: int, first: int = 0) -> Iterator[Task]:
    """Tasks for `count` seeds in all, as many in each world."""
    each = -(-count // len(WORLDS))
    for start in range(first, first + each, _CHUNK):
        for world in WORLDS:
            yield Task(tuple(Seed(world, number) for number in range(start, min(start + _CHUNK, first + each))))


def enumerations(*, in_pairs: bool) -> Iterator[Task]:
    """Tasks for all single faults, or for all pairs."""
    return (Task(flow=flow.name, in_pairs=in_pairs) for flow in FLOWS)


def corpus() -> Task:
    """The seeds that once found something."""
    lines = [line.partition("#")[0].strip() for line in CORPUS.read_text().splitlines()]
    return Task(tuple(Seed.parse(line) for line in lines if line))


def play_all(tasks: Iterable[Task], processes: int | None = None) -> Iterator[Tally]:
    """Do the tasks in as many processes as there are cores."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count(), context, initializer=_open_stage) as pool:
        yield from pool.map(_do, tasks)


def check_planted(processes: int | None = None) -> list[str]:
    """The planted bugs that their recorded first seed does not find any more."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes or os.cpu_count(), context, initializer=_open_stage) as pool:
        return [name for name, caught in pool.map(_is_caught, load().values()) if not caught]


# One stage for a process's life.
_OPEN = ExitStack()
_STAGES: list[Stage] = []


def _open_stage() -> None:
    _STAGES.append(_OPEN.enter_context(opened()))


def _stage() -> Stage:
    return _STAGES[0]


def _do(task: Task) -> Tally:
    return task.tally(_stage())


def _is_caught(measured: Measured) -> tuple[str, bool]:
    planted = next(planted for planted in PLANTED if planted.name == measured.name)
    if measured.first is None:
        return measured.name, False
    with planted.applied():
        return measured.name, _stage().play(Seed.parse(measured.first)).violation is not None


def _measure(name: str) -> Measured:
    return measure(_stage(), next(planted for planted in PLANTED if planted.name == name))


def _say(what: object) -> None:
    sys.stdout.write(f"{what}\n")
    sys.stdout.flush()


def _models() -> Tally:
    """Search the three models, with their big bounds, and look for the bugs planted in them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as pool:
        figures = list(pool.map(partial(searched, big=True), MODELS))
    for name, found in zip(MODELS, figures, strict=True):
        _say(f"model {name}: " + " ".join(f"{field}={found[field]}" for field in _FIGURES))
    return Tally(violated=sum(found["violated"] + found["planted"] - found["caught"] for found in figures))


def _prove(count: int, first: int) -> int:
    tally = _models()
    started = time.monotonic()
    tasks: list[tuple[str, Callable[[], Iterable[Task]]]] = [
        ("the corpus", lambda: [corpus()]),
        ("single faults", lambda: enumerations(in_pairs=False)),
        ("pairs of faults", lambda: enumerations(in_pairs=True)),
        ("seeds", lambda: seeds_of(count, first)),
    ]
    for name, of in tasks:
        part = Tally()
        for one in play_all(of()):
            part += one
        tally += part
        _say(f"{name}: {part}")
    for found in tally.found[:_SHOWN]:
        _say(found)
    missed = check_planted()
    _say(f"{tally.schedules / (time.monotonic() - started):.0f} schedules a second; missed: {missed or 'none'}")
    planted = len(PLANTED)
    _say(f"{tally} planted={planted} caught={planted - len(missed)}")
    return int(bool(tally.lost or tally.unexpected or tally.violated or missed))


def _tell(text: str) -> int:
    seeds = [Seed.parse(text)] if ":" in text else [Seed(world, int(text)) for world in WORLDS]
    out, violated = sys.stdout, False
    with opened() as stage:
        for seed in seeds:
            out.write(f"--- {seed}\n")
            outcome = stage.play(seed, Narrator(out.write))
            violated = violated or outcome.violation is not None
            out.write(f"--- {Tally.of(seed, outcome)}\n{outcome.violation or 'nothing broke'}\n")
    return int(violated)


def _measure_planted() -> int:
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=_open_stage) as pool:
        measured = []
        for one in pool.map(_measure, [planted.name for planted in PLANTED]):
            _say(one)
            measured.append(one)
    save(measured)
    caught = sum(one.first is not None for one in measured)
    _say(f"planted={len(measured)} caught={caught}")
    return int(caught != len(measured))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit code."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first number of each world")
    parser.add_argument("--seed", default="", help="tell the story of one, such as basic:17")
    parser.add_argument("--planted", action="store_true", help="measure how soon each planted bug is found")
    given = parser.parse_args(arguments)
    if given.seed:
        return _tell(given.seed)
    return _measure_planted() if given.planted else _prove(given.seeds, given.first)


if __name__ == "__main__":
    raise SystemExit(main())
