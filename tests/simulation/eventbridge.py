"""EventBridge Scheduler: it sends the ticks of schedules that code declares, late, twice, again and again.

What SQS does not take is sent again with growing waits; what it takes and does not say so, too. What is given up lies
in a DLQ, from where somebody sends it to its lane by hand, as docs/schedules.md says.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.simulation.cloud import queue_of, queue_url
from tests.simulation.faults import Fault
from tests.simulation.jobs.behaviour import LANE
from tests.simulation.jobs.ticking import FIRES, declared
from tests.simulation.watchers.fires import Fires
from tidemill.domain.tick import SCHEDULED_TIME, tick_message

if TYPE_CHECKING:
    from tests.simulation.world import World

_UNSENT: Final = (Fault.THROTTLE, Fault.ERROR, Fault.UNSENT)
_SENT: Final = (Fault.ERROR_AFTER, Fault.ACK_LOST)
# It fires within the minute; sometimes it does not.
_LATE_MS: Final = (600_000, 1_200_000)
_AGAIN_MS: Final = (1, 900, 30_000, 400_000)


class Eventbridge:
    """The schedule of the world's code. `given_up`: how many ticks came into the DLQ."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._fires = world.part(Fires)
        self.given_up = 0
        lane = world.deployment.registry.lanes[LANE]
        self._url = queue_url(queue_of(lane))
        # Those of the deployment before it and of the current one, whose schedule has other arguments.
        self._texts = [tick_message(*declared(mark)) for mark in (1, 2)]

    def fire(self, at_ms: int) -> None:
        """A time of the schedule comes."""
        rng = self._world.rng
        at_ms -= at_ms % 1_000
        late = rng.choice(_LATE_MS) if rng.random() < 0.1 else rng.randrange(60_000)
        self._fires.due[at_ms] = f"{FIRES}@{at_ms}"
        tries = rng.choice((1, 2, 5))
        self._world.later(at_ms + late, partial(self._try, at_ms, tries, 1_000))
        if rng.random() < 0.3:
            self._world.later(at_ms + late + rng.choice(_AGAIN_MS), partial(self._deliver, at_ms))

    def _try(self, at_ms: int, tries: int, wait_ms: int) -> None:
        world = self._world
        fault = world.faults.at_call("SendMessage")
        if fault not in _UNSENT:
            self._deliver(at_ms)
        if fault not in _UNSENT and fault not in _SENT:
            return
        world.strike(fault)
        if tries > 1:
            world.later(world.scheduler.now_ms + wait_ms, partial(self._try, at_ms, tries - 1, wait_ms * 10))
            return
        self.given_up += 1
        world.tell("given up", at_ms)
        for _ in range(world.rng.choice((1, 1, 2))):
            world.later(world.scheduler.now_ms + world.rng.choice(_LATE_MS), partial(self._deliver, at_ms))

    def _deliver(self, at_ms: int) -> None:
        """The message as Scheduler writes it; after a deployment it has other arguments."""
        at = datetime.fromtimestamp(at_ms / 1_000, UTC)
        body = self._world.rng.choice(self._texts).replace(SCHEDULED_TIME, f"{at:%Y-%m-%dT%H:%M:%SZ}")
        self._world.cloud.call("sqs", "SendMessage", {"QueueUrl": self._url, "MessageBody": body})
        self._world.tell("tick sent", at_ms)
        self._world.poke()
