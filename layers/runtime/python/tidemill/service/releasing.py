"""Starting the jobs that the table holds for a batch, when it is their turn."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from tidemill.domain import limits
from tidemill.domain.batch import ON_FAILURE, THEN, Tally
from tidemill.domain.batch_ended import told
from tidemill.domain.batch_record import BatchRecord, BatchState, Kept
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.graph import ready
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.payload import checked_in
from tidemill.domain.ports import BatchStore
from tidemill.service.submission import Order
from tidemill.service.submitter import Submitter


@dataclass(frozen=True, slots=True)
class Releaser:
    """Submits kept jobs. Each has one id, so that however often it is released, it is one job."""

    batches: BatchStore
    submitter: Submitter

    def release(self, record: BatchRecord, indexes: Sequence[int]) -> list[BatchRecord]:
        """Start these children of the batch: jobs are submitted, batches begun.

        Answers the batches without children among them and within them: nothing else than the caller ends those.

        Raises:
            UnavailableError: not all of them were; the call may be repeated.
        """
        jobs = [index for index in indexes if index not in record.inner]
        self._submit(record, [str(index) for index in jobs])
        empty: list[BatchRecord] = []
        for inner in self.batches.find_batches([record.ref.inner(index) for index in indexes if index in record.inner]):
            if inner is None:
                # Its submitter has not come so far.
                raise UnavailableError("release", "NotOpened")
            empty += self.begin(inner)
        return empty

    def begin(self, record: BatchRecord) -> list[BatchRecord]:
        """Start what need not wait of a batch whose children the table holds; answers as `release` does.

        Raises:
            UnavailableError: not all of it was started; the call may be repeated, and goes on from there.
        """
        if record.ended is not None or record.cancel_asked or (record.submitted == record.size and record.size):
            return []
        if not record.size:
            # If the caller does not come to its end, the janitor does with its next run.
            stands = self.batches.advance(record.ref, 0, self.submitter.clock.now_ms())
            return [] if stands is None else [stands]
        if record.edges:
            empty = self.release(record, ready(record.edges, Tally()))
            self._advance(record, record.size)
            return empty
        empty = []
        for first in range(record.submitted, record.size, limits.MAX_PAGE):
            after = min(first + limits.MAX_PAGE, record.size)
            empty += self.release(record, range(first, after))
            if not self._advance(record, after):
                break
        return empty

    def call_back(self, record: BatchRecord) -> None:
        """Submit the callback that belongs to how the batch ended, if it has one.

        Raises:
            UnavailableError: it was not accepted.
        """
        if record.ended is None:
            return
        succeeded = record.ended.state is BatchState.SUCCEEDED
        if record.then if succeeded else record.on_failure:
            self._submit(record, [THEN if succeeded else ON_FAILURE])

    def _advance(self, record: BatchRecord, submitted: int) -> bool:
        now_ms = self.submitter.clock.now_ms()
        stands = self.batches.advance(record.ref, submitted, record.next_check(now_ms) or now_ms)
        return stands is not None and stands.ended is None and not stands.cancel_asked

    def _submit(self, record: BatchRecord, names: Sequence[str]) -> None:
        kept = self.batches.kept_jobs(record, names) if names else []
        orders = [self._order(record, one) for one in kept if one is not None]
        if len(orders) < len(names):
            raise UnavailableError("release", "NotKept")
        for result in self.submitter.accept(orders) if orders else ():
            # Any other error means that the job is there.
            if isinstance(result, UnavailableError):
                raise result

    def _order(self, record: BatchRecord, kept: Kept) -> Order:
        now_ms = self.submitter.clock.now_ms()
        try:
            args = self._args_of(record, kept)
        except UnavailableError:
            raise
        except TidemillError as error:
            # The bytes are gone, or were changed: the janitor tries again, in case that somebody puts them back.
            raise UnavailableError("release", error.code) from error
        inline, stored = checked_in(args)
        due_ms = max(now_ms + kept.delay_ms, kept.due_at)
        envelope = replace(
            kept.envelope,
            send_id=time_ordered_id(now_ms, self.submitter.random.getrandbits(74)),
            args=inline,
            stored=stored,
            fingerprint=fingerprint_of(args),
            submitted_at=now_ms,
            not_before=due_ms if due_ms > now_ms else None,
            expires_at=None if kept.lasts_ms is None else now_ms + kept.lasts_ms,
        )
        return Order(envelope, kept.lane, due_ms, is_repeatable=True, args=args)

    def _args_of(self, record: BatchRecord, kept: Kept) -> bytes:
        stored = kept.envelope.stored
        args = kept.envelope.args if stored is None else self.submitter.payloads.get(kept.envelope.ref, stored)
        return told(args, record, record.ended) if kept.wants_ending and record.ended is not None else args
