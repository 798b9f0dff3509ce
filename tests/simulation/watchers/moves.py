"""What must hold of jobs that are moved (I26): none starts before the latest time that it was moved to.

Who moves a job knows when they asked and when they were answered. Of moves that went on at the same time, or were never
answered, nobody knows which was the last: the earliest of their times counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.simulation.watchers.invariants import Violation

if TYPE_CHECKING:
    from tests.simulation.world import World

# Two clocks that are each 30 s wrong, and a request on its way.
_SLACK_MS = 2 * 30_000 + 5_000


@dataclass
class Move:
    """One request to move a job.

    Attributes:
        began, ended: places in one order of all such moments; not ended means not answered.
        generation: that of the job when it was answered. `is_doubtful`: a worker held the job before the answer.
    """

    job: str
    due_ms: int
    began: int
    ended: int | None = None
    generation: int = 0
    is_doubtful: bool = False


class Moves:
    """Watches the claims of jobs that were moved."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._moves: list[Move] = []

    def begin(self, job: str, due_ms: int) -> Move:
        """Somebody asks for it."""
        move = Move(job, due_ms, self._world.next_number())
        self._moves.append(move)
        return move

    def accept(self, move: Move, generation: int) -> None:
        """They were told that it is so. If a worker held the job meanwhile, nobody knows whether before or after."""
        if not move.is_doubtful:
            move.ended, move.generation = self._world.next_number(), generation

    def refuse(self, move: Move) -> None:
        """They were told that it is not."""
        self._moves.remove(move)

    def claimed(self, job: str, generation: int, now_ms: int) -> None:
        """A worker holds the job: it was its time, and earlier moves do not matter any more."""
        mine = [move for move in self._moves if move.job == job]
        accepted = [move for move in mine if move.ended is not None and move.generation == generation]
        if accepted:
            last = max(move.began for move in accepted)
            # Whatever ended before the last one began is over; what is without an answer may be written by now.
            counting = [move for move in mine if move.ended is None or move.ended >= last]
            due_ms = min(move.due_ms for move in counting)
            if now_ms + _SLACK_MS < due_ms:
                raise Violation("I26", f"{job} starts {due_ms - now_ms} ms before the time that it was moved to")
        for move in mine:
            move.is_doubtful = True
        self._moves = [move for move in self._moves if move.job != job or move.ended is None]
