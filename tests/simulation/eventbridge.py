"""EventBridge: Scheduler sends the ticks of schedules that code declares, and the rules of the bus send facts."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from tests.simulation.cloud import queue_of, queue_url
from tests.simulation.jobs.behaviour import LANE
from tests.simulation.jobs.hearing import KINDS
from tests.simulation.jobs.ticking import FIRES, declared
from tests.simulation.target import Target
from tests.simulation.watchers.fires import Fires
from tests.simulation.watchers.hearings import Hearings
from tidemill.domain.fact import Fact
from tidemill.domain.tick import SCHEDULED_TIME, tick_message
from tidemill.testing.subscribing import message_text

if TYPE_CHECKING:
    from tests.simulation.world import World


class Eventbridge:
    """The schedule of the world's code."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fires = world.part(Fires)
        self._target = Target(world, _url_of(world))
        # Those of the deployment before it and of the current one, whose schedule has other arguments.
        self._texts = [tick_message(*declared(mark)) for mark in (1, 2)]

    def fire(self, at_ms: int) -> None:
        """A time of the schedule comes."""
        at_ms -= at_ms % 1_000
        self._fires.due[at_ms] = f"{FIRES}@{at_ms}"
        self._target.send(at_ms, partial(self._text, at_ms), at_ms)

    def _text(self, at_ms: int) -> str:
        """The message as Scheduler writes it; after a deployment it has other arguments."""
        at = datetime.fromtimestamp(at_ms / 1_000, UTC)
        return self._world.rng.choice(self._texts).replace(SCHEDULED_TIME, f"{at:%Y-%m-%dT%H:%M:%SZ}")


class Rules:
    """The rules of the bus: they send each fact to all who hear of it, and again in a replay to those who are named."""

    def __init__(self, world: World) -> None:
        self._hearings = world.part(Hearings)
        # What a lane in order hears comes by the standard one.
        self._target = Target(world, _url_of(world))
        self._published: list[Fact] = []

    def publish(self, at_ms: int, fact: Fact) -> None:
        """A fact is put on the bus."""
        self._published.append(fact)
        for kind in KINDS:
            self._send(at_ms, fact, kind, "")

    def replay(self, at_ms: int, kinds: tuple[str, ...], name: str) -> None:
        """Send all that was ever to be published to these kinds, once more, in no order."""
        for fact in self._published:
            for kind in kinds:
                self._send(at_ms, fact, kind, name)

    def _send(self, at_ms: int, fact: Fact, kind: str, replay: str) -> None:
        self._hearings.expect(fact, kind, replay)
        text = message_text(kind, fact.text("/tidemill/simulation"), replay)
        self._target.send(at_ms, lambda: text, (kind, fact.id, replay))


def _url_of(world: World) -> str:
    return queue_url(queue_of(world.deployment.registry.lanes[LANE]))
