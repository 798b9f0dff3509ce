"""`make prove`: searches the models, plays schedules, looks for planted bugs, and ends with one line of what was found.

python -m tests.simulation.prove --seeds 100000
python -m tests.simulation.prove --seed basic:17
python -m tests.simulation.prove --seed "flow 'parked': crash after at call 3"
python -m tests.simulation.prove --only pairs
python -m tests.simulation.prove --planted
"""

from __future__ import annotations

import argparse
import gc
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from itertools import groupby, zip_longest
from pathlib import Path

from tests.model import batch_planted, schedules
from tests.model.__main__ import searched
from tests.model.models import MODELS
from tests.simulation.enumeration import Trial, pairs, singles, tally_of
from tests.simulation.flows import FLOWS
from tests.simulation.measured import Measured, load, measure, save
from tests.simulation.planted import PLANTED
from tests.simulation.schedule import Seed, Stage, opened
from tests.simulation.shares import share_of
from tests.simulation.story import Narrator
from tests.simulation.tally import Tally
from tests.simulation.worlds import WORLDS

SEEDS = 100_000
_CHUNK = 250
# Objects that are made, and not freed, between two looks of the garbage collector.
_COLLECTED_AFTER = 50_000
# A flow's pairs are played in so many tasks, so that all cores are busy until the end.
_SHARES = 16
_MINUTE_S = 60
_FIGURES = ("states", "transitions", "violated", "planted", "caught")
_SHOWN = 20
CORPUS = Path(__file__).with_name("corpus.txt")


@dataclass(frozen=True, slots=True)
class Task:
    """What one process does at a time: seeds, all single faults of a flow, or one share of its pairs."""

    seeds: tuple[Seed, ...] = ()
    flow: str = ""
    share: int | None = None

    def tally(self, stage: Stage) -> Tally:
        """Do it."""
        if not self.flow:
            return sum((Tally.of(seed, stage.play(seed)) for seed in self.seeds), Tally())
        flow = next(flow for flow in FLOWS if flow.name == self.flow)
        trials = singles(flow, stage) if self.share is None else pairs(flow, stage, self.share, _SHARES)
        return tally_of(trials, stage)


def seeds_of(count: int, first: int = 0) -> Iterator[Task]:
    """Tasks for `count` seeds in all, each world with its share; the worlds take turns."""
    turns = zip_longest(*(seeds_in(world, share_of(world, count), first) for world in WORLDS))
    return (task for turn in turns for task in turn if task is not None)


def seeds_in(world: str, count: int, first: int = 0) -> Iterator[Task]:
    """Tasks for `count` seeds of one world."""
    for start in range(first, first + count, _CHUNK):
        yield Task(tuple(Seed(world, number) for number in range(start, min(start + _CHUNK, first + count))))


def all_singles() -> Iterator[Task]:
    """Tasks for all single faults."""
    return (Task(flow=flow.name) for flow in FLOWS)


