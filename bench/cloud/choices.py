"""What AWS leaves open, for whoever simulates to decide; by default AWS is at its kindest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.cloud.queue import Message


@dataclass(slots=True)
class Choices:
    """Callables that the fake asks; None takes the kind way. Set them at any time.

    Attributes:
        refuse_entry: asked with the operation and the entry's number for every entry of a batch; a code refuses
            this entry alone, under HTTP 200: `Failed` of SQS, `UnprocessedItems` and `UnprocessedKeys` whatever
            the code, `Error.Code` of a PartiQL statement, `ErrorCode` of PutEvents. Nothing of the entry takes effect.
        index_lag_ms: asked with the index's name for every change of an index; the milliseconds until queries of
            the index see it. Changes of one entry stay in order.
        stale_read: asked with the key for every read that is not consistent; True answers the item as it was
            before its last write.
        order: which of the visible messages of a standard queue come first; given in the order of their send.
        old_receipt_works: whether a standard queue still takes a receipt handle that is not a message's last.
    """

    refuse_entry: Callable[[str, int], str | None] | None = None
    index_lag_ms: Callable[[str], int] | None = None
    stale_read: Callable[[tuple[object, ...]], bool] | None = None
    order: Callable[[list[Message]], list[Message]] | None = None
    old_receipt_works: Callable[[], bool] | None = None

    def refusal(self, operation: str, index: int) -> str | None:
        """The code for one entry of a batch, None if it goes through."""
        return None if self.refuse_entry is None else self.refuse_entry(operation, index)
