"""Every bout and every rival, in as many processes as there are cores."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack
from typing import TypeAlias

from tests.simulation.rivals.arena import Arena, opened_arena
from tests.simulation.rivals.entrants import RIVALS
from tests.simulation.rivals.orders import BOUTS
from tests.simulation.rivals.results import Results
from tests.simulation.rivals.score import Score

_CHUNK = 50
_BY_NAME = {rival.name: rival for rival in RIVALS}

# Bout, rival, first number, and the one after the last.
Task: TypeAlias = tuple[str, str, int, int]

# One arena for a process's life.
_OPEN = ExitStack()
_ARENAS: list[Arena] = []


def play(arena: Arena, task: Task) -> Score:
    """Play some seeds of one bout with one rival."""
    bout, rival, first, end = task
    return sum((arena.play(_BY_NAME[rival], BOUTS[bout], number) for number in range(first, end)), Score())


def tasks(first: int, seeds: int) -> Iterator[Task]:
    """Every bout and rival, in pieces."""
    end = first + seeds
    for start in range(first, end, _CHUNK):
        for bout in BOUTS:
            for rival in RIVALS:
                yield bout, rival.name, start, min(start + _CHUNK, end)


def _open_arena() -> None:
    _ARENAS.append(_OPEN.enter_context(opened_arena()))


def _play(task: Task) -> tuple[Task, Score]:
    return task, play(_ARENAS[0], task)


def compete(first: int, seeds: int) -> Results:
    """Play everything, in as many processes as there are cores."""
    scores = {bout: {rival.name: Score() for rival in RIVALS} for bout in BOUTS}
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(os.cpu_count(), context, initializer=_open_arena) as pool:
        for (bout, rival, _, _), score in pool.map(_play, tasks(first, seeds)):
            scores[bout][rival] += score
    return Results(first, seeds, scores)