def all_pairs() -> Iterator[Task]:
    """Tasks for all pairs of faults."""
    return (Task(flow=flow.name, share=share) for flow in FLOWS for share in range(_SHARES))


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
    # What is there now stays: the collector need not walk through it. It looks seldom, since a schedule is small.
    gc.collect()
    gc.freeze()
    gc.set_threshold(_COLLECTED_AFTER)


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
    """Search the models, with their big bounds, and look for the bugs planted in them."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context) as pool:
        apart = [pool.submit(model.main) for model in (batch_planted, schedules)]
        figures = list(pool.map(partial(searched, big=True), MODELS))
        failed = sum(one.result() for one in apart)
    for name, found in zip(MODELS, figures, strict=True):
        _say(f"model {name}: " + " ".join(f"{field}={found[field]}" for field in _FIGURES))
    return Tally(violated=failed + sum(found["violated"] + found["planted"] - found["caught"] for found in figures))


def _played(name: str, tasks: Iterable[Task]) -> Tally:
    """One part of the proof, with a line for each flow and for each minute that it takes."""
    part, said_at, listed = Tally(), time.monotonic(), list(tasks)
    for flow, played in groupby(zip(listed, play_all(listed), strict=True), lambda one: one[0].flow):
        of_flow = Tally()
        for _, tally in played:
            of_flow += tally
            if time.monotonic() - said_at >= _MINUTE_S:
                said_at = time.monotonic()
                _say(f"{name}, so far: {part + of_flow}")
        part += of_flow
        if flow:
            _say(f"{name}, {flow!r}: {of_flow}")
    _say(f"{name}: {part}")
    return part


def _parts(count: int, first: int) -> dict[str, tuple[str, Callable[[], Iterable[Task]]]]:
    """What is played, by the word that asks for it alone."""
    return {
        "corpus": ("the corpus", lambda: [corpus()]),
        "singles": ("single faults", all_singles),
        "pairs": ("pairs of faults", all_pairs),
        "seeds": ("seeds", lambda: seeds_of(count, first)),
    }


def _prove(count: int, first: int) -> int:
    tally = _models()
    started = time.monotonic()
    for name, tasks in _parts(count, first).values():
        tally += _played(name, tasks())
    _say_found(tally)
    missed = check_planted()
    _say(f"{tally.schedules / (time.monotonic() - started):.0f} schedules a second; missed: {missed or 'none'}")
    planted = len(PLANTED)
    _say(f"{tally} planted={planted} caught={planted - len(missed)}")
    return int(_is_broken(tally) or bool(missed))


def _prove_one(name: str, tasks: Callable[[], Iterable[Task]]) -> int:
    tally = _played(name, tasks())
    _say_found(tally)
    return int(_is_broken(tally))


def _say_found(tally: Tally) -> None:
    for found in tally.found[:_SHOWN]:
        _say(found)


def _is_broken(tally: Tally) -> bool:
    return bool(tally.lost or tally.unexpected or tally.violated)


def _tell(text: str) -> int:
    out, violated = sys.stdout, False
    with opened() as stage:
        for told in _named(text):
            out.write(f"--- {told}\n")
            story = Narrator(out.write)
            outcome = told.play(stage, story) if isinstance(told, Trial) else stage.play(told, story)
            violated = violated or outcome.violation is not None
            out.write(f"--- {Tally.of(told, outcome)}\n{outcome.violation or 'nothing broke'}\n")
    return int(violated)


def _named(text: str) -> Sequence[Seed | Trial]:
    """One seed, the seed of this number in every world, or a flow with its faults."""
    if text.startswith("flow "):
        return [Trial.parse(text)]
    return [Seed.parse(text)] if ":" in text else [Seed(world, int(text)) for world in WORLDS]


def _measure_planted(world: str | None) -> int:
    names = [planted.name for planted in PLANTED if world in (None, planted.world)]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=_open_stage) as pool:
        measured = {}
        for one in pool.map(_measure, names):
            _say(one)
            measured[one.name] = one
    # Of the other worlds, what was measured before stays.
    known = {**load(), **measured}
    save(known[planted.name] for planted in PLANTED)
    caught = sum(one.first is not None for one in measured.values())
    _say(f"planted={len(measured)} caught={caught}")
    return int(caught != len(measured))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; answers the exit code."""
    parser = argparse.ArgumentParser(prog="make prove", description=__doc__)
    parser.add_argument("--seeds", type=int, default=SEEDS, help="how many schedules")
    parser.add_argument("--first", type=int, default=0, help="the first number of each world")
    parser.add_argument("--seed", default="", help="tell the story of one, such as basic:17, or of a flow's faults")
    parser.add_argument("--only", choices=tuple(_parts(0, 0)), help="play this part alone")
    parser.add_argument("--world", choices=tuple(WORLDS), help="play seeds of this world alone")
    parser.add_argument("--planted", action="store_true", help="measure how soon each planted bug is found")
    given = parser.parse_args(arguments)
    if given.seed:
        return _tell(given.seed)
    if given.planted:
        return _measure_planted(given.world)
    if given.world:
        return _prove_one(f"seeds of {given.world}", partial(seeds_in, given.world, given.seeds, given.first))
    if given.only:
        return _prove_one(*_parts(given.seeds, given.first)[given.only])
    return _prove(given.seeds, given.first)


if __name__ == "__main__":
    raise SystemExit(main())
