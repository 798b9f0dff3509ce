"""When a story has come to its end: nobody is left to call but the janitor, who looks once and finds nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.simulation.watchers.invariants import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World


class Rest:
    """Says when the trouble of a schedule may end before its time.

    At rest, nothing happens any more but the janitor's minutes. The first of them is always played, so that faults at
    its calls belong to the story. It has to leave everything as it was: each later one would be the same one again.

    Arguments:
        is_asked: whether anybody wants to know. Otherwise the trouble takes its time.
    """

    def __init__(self, world: World, *, is_asked: bool) -> None:
        self._world = world
        self._is_asked = is_asked
        self._before: tuple[Any, ...] | None = None

    def wants_look(self) -> bool:
        """Whether a minute of the janitor is to be played although it will find nothing."""
        return self._is_asked and self._before is None and self._world.is_at_rest()

    def begin_look(self) -> None:
        """The janitor begins."""
        if self.wants_look():
            self._before = self._state()

    def is_over(self) -> bool:
        """Whether the janitor has looked at a world at rest, and ended.

        Raises:
            Violation: it changed something.
        """
        if self._before is None or not self._world.is_at_rest():
            return False
        if self._state() != self._before:
            raise Violation("I20", "everything was at rest, and the janitor changed something")
        return True

    def _state(self) -> tuple[Any, ...]:
        cloud = self._world.cloud
        return dict(cloud.items), dict(cloud.objects), [(message.id, message.body) for message in cloud.buried()]
