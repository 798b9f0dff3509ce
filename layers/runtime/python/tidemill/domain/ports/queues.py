"""The lanes' queues and DLQs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import UnavailableError
from tidemill.domain.message import Delivery


@dataclass(frozen=True, slots=True)
class Send:
    """One physical send: an envelope and its delay in whole seconds (0 to 900)."""

    envelope: Envelope
    delay_s: int = 0


class JobQueue(Protocol):
    """The queues of all lanes."""

    def send(self, lane: str, sends: Sequence[Send]) -> list[UnavailableError | None]:
        """Send each envelope; None where SQS has it. A send whose answer was lost counts as failed."""

    def hide(self, lane: str, holds: Sequence[tuple[str, int]]) -> None:
        """Set the visibility of each (receipt, seconds).

        A failure is harmless, because the queue's own visibility timeout stays; nothing is raised.
        """

    def delete(self, lane: str, receipts: Sequence[str]) -> None:
        """Delete the messages of these receipts.

        A failure is harmless, because a message whose job is over does nothing; nothing is raised.
        """

    def has_lane(self, lane: str) -> bool:
        """Whether there is such a lane. Every other method takes the names of lanes that there are.

        A record keeps the name of its lane for longer than a deployment may keep the lane.
        """

    def keeps_order(self, lane: str) -> bool:
        """Whether the lane is FIFO, so that its jobs can't be late."""


class DeadLetterQueue(Protocol):
    """The DLQs of all lanes.

    A walk through the DLQ of a FIFO lane meets the first messages of an entity, ten at the most, and the next only
    when those are gone: SQS hands out nothing of a group while it waits for messages of it that it has handed out.
    """

    def depth(self, lane: str) -> int:
        """About how many messages are in the lane's DLQ."""

    def peek(self, lane: str, limit: int) -> list[Delivery]:
        """Up to `limit` messages, which stay where they are and visible."""

    def move(
        self, lane: str, chosen: Callable[[Delivery], bool], step: Callable[[], int], search: int
    ) -> Iterator[list[Delivery]]:
        """Put the chosen of up to `search` messages back into the lane's queue, in one walk, step by step.

        Byte for byte, sent before deleted. Each item is what one step moved, and nothing happens before it is asked
        for; the others stay. `chosen` is asked again about one that a step had no room for.

        Arguments:
            step: asked before each step: how many may go now. It may wait for that. 0 ends the walk.
        """

    def purge(self, lane: str, chosen: Callable[[Delivery], bool], limit: int, search: int) -> list[Delivery]:
        """Look through up to `search` messages and delete up to `limit` chosen ones for good; answers those."""

    def start_move(self, lane: str, rate: int | None) -> bool:
        """Let the queues themselves put every message of the DLQ back into the lane's queue, byte for byte.

        At most `rate` messages a second; None leaves it to them. It goes on after this returned.
        False where they can't: nothing was begun.

        Raises:
            UnavailableError: AWS did not answer, or another such move is under way.
        """
