"""The lanes' queues and DLQs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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


class DeadLetterQueue(Protocol):
    """The DLQs of all lanes."""

    def depth(self, lane: str) -> int:
        """About how many messages are in the lane's DLQ."""

    def peek(self, lane: str, limit: int) -> list[Delivery]:
        """Up to `limit` messages, which stay where they are and visible."""

    def move(self, lane: str, chosen: Callable[[Delivery], bool], limit: int, search: int) -> list[Delivery]:
        """Look through up to `search` messages and put up to `limit` chosen ones back into the lane's queue.

        Byte for byte, sent before deleted. Answers those that were moved; the others stay.
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
