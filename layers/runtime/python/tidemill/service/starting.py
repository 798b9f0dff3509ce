"""Starting a batch: first the records, its own as the last, then its children; a repeat goes on where a call stopped.

A batch that the table knows and whose submitter is gone says how far it came. The ids of children follow from the
batch and their places, so that one that is submitted twice is one job.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, TypeGuard

from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Tally
from tidemill.domain.batch_errors import BatchUnfinishedError
from tidemill.domain.batch_record import BatchRecord
from tidemill.domain.errors import KeyConflictError, TidemillError, UnavailableError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.names import check_key, check_tenant
from tidemill.domain.ports import BatchStore, Parcel
from tidemill.service.batch_progress import BatchProgress
from tidemill.service.causing import current_cause
from tidemill.service.flow import Flow
from tidemill.service.nearness import is_near
from tidemill.service.planning import Plan, Planner
from tidemill.service.submission import Order
from tidemill.service.submitter import SubmitResult, Submitter

# How often a child is submitted whose answer was lost or that was throttled.
_TRIES: Final = 3


@dataclass(frozen=True, slots=True)
class Started:
    """What a caller of `start` gets back.

    Attributes:
        batch: the record as it stands. `created`: whether this call made it.
        jobs: its jobs, all levels together, without callbacks.
    """

    batch: BatchRecord
    created: bool
    jobs: int

    @property
    def batch_id(self) -> str:
        """The batch's id."""
        return self.batch.ref.id

    @property
    def is_near_limit(self) -> bool:
        """Whether it has 80 % of the jobs that a batch may have, or more: the next larger one may be refused."""
        return is_near(self.jobs, limits.MAX_BATCH_CHILDREN)


@dataclass(frozen=True, slots=True)
class Starter:
    """Starts batches."""

    batches: BatchStore
    submitter: Submitter
    progress: BatchProgress

    def start(self, flow: Flow, key: str | None, tenant: str) -> Started:
        """See JobClient.start."""
        check_tenant(tenant)
        now_ms, random = self.submitter.clock.now_ms(), self.submitter.random
        fresh_id = time_ordered_id(now_ms, random.getrandbits(74))
        ref = BatchRef(tenant, fresh_id) if key is None else BatchRef.keyed(tenant, check_key(key))
        cause = current_cause()
        inherit = None if cause is None else cause.inherited
        planner = Planner(self.submitter.registry, tenant, now_ms, random, inherit)
        plan = planner.plan(flow, ref, key)
        if cause is not None:
            cause.count(plan.jobs)
        first = self.batches.find_batches([ref])[0] if key is not None else None
        _refuse_another(plan, plan, first)
        if first is None:
            planner.refuse_overdue()
        # The outermost as the last: once it is there, what its children need is there, whatever becomes of this call.
        stands = [self._open(one, plan) for one in reversed([*plan.walk()])][::-1]
        for one, record in zip(plan.walk(), stands, strict=True):
            if record.check_at is not None and record.ended is None and not record.cancel_asked:
                self._submit(one, record)
        record = self.batches.find_batches([ref])[0] or stands[0]
        return Started(record, created=first is None and record.created_at == plan.record.created_at, jobs=plan.jobs)

    def _open(self, plan: Plan, whole: Plan) -> BatchRecord:
        """Write what the table holds for the batch, and then the batch, unless that is there already."""
        found = self.batches.find_batches([plan.record.ref])[0] if plan.record.key is not None else None
        if found is None and (kept := plan.kept):
            held = list(plan.callbacks.values())
            self._store_args([*held, *plan.orders.values()] if plan.record.kept else held)
            self.batches.keep_jobs(plan.record, kept)
        record = found or self.batches.open_batch(plan.record)
        _refuse_another(plan, whole, record)
        return record

    def _store_args(self, orders: Sequence[Order]) -> None:
        parcels = [
            Parcel(order.ref, order.envelope.stored.name, order.args)
            for order in orders
            if order.envelope.stored is not None
        ]
        for error in self.submitter.payloads.put_all(parcels) if parcels else ():
            if error is not None:
                raise error

    def _submit(self, plan: Plan, record: BatchRecord) -> None:
        if record.size == 0:
            self.progress.go_on(record, Tally(), frozenset())
        elif record.kept:
            # The table has all of it by now: what is not started here, the janitor starts.
            with suppress(UnavailableError):
                self.progress.begin(record)
        else:
            self._submit_children(plan, record)

    def _submit_children(self, plan: Plan, record: BatchRecord) -> None:
        # Nobody else can have submitted a child of a batch that this call made.
        known = record.created_at != plan.record.created_at
        for first in range(record.submitted, record.size, limits.BATCH_STEP):
            after = min(first + limits.BATCH_STEP, record.size)
            places = [index for index in range(first, after) if index in plan.orders]
            try:
                self._accept([replace(plan.orders[index], is_repeatable=known) for index in places])
                stands = self.batches.advance(record.ref, after)
            except UnavailableError as error:
                raise BatchUnfinishedError(record.ref.id, first, record.size, record.key, error.cause) from error
            if stands is None or stands.ended is not None or stands.cancel_asked:
                return

    def _accept(self, orders: Sequence[Order]) -> None:
        """Submit these, and those again that were not accepted. One that was cancelled before it came is no job.

        Raises:
            UnavailableError: some were not.
        """
        left = list(orders)
        for tried in range(_TRIES):
            results = self.submitter.accept(left) if left else []
            failed = [(order, one) for order, one in zip(left, results, strict=True) if _is_failure(one)]
            left = [replace(order, is_repeatable=True) for order, _ in failed]
            if not failed:
                return
            if tried == _TRIES - 1:
                raise failed[0][1]


def _is_failure(result: SubmitResult) -> TypeGuard[TidemillError]:
    """Whether a child was not accepted. The only other job that can have its id is the record of its cancel."""
    return isinstance(result, TidemillError) and not isinstance(result, KeyConflictError)


def _refuse_another(plan: Plan, whole: Plan, record: BatchRecord | None) -> None:
    """Raise KeyConflictError if the batch that is there belongs to another flow than `whole`."""
    if record is not None and record.fingerprint != plan.record.fingerprint:
        raise KeyConflictError(whole.record.key or whole.record.ref.id, whole.record.ref.id, batch=True)
