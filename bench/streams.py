"""What loading a stream of 10,000 events costs in CPU: with snapshots, and from its first fact on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from os import environ
from unittest.mock import patch

from pydantic import BaseModel, ConfigDict

from bench.cloud.account import EVENTS_TABLE, Account, events_table
from bench.environment import environment

FACTS = 10_000
# Of them, behind the newest snapshot.
BEHIND = 90
# Loads of one measurement, so that a pause of the machine is no result.
LOADS = 20


@dataclass(frozen=True, slots=True)
class LoadFigures:
    """CPU of one load, in milliseconds, the emulated service's own left out."""

    with_snapshots: float
    without: float


def measure_loads() -> LoadFigures:
    """Append the events, and load the stream both ways."""
    account = Account(tables=[events_table()])
    with patch.dict(environ, environment()), account.wire.connected():
        # The package is imported inside the environment, as Lambda does it.
        from tidemill.aws.clients import Clients
        from tidemill.aws.events import DynamoEvents
        from tidemill.entrypoints.bootstrap import SystemClock
        from tidemill.streams import Event, Stream, Streams

        class Moved(Event, type="account.moved"):
            cents: int
            note: str

        class State(BaseModel):
            model_config = ConfigDict(frozen=True)

            cents: int = 0

        def apply(state: State, event: Moved) -> State:
            return State(cents=state.cents + event.cents)

        def declared(every: int) -> Stream[State]:
            return Stream("account", events=[Moved], start=State(), apply=apply, snapshot_every=every)

        from random import Random

        streams = Streams(DynamoEvents(Clients().dynamodb, EVENTS_TABLE), SystemClock(), Random(1))  # noqa: S311 - ids of a bench
        kept, plain = declared(100), declared(0)
        loaded = streams.load(kept, "7")
        # The snapshots come at 110, 210 and so on, so that a load has nearly as many facts to read behind the last one
        # as it ever has.
        for size in (30, *[20] * ((FACTS - 40) // 20), 10):
            loaded = streams.append(loaded, *[Moved(cents=1, note="x" * 100)] * size)

        def cpu(stream: Stream[State], loads: int) -> float:
            began, away = time.process_time_ns(), account.wire.cpu_ns
            for _ in range(loads):
                found = streams.load(stream, "7")
                assert (found.version, found.state.cents) == (FACTS, FACTS)
                assert found.snapshot == (FACTS - BEHIND if stream.snapshot_every else 0)
            return (time.process_time_ns() - began - (account.wire.cpu_ns - away)) / loads / 1e6

        return LoadFigures(cpu(kept, LOADS), cpu(plain, 1))


if __name__ == "__main__":
    figures = measure_loads()
    print(
        f"load of {FACTS:,} events, CPU: {figures.with_snapshots:.1f} ms with snapshots ({BEHIND} events behind the "
        f"newest), {figures.without:.0f} without"
    )
