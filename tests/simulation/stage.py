"""What stands in the place of the machine: clock, chance, threads, the network and the standard output.

`set_up` puts the substitutes there once; they ask the world that is `playing` at the moment. The shipped code is
not touched.
"""

from __future__ import annotations

import gc
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from random import Random
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from botocore.client import BaseClient

from bench.cloud import account
from tests.simulation.threads import CooperativeThreads, Flight, Interrupter, Lock, wait
from tidemill.aws import patience
from tidemill.aws.clients import Clients
from tidemill.domain import limits
from tidemill.entrypoints import bootstrap, crew, worker
from tidemill.service import lifeline
from tidemill.service.batch import Batch
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.running import ThreadInterrupter
from tidemill.service.tokens import AnswerTokens

if TYPE_CHECKING:
    from tests.simulation.world import World

# From here on arguments and results are stored by the claim check: less than shipped, so that hashing them takes no
# longer than the rest of a schedule.
LARGE_BYTES = 8_192


class _Playing:
    """The world whose schedule is being run."""

    def __init__(self) -> None:
        self.world: World | None = None

    @property
    def now_ns(self) -> int:
        """The time by the clock of the process that runs."""
        if self.world is None:
            return 0
        process = self.world.scheduler.current
        return (self.world.scheduler.now_ms + (process.skew_ms if process else 0)) * 1_000_000


PLAYING = _Playing()


def playing() -> World:
    """The world whose schedule is being run."""
    if PLAYING.world is None:
        raise RuntimeError("no schedule is being run")
    return PLAYING.world


class WorldRandom(Random):
    """Chance, drawn from the seed."""

    def seed(self, *_: object) -> None:
        """It has no state of its own."""

    def random(self) -> float:
        return playing().rng.random()

    def getrandbits(self, k: int) -> int:
        return playing().rng.getrandbits(k)


class Capture:
    """The standard output of all functions: their log lines and metrics."""

    def __init__(self) -> None:
        self._chunks: list[str] = []

    def write(self, text: str) -> int:
        self._chunks.append(text)
        return len(text)

    def flush(self) -> None:
        """Nothing is buffered."""

    def taken(self) -> str:
        """What was written since the last time."""
        text = "".join(self._chunks)
        self._chunks.clear()
        return text


def _sleep(seconds: float) -> None:
    playing().scheduler.sleep(int(seconds * 1000))


def _wait(self: patience.Patience, tried: int) -> None:
    _sleep(self.first_wait_s * 2 ** (tried - 1) * playing().rng.random())


def _call(client: BaseClient, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return playing().calls.make(client, operation, arguments)


def _with_lock(made: Callable[..., None]) -> Callable[..., None]:
    """All simulated threads are one real thread, which a real lock would let pass, or stop for ever."""

    def initialise(self: Any, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        self._lock = Lock()

    return initialise


def _with_chance(made: Callable[..., None]) -> Callable[..., None]:
    """Keys of tokens are drawn from the seed, too."""

    def initialise(self: Any, *given: Any) -> None:
        made(self, *given, playing().rng.randbytes)

    return initialise


def _uuid4() -> uuid.UUID:
    return uuid.UUID(int=playing().rng.getrandbits(128), version=4)


@contextmanager
def set_up(capture: Capture) -> Iterator[None]:
    """Put every substitute in its place, for any number of schedules."""
    clients = Clients("eu-central-1")
    # Made once: a client keeps nothing of one schedule, and making one takes longer than a schedule.
    _ = clients.dynamodb, clients.sqs, clients.s3, clients.step_functions
    pool: Callable[..., Any] = CooperativeThreads
    places: list[tuple[object, str, Any]] = [
        (BaseClient, "_make_api_call", _call),
        (time, "time", lambda: PLAYING.now_ns / 1e9),
        (time, "time_ns", lambda: PLAYING.now_ns),
        (time, "monotonic", lambda: PLAYING.now_ns / 1e9),
        (time, "sleep", _sleep),
        (uuid, "uuid4", _uuid4),
        # The account's door for botocore's connections: nobody comes that way here, and it takes two descriptors.
        (account, "Wire", lambda _: None),
        # It counts them one by one, and a container asks at each start.
        (gc, "get_freeze_count", lambda: 1),
        # Of a hundred, an end of them would be met by few schedules, and would fill those with nothing else.
        (limits, "MAX_FIFO_RECEIVES", 20),
        # A batch of several shards has hundreds of children; here, a handful.
        (limits, "CHILDREN_PER_SHARD", 3),
        # Bytes beyond a bound go the same way whatever the bound is.
        (limits, "MAX_ARGS_BYTES", LARGE_BYTES),
        (limits, "MAX_RESULT_BYTES", LARGE_BYTES),
        (bootstrap, "SystemRandom", WorldRandom),
        (bootstrap, "Clients", lambda *_, **__: clients),
        (patience.Patience, "wait", _wait),
        (patience, "ThreadPoolExecutor", pool),
        (crew, "ThreadPoolExecutor", pool),
        (crew, "wait", wait),
        (EventLoopThread, "start", lambda self, awaitable: Flight(awaitable)),
        (ThreadInterrupter, "__new__", lambda *_: Interrupter()),
        (lifeline.AttemptLifeline, "__post_init__", _with_lock(lifeline.AttemptLifeline.__post_init__)),
        (Batch, "__init__", _with_lock(Batch.__init__)),
        (AnswerTokens, "__init__", _with_chance(AnswerTokens.__init__)),
        (worker, "end_process", lambda _: playing().scheduler.crash()),
    ]
    patches = [patch.object(*place) for place in places]
    with redirect_stdout(capture):
        for one in patches:
            one.start()
        try:
            yield
        finally:
            for one in reversed(patches):
                one.stop()


@contextmanager
def play(world: World) -> Iterator[None]:
    """Let the substitutes ask `world`."""
    PLAYING.world = world
    try:
        yield
    finally:
        PLAYING.world = None
