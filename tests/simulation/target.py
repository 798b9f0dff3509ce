"""A queue as the target of EventBridge, from where messages come late, twice, or not before somebody helps.

What SQS does not take is sent again with growing waits; what it takes and does not say so, too. What is given up lies
in a DLQ, from where somebody sends it to its lane by hand, as docs/schedules.md says.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from tests.simulation.faults import Fault

if TYPE_CHECKING:
    from tests.simulation.world import World

_UNSENT: Final = (Fault.THROTTLE, Fault.ERROR, Fault.UNSENT)
_SENT: Final = (Fault.ERROR_AFTER, Fault.ACK_LOST)
# It sends within the minute; sometimes it does not.
_LATE_MS: Final = (600_000, 1_200_000)
_AGAIN_MS: Final = (1, 900, 30_000, 400_000)


class Target:
    """One queue.

    Attributes:
        given_up: how many messages came into the DLQ.
    """

    def __init__(self, world: World, url: str) -> None:
        self._world = world
        self._url = url
        self.given_up = 0

    def send(self, at_ms: int, body: Callable[[], str], what: object) -> None:
        """Send a message from `at_ms` on. `body`: its text, asked for each time. `what`: it is, for the story."""
        rng = self._world.rng
        late = rng.choice(_LATE_MS) if rng.random() < 0.1 else rng.randrange(60_000)
        tries = rng.choice((1, 2, 5))
        deliver = partial(self._deliver, body, what)
        self._world.later(at_ms + late, partial(self._try, deliver, tries, 1_000, what))
        if rng.random() < 0.3:
            self._world.later(at_ms + late + rng.choice(_AGAIN_MS), deliver)

    def _try(self, deliver: Callable[[], None], tries: int, wait_ms: int, what: object) -> None:
        world = self._world
        fault = world.faults.at_call("SendMessage")
        if fault not in _UNSENT:
            deliver()
        if fault not in _UNSENT and fault not in _SENT:
            return
        world.strike(fault)
        if tries > 1:
            again = partial(self._try, deliver, tries - 1, wait_ms * 10, what)
            world.later(world.scheduler.now_ms + wait_ms, again)
            return
        self.given_up += 1
        world.tell("given up", what)
        for _ in range(world.rng.choice((1, 1, 2))):
            world.later(world.scheduler.now_ms + world.rng.choice(_LATE_MS), deliver)

    def _deliver(self, body: Callable[[], str], what: object) -> None:
        self._world.cloud.call("sqs", "SendMessage", {"QueueUrl": self._url, "MessageBody": body()})
        self._world.tell("sent", what)
        self._world.poke()
