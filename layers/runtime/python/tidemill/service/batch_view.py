"""A batch as people and programs look at it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidemill.domain.batch import Tally
from tidemill.domain.batch_record import BatchRecord, BatchState
from tidemill.service.view import timestamp


@dataclass(frozen=True, slots=True)
class BatchView:
    """A batch and its counts as of now.

    Attributes:
        batch: the record. `tally`: which children are over, and how.
    """

    batch: BatchRecord
    tally: Tally

    @property
    def batch_id(self) -> str:
        """The batch's id."""
        return self.batch.ref.id

    @property
    def state(self) -> BatchState:
        """Where it stands. Of `submitting`, `submitted` says how far it came."""
        return self.batch.state

    @property
    def is_over(self) -> bool:
        """Whether it has ended. A failed one can still succeed, if its dead children are redriven."""
        return self.batch.ended is not None

    @property
    def succeeded(self) -> int:
        """Children that succeeded."""
        return len(self.tally.succeeded)

    @property
    def failed(self) -> int:
        """Children that are dead or expired."""
        return len(self.tally.failed)

    @property
    def cancelled(self) -> int:
        """Children that were cancelled."""
        return len(self.tally.cancelled)

    @property
    def skipped(self) -> int:
        """Children that can't start as things stand: what they wait for did not succeed."""
        return len(self.batch.skipped(self.tally))

    @property
    def open(self) -> int:
        """Children of which nothing of that is true yet."""
        return self.batch.size - self.succeeded - self.failed - self.cancelled - self.skipped


def batch_document(view: BatchView) -> dict[str, Any]:
    """The batch as a JSON object. Times are RFC 3339 in UTC with milliseconds; what does not apply is None."""
    batch = view.batch
    return {
        "id": batch.ref.id,
        "tenant": batch.ref.tenant,
        "key": batch.key,
        "state": view.state.value,
        "total": batch.size,
        "submitted": batch.submitted,
        "succeeded": view.succeeded,
        "failed": view.failed,
        "cancelled": view.cancelled,
        "skipped": view.skipped,
        "open": view.open,
        "cancel_asked": batch.cancel_asked,
        "created_at": timestamp(batch.created_at),
        "ended_at": None if batch.ended is None else timestamp(batch.ended.at),
    }
