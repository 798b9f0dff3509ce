"""The gate of a compensation: first the job of its step is made final, whatever it does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tidemill.domain import limits
from tidemill.domain.closing import SAGA_OVER, Closed, Wait, began, closing
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errand import Errand
from tidemill.domain.errors import IntegrityError, PayloadGoneError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Attempt, Returned, Untouched
from tidemill.domain.ports import Answer, Clock, JobStore, Refused, Unwritten, Written
from tidemill.domain.saga.words import Role
from tidemill.domain.tombstone import tombstone
from tidemill.domain.undone import Undone
from tidemill.service.errands import Errands

# A job moves a few times in its life; each refusal means that it moved in between.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class StepCloser:
    """Makes the jobs of steps final."""

    store: JobStore
    errands: Errands | None
    clock: Clock

    def gate(self, job: Job, errand: Errand | None) -> Undone | Attempt | None:
        """What a job of a saga is told of the step that it undoes, or how its attempt ends before it begins.

        None: it undoes nothing. A compensation of what never began has nothing to do, and is done.
        """
        if errand is None or errand.role is Role.STEP:
            return None
        if self.errands is None:
            # Code that knows the saga is on its way, or comes back.
            return Untouched("saga_unknown", limits.MAX_PAYLOAD_WAIT)
        ref = JobRef(job.ref.tenant, errand.step_job_id())
        try:
            step = self._closed(ref, errand, job.lane)
            if isinstance(step, Untouched):
                return step
            if errand.role is Role.CLOSE or not (began(step) or errand.was_done):
                return Returned(None)
            return _undone(step, errand, self.errands)
        except UnavailableError:
            return Untouched("step_unavailable", limits.SHORT_HOLD)

    def _closed(self, ref: JobRef, errand: Errand, lane: str) -> Job | Untouched:
        """The record of the step's job, which is over, or how long it is to be waited for."""
        now_ms = self.clock.now_ms()
        keep_until = now_ms + milliseconds(Retention().result)
        fresh = tombstone(ref, errand.undoes or errand.step, lane, SAGA_OVER, now_ms, keep_until)
        job = _standing(self.store.insert([fresh])[0])
        for _ in range(_TRIES):
            if job is None:
                break
            end = closing(job, now_ms, keep_until)
            if isinstance(end, Closed):
                return job
            move = end.ask if isinstance(end, Wait) else end
            if isinstance(end, Wait):
                if move is not None:
                    self.store.move(move.verb, job, move.after)
                wait = timedelta(milliseconds=max(end.until - now_ms, 0)) + limits.SHORT_HOLD
                return Untouched("step_runs", wait)
            job = _standing(self.store.move(end.verb, job, end.after))
        return Untouched("step_moves", limits.SHORT_HOLD)


def _undone(step: Job, errand: Errand, errands: Errands) -> Undone:
    is_known = step.state is State.SUCCEEDED
    result = None
    with suppress(PayloadGoneError, IntegrityError):
        result = errands.result_of(step) if is_known else None
    return Undone(errand.step, step.ref.id, is_known or errand.was_done, result)


def _standing(answer: Answer) -> Job | None:
    """The record as it is now."""
    match answer:
        case Written(job=job) | Refused(job=job):
            return job
        case Unwritten(error=error):
            raise error
