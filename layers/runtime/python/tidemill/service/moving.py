"""Moving a job that waits to another time, for whoever asks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tidemill.domain.errors import IntegrityError, JobNotFoundError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.moving import check_unordered, is_later, moved
from tidemill.domain.ports import Clock, JobQueue, JobStore, Payloads, Unwritten, Written
from tidemill.service.redrivable import check_lane_of
from tidemill.service.reviving import Reviver

# Each refusal means that the job moved in between; a job moves a few times in its life.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Mover:
    """Moves jobs. The record is the acceptance; then what is due soon is sent, as a sweep would later."""

    store: JobStore
    queue: JobQueue
    payloads: Payloads
    reviver: Reviver
    clock: Clock

    def move(self, job: Job, due_ms: int, field: str) -> Job:
        """Let `job` start at `due_ms` (Unix milliseconds) and not before; answers its record as it is then.

        Arguments:
            job: as it was read. Whatever it is by now counts.
            field: what the caller calls the time, for errors.

        Raises:
            InputError, JobStateError: see `tidemill.domain.moving.moved`; an ordered lane has no delays.
            JobNotFoundError: it is gone.
            IntegrityError, PayloadGoneError: its arguments are not where the table says.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        self._check_lane(job, field)
        for _ in range(_TRIES):
            step = moved(job, due_ms, self.clock.now_ms(), field)
            if step is None:
                return self._sent(job)
            verb, after = step
            if after.owns_args and is_later(job, after):
                self._keep_longer(job, after.ttl_s)
            answer = self.store.move(verb, job, after)
            if isinstance(answer, Written):
                return self._sent(answer.job)
            if isinstance(answer, Unwritten):
                raise answer.error
            if answer.job is None:
                raise JobNotFoundError(job.ref.tenant, job.ref.id)
            job = answer.job
        raise UnavailableError("move", "the job kept changing")

    def would_change(self, job: Job, due_ms: int, field: str) -> bool:
        """Whether a move of `job`, as it was read, would change anything.

        Raises:
            InputError, JobStateError: it would be refused.
        """
        self._check_lane(job, field)
        return moved(job, due_ms, self.clock.now_ms(), field) is not None

    def _check_lane(self, job: Job, field: str) -> None:
        check_lane_of(job, "moved", self.queue.has_lane)
        check_unordered(job.lane, field, is_ordered=self.queue.keeps_order(job.lane))

    def _keep_longer(self, job: Job, ttl_s: int) -> None:
        """Before the record says so: its arguments must be there when it is due."""
        envelope = self.reviver.reader.envelope_of(job)
        if envelope is None:
            raise IntegrityError(
                f"the table has no arguments of job {job.ref.id}, though its record says so. Fix: submit it again"
            )
        if envelope.stored is not None:
            self.payloads.renew(job.ref, envelope.stored)
        error = self.store.keep_longer(job, ttl_s)
        if error is not None:
            raise error

    def _sent(self, job: Job) -> Job:
        """Send what no sweep is sure to send in time. Whatever fails here, the next sweep does."""
        if job.state is not State.SCHEDULED or not self.reviver.is_near(job):
            return job
        try:
            answers = self.reviver.revive([job]).sent
        except UnavailableError:
            return job
        return next((answer.job for answer in answers if isinstance(answer, Written)), job)
