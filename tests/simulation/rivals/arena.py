"""One seed, one schedule for every rival: what a process needs to play any number of them."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from random import Random
from types import SimpleNamespace
from unittest.mock import patch

from aws_lambda_powertools.utilities.idempotency import base as decorator
from aws_lambda_powertools.utilities.idempotency.persistence import base, datarecord, dynamodb

from tests.simulation.faults import Swarm
from tests.simulation.rivals.entrants import Rival, client
from tests.simulation.rivals.match import Match
from tests.simulation.rivals.orders import Bout
from tests.simulation.rivals.score import Score
from tests.simulation.schedule import Stage, opened
from tests.simulation.stage import PLAYING, play
from tests.simulation.world import Story


class _Datetime(dt.datetime):
    """Powertools asks it for the time; the simulation's clock answers."""

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> dt.datetime:
        return dt.datetime.fromtimestamp(PLAYING.now_ns / 1e9, tz)


class Arena:
    """Plays schedules, one after the other. Made by `opened_arena`."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def play(self, rival: Rival, bout: Bout, number: int, story: Story | None = None) -> Score:
        """The schedule of a seed: the same every time, and the same orders and faults for every rival.

        Which faults are on, and how likely each is, comes from the seed alone. At which call one happens can't be
        the same: the rivals call differently.
        """
        seed = f"rivals:{bout.name}:{number}"
        rng = Random(seed)  # noqa: S311 - not a secret
        programme = bout.draw(Random(f"{seed}:orders"))  # noqa: S311 - not a secret
        match = Match(rng, Swarm(rng, bout.kinds, bout.certain), rival, programme, story)
        with play(match):
            score = match.play()
        # Kept in memory otherwise; another test looks for payloads in it.
        self._stage._capture.taken()
        return score


@contextmanager
def opened_arena() -> Iterator[Arena]:
    """An arena with everything in its place. One at a time in a process."""
    clock = SimpleNamespace(datetime=_Datetime, timedelta=dt.timedelta)
    with opened() as stage, ExitStack() as stack:
        client("dynamodb")
        client("sqs")
        for module in (decorator, base, datarecord, dynamodb):
            stack.enter_context(patch.object(module, "dt", clock))
        yield Arena(stage)
