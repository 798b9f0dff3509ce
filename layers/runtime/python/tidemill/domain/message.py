"""What SQS hands to a worker, without SQS's own words for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Held:
    """One physical send of a message: the sender's id for it, and when SQS took it (Unix ms).

    A redrive keeps the id and gets a later time; a second send has another id.
    """

    send_id: str
    sent_at: int

    def is_redrive_of(self, earlier: Held) -> bool:
        """Whether this is the `earlier` send, put back on the queue from the DLQ."""
        return self.send_id == earlier.send_id and self.sent_at > earlier.sent_at


@dataclass(frozen=True, slots=True)
class Delivery:
    """One receive of one message.

    Attributes:
        message_id: SQS's id of the message; a redrive changes it.
        receipt: what names this receive when its visibility is changed.
        body: the exact text that was sent.
        sent_at: when SQS took the message, Unix milliseconds.
        receives: how often SQS has handed it out, this time included.
    """

    message_id: str
    receipt: str
    body: str
    sent_at: int
    receives: int
