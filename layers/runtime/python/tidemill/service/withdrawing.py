"""Ending a job before it has ended by itself: cancel and kill."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from tidemill.domain.conclusion import asked_to_stop, cancelled, killed
from tidemill.domain.definition import Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Clock, JobStore, Refused, Unwritten, Written
from tidemill.domain.registry import JobRegistry

# Each refusal means that the job moved in between; a job moves a few times in its life.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """Ends jobs for whoever asks. Each method raises what `JobClient.cancel` says."""

    store: JobStore
    registry: JobRegistry
    clock: Clock

    def cancel(self, job: Job) -> Job:
        """Cancel a job that waits, and ask one that runs to stop. See JobClient."""
        return self._end(job, self._cancelled)

    def kill(self, job: Job) -> Job:
        """End a job without asking it. See JobClient."""
        return self._end(job, self._killed)

    def _end(self, job: Job, ended: Callable[[Job], tuple[Verb, Job]]) -> Job:
        for _ in range(_TRIES):
            if job.state is State.CANCELLED:
                return job
            if job.state.is_final:
                raise JobStateError("cancelled", job.ref.id, job.state, "nothing is left to cancel")
            verb, after = ended(job)
            if after == job:
                return job
            answer = self.store.move(verb, job, after)
            if isinstance(answer, Written):
                return answer.job
            job = _standing(answer, job)
        raise UnavailableError("cancel", "the job kept changing")

    def _cancelled(self, job: Job) -> tuple[Verb, Job]:
        if job.state is State.RUNNING:
            return Verb.ASK_CANCEL, asked_to_stop(job)
        now_ms = self.clock.now_ms()
        return Verb.CANCEL, cancelled(job, now_ms, now_ms + self._keep(job))

    def _killed(self, job: Job) -> tuple[Verb, Job]:
        if job.state is not State.RUNNING:
            return self._cancelled(job)
        now_ms = self.clock.now_ms()
        return Verb.KILL, killed(job, now_ms, now_ms + self._keep(job))

    def _keep(self, job: Job) -> int:
        try:
            return milliseconds(self.registry.resolve(job.kind).retention.result)
        except InputError:
            return milliseconds(Retention().result)


def _standing(answer: Refused | Unwritten, job: Job) -> Job:
    """The record that stood in the way."""
    if isinstance(answer, Unwritten):
        raise answer.error
    if answer.job is None:
        raise JobNotFoundError(job.ref.tenant, job.ref.id)
    return answer.job
