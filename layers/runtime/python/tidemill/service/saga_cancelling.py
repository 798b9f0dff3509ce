"""Cancelling a saga: one conditional write decides whether its pivot was first.

The record of the pivot's job is written as over before the job comes. If that is refused, the job is there, and the
saga goes on. Everything else only makes it sooner: the machine would come to the pivot, meet a job that is over, and
turn back by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from tidemill.domain.closing import SAGA_CANCELLED, SAGA_OVER, Move, Wait, closing
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errand import saga_job_id
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Clock, JobStore, Refused, Unwritten, Written
from tidemill.domain.saga.declaring import Step
from tidemill.domain.saga.saga import Saga
from tidemill.domain.saga.words import Role
from tidemill.domain.saga_errors import SagaStateError
from tidemill.domain.tombstone import tombstone
from tidemill.service.errands import Errands

# What happens to jobs of other steps: they don't start any more, or are asked to stop.
_GENTLE: Final = frozenset({Verb.CANCEL, Verb.ASK_CANCEL})


@dataclass(frozen=True, slots=True)
class SagaCanceller:
    """Cancels sagas."""

    store: JobStore
    errands: Errands
    clock: Clock

    def cancel(self, saga: Saga, saga_id: str, tenant: str) -> None:
        """Let the saga turn back, unless it is past its point of no return.

        Raises:
            SagaStateError: it is.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        point = saga.point_of_no_return
        standing = self._bury(point, saga_id, tenant)
        if standing is not None and not _turns_back(standing):
            raise SagaStateError("cancelled", saga_id, "past its point of no return", _what_is_left(point))
        others = [one for one in saga if one is not point and not saga.is_retried(one)]
        ended = [job for one in others if (job := self._stop(one, saga_id, tenant)) is not None]
        # The message of one that waited in the table never comes. Where this fails, the state's timeout is left.
        self.errands.tell(ended)

    def _bury(self, one: Step, saga_id: str, tenant: str) -> Job | None:
        """Write the job of a step as over, before it comes; the job that is there already, if one is."""
        ref = JobRef(tenant, saga_job_id(saga_id, one.name, Role.STEP))
        now_ms = self.clock.now_ms()
        fresh = tombstone(ref, one.job.kind, one.job.lane, SAGA_CANCELLED, now_ms, self._keep_until(now_ms))
        answer = self.store.insert([fresh])[0]
        match answer:
            case Written():
                return None
            case Unwritten(error=error):
                raise error
            case Refused(job=Job() as job):
                return job
            case Refused():
                raise UnavailableError("cancel", "the record of the step's job can't be read")

    def _stop(self, one: Step, saga_id: str, tenant: str) -> Job | None:
        """Stop the job of a step that comes before; the job if it is over by this."""
        job = self._bury(one, saga_id, tenant)
        if job is None:
            return None
        now_ms = self.clock.now_ms()
        end = closing(job, now_ms, self._keep_until(now_ms))
        move = end.ask if isinstance(end, Wait) else end
        if not isinstance(move, Move) or move.verb not in _GENTLE:
            return None
        after = move.after
        if move.verb is Verb.CANCEL:
            after = replace(after, reason=SAGA_CANCELLED)
        # One that moved meanwhile comes to its end, and is undone.
        answer = self.store.move(move.verb, job, after)
        return answer.job if isinstance(answer, Written) and answer.job.state.is_final else None

    def _keep_until(self, now_ms: int) -> int:
        return now_ms + milliseconds(Retention().result)


def _turns_back(point: Job) -> bool:
    """Whether the saga is on its way back already."""
    return point.reason in (SAGA_CANCELLED, SAGA_OVER) or (point.state.is_final and point.state is not State.SUCCEEDED)


def _what_is_left(point: Step) -> str:
    """What still becomes of a saga whose point of no return was begun."""
    if point.pivot:
        return f"step {point.name!r} was begun, from where the saga is carried to its end"
    return f"step {point.name!r}, the last that always runs, was begun; if it fails, the saga is undone"
