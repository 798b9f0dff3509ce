"""How long a fact takes from a commit to a subscriber's queue, on the local cloud: stream, relay and bus deployed.

    python -m bench.relayed        # two minutes, most of them for the deployment

Facts are committed one after the other, each when the one before it was heard. The clock runs from just before the
entries are made until the subscriber has the message: it includes the transaction itself and up to 20 ms of the
subscriber's own polling.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from os import environ, getloadavg
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch
from uuid import uuid4

from tests.e2e.ground import APPLICATION, Ground
from tests.e2e.heard import Heard
from tidemill.events import Publication
from tidemill.local import LocalCloud

FACTS = 50
_POLL_S = 0.02
_PATIENCE_S = 120


@dataclass(frozen=True, slots=True)
class RelayFigures:
    """Seconds from the commit to the queue. `first`: of the fact for which the relay's first process has to start."""

    first: float
    others: tuple[float, ...]

    @property
    def median(self) -> float:
        """Of all but the first."""
        return statistics.median(self.others)


def measure_relay(facts: int = FACTS) -> RelayFigures:
    """Deploy the trials of `tests/e2e` into a cloud of its own, and commit facts there."""
    sys.path.append(str(APPLICATION / "functions"))
    from trials import registry

    with TemporaryDirectory() as state, LocalCloud.started(Path.cwd(), state=Path(state) / "cloud") as cloud:
        trials = Path(state) / "trials"
        trials.mkdir()
        with patch.dict(environ, cloud.env):
            ground = Ground.deployed(cloud, trials, registry)
            heard = Heard(ground)
            first, *others = [_one(ground, heard) for _ in range(facts + 1)]
    return RelayFigures(first, tuple(others))


def _one(ground: Ground, heard: Heard) -> float:
    from trials.telling import Told

    name = uuid4().hex
    told = Told(name=name, at_ms=int(time.time() * 1000))
    items = ground.client.transact_items(Publication(told, subject=f"trial/{name}"))
    ground.program.clients.dynamodb.transact_write_items(TransactItems=items)
    (fact_id,) = items.ids
    deadline = time.monotonic() + _PATIENCE_S
    while fact_id not in heard.took_s:
        if time.monotonic() > deadline:
            raise TimeoutError(f"fact {fact_id} was not heard within {_PATIENCE_S} s")
        time.sleep(_POLL_S)
        heard.listen()
    return heard.took_s[fact_id]


if __name__ == "__main__":
    load = getloadavg()[0]
    figures = measure_relay()
    ordered = sorted(figures.others)
    print(
        f"from a commit to a subscriber's queue, {len(ordered)} facts: median {figures.median:.2f} s, "
        f"90 % within {ordered[int(len(ordered) * 0.9) - 1]:.2f} s, slowest {ordered[-1]:.2f} s; "
        f"the first, with a cold relay, {figures.first:.2f} s (load of the machine before: {load:.1f})"
    )
