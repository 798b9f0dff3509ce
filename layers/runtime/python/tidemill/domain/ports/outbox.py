"""The outbox and the bus."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef

if TYPE_CHECKING:
    # No worker imports it that commits nothing.
    from tidemill.domain.outbox import Outbound, OutboundFact, OutboundJob


@dataclass(frozen=True, slots=True)
class OutboxPage:
    """A part of one shard: what could be read, the names of what could not, and where to go on (None: at the end)."""

    outbounds: tuple[Outbound, ...]
    damaged: tuple[str, ...] = ()
    cursor: str | None = None


class Outbox(Protocol):
    """What was committed and is not sent yet. `JobStore.conclude` and callers' own transactions write it."""

    def actions(self, outbounds: Sequence[Outbound]) -> list[dict[str, Any]]:
        """The entries of TransactWriteItems that write these, in the form of the low-level client. Writes nothing."""

    def find(self, ref: JobRef) -> OutboundJob | None:
        """A submit of this job that stands there; the earliest by its name if there are several.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def standing(self, outbounds: Sequence[Outbound]) -> list[bool]:
        """Which of these still stand there.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def remove(self, outbounds: Sequence[Outbound]) -> list[UnavailableError | None]:
        """Take these out, which were sent: None where that is done. One that is gone is done."""

    def page(self, shard: int, limit: int, cursor: str | None) -> OutboxPage:
        """What stands in one shard, at most `limit` of it, by name.

        Raises:
            UnavailableError: AWS did not answer.
        """


class EventBus(Protocol):
    """Where facts are published."""

    def publish(self, facts: Sequence[OutboundFact]) -> list[UnavailableError | None]:
        """Publish each fact; None where the bus has it. One whose answer was lost counts as failed."""
