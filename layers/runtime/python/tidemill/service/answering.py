"""Answering jobs from outside: the one way in for the client, the HTTP API, the command line and links."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from random import Random
from typing import Any, Final

from tidemill.domain.answer_errors import AnsweredError, AnswerLateError
from tidemill.domain.answers import checked_answer
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import (
    InputError,
    JobNotFoundError,
    JobStateError,
    UnavailableError,
)
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory
from tidemill.domain.names import check_answerer
from tidemill.domain.ports import AuditTrail, Clock, JobReader, JobWaits, Written
from tidemill.domain.registry import JobRegistry
from tidemill.domain.telling import told
from tidemill.domain.waiting import Given, Wait
from tidemill.service.auditing import Auditor, Tally
from tidemill.service.policy import policy_of
from tidemill.service.reviving import Reviver
from tidemill.service.tokens import AnswerTokens

# Each refusal means that the job moved or was answered in between; a job moves a few times in its life.
_TRIES: Final = 5


@dataclass(frozen=True, slots=True)
class Reply:
    """What one caller wants to answer.

    Arguments:
        by: who decides, up to 128 printable characters. None: whoever `actor` is.
        means: how it came: `client`, `api` or `link`. `actor`: for the audit trail.
        generation: the only one that it is for; None for any.
    """

    ref: JobRef
    name: object
    value: object
    means: str
    actor: str
    by: str | None = None
    generation: int | None = None


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer that a job has. `is_new`: this call gave it."""

    job: Job
    wait: Wait
    is_new: bool


@dataclass(frozen=True)
class Answerer:
    """Gives answers to jobs.

    Arguments:
        recall: what a job remembers.
        actor: who this process is, for the audit trail.
    """

    registry: JobRegistry
    reader: JobReader
    waits: JobWaits
    recall: Callable[[JobRef], Memory | None]
    trail: AuditTrail
    reviver: Reviver
    clock: Clock
    random: Random
    actor: Callable[[], str]

    def answer(self, reply: Reply) -> Answered:
        """Give the answer. Once this returns, the job uses it or is over.

        A repetition of the answer that the job has changes nothing. The intent stands in the audit trail before the
        answer is given, who and by which means beside it for good.

        Raises:
            InputError: the kind takes no such answer, or `by` is bad.
            JobNotFoundError: there is no such job, or its retention is over.
            AnsweredError: it has another answer.
            AnswerLateError: the wait has timed out, or the reply is for another generation.
            JobStateError: the job is over.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        job = self._job(reply.ref)
        name, value = checked_answer(job.kind, self.registry.resolve(job.kind).answers, reply.name, reply.value)
        by = reply.actor if reply.by is None else check_answerer(reply.by)
        given = Given(value, by, reply.means, self.clock.now_ms())
        before, answered = self._judged(job, name, reply, given)
        if answered is not None:
            return Answered(job, answered, is_new=False)
        auditor = Auditor(self.trail, self.clock, self.random, lambda: reply.actor)
        chosen = {"name": name, "by": by, "means": reply.means}
        with auditor.action("answer", reply.ref.tenant, chosen, jobs=[reply.ref]) as tally:
            return self._give(job, before, name, reply, given, tally)

    @cached_property
    def tokens(self) -> AnswerTokens:
        """Makes and reads tokens."""
        return AnswerTokens(self.waits, self.clock)

    def find(self, ref: JobRef) -> Job | None:
        """The job; None if there is none, or its retention is over.

        Raises:
            UnavailableError: AWS did not answer.
        """
        (job,) = self.reader.find([ref])
        return None if job is None or job.is_gone(self.clock.now_ms()) else job

    def waits_of(self, job: Job) -> list[Wait]:
        """What the job asks or was answered, as far as its generation knows it.

        Raises:
            UnavailableError: AWS did not answer.
        """
        waits = self.waits.waits_of(job.ref)
        forgot = self._forgot(job) if waits else 0
        return [wait for wait in waits if wait.generation >= forgot]

    def wait_of(self, job: Job, name: str) -> Wait | None:
        """One of them.

        Raises:
            UnavailableError: AWS did not answer.
        """
        wait = self.waits.wait_of(job.ref, name)
        return wait if wait is not None and wait.generation >= self._forgot(job) else None

    def _give(self, job: Job, before: Wait | None, name: str, reply: Reply, given: Given, tally: Tally) -> Answered:
        for _ in range(_TRIES):
            now_ms = self.clock.now_ms()
            # One that is open and forgotten is not the job's any more: it would ask anew beside its answer.
            goes_on = before is not None and before.is_open and before.generation >= self._forgot(job)
            after = (before if before is not None and goes_on else Wait(name, job.generation)).answered(given)
            if self.waits.answer(job, before, after, now_ms, self._ttl_s(job, now_ms)):
                tally.add("answered", reply.ref)
                return Answered(self._told(job, now_ms), after, is_new=True)
            job = self._job(reply.ref)
            before, answered = self._judged(job, name, reply, given)
            if answered is not None:
                # Another of the same came first, or this one did and its answer was lost.
                tally.add("answered", reply.ref)
                return Answered(job, answered, is_new=answered.given == given)
        raise UnavailableError("answer", "the job kept changing")

    def _judged(self, job: Job, name: str, reply: Reply, given: Given) -> tuple[Wait | None, Wait | None]:
        """What stands there to be answered, and what the job has if that is the very same answer."""
        if reply.generation is not None and reply.generation != job.generation:
            problem = f"the token is for its generation {reply.generation}, and it is in {job.generation}"
            raise AnswerLateError(job.ref.id, name, problem)
        wait = self.waits.wait_of(job.ref, name)
        is_known = wait is not None and wait.generation >= self._forgot(job)
        if wait is not None and is_known and wait.given is not None:
            if wait.given.value == given.value:
                return wait, wait
            raise AnsweredError(job.ref.id, name, wait.given.by, wait.given.at, wait.given.means)
        if wait is not None and is_known and wait.timed_out_at is not None:
            raise AnswerLateError(job.ref.id, name, "its time is over", wait.ends_at)
        if job.state.is_final:
            raise JobStateError("answered", job.ref.id, job.state, "nothing waits for it any more; look at the job")
        if wait is not None and is_known and wait.is_late(given.at):
            raise AnswerLateError(job.ref.id, name, "its time is over", wait.ends_at)
        return wait, None

    def _told(self, job: Job, now_ms: int) -> Job:
        """The record after the answer. One that is due now is sent; whatever fails here, the next sweep does."""
        move = told(job, now_ms)
        if move is None:
            return job
        _, after = move
        if after.state is not State.SCHEDULED:
            return after
        try:
            sent = self.reviver.revive([after]).sent
        except UnavailableError:
            return after
        return next((answer.job for answer in sent if isinstance(answer, Written)), after)

    def _forgot(self, job: Job) -> int:
        """The first generation that does not know any more what earlier ones were told."""
        memory = self.recall(job.ref) or Memory()
        wish = memory.owed
        return wish.generation if wish is not None and wish.generation <= job.generation else memory.forgot

    def takes(self, job: Job) -> bool:
        """Whether its kind waits for anything."""
        try:
            return bool(self.registry.resolve(job.kind).answers)
        except InputError:
            return False

    def declared(self, job: Job, name: str) -> Any:
        """The type of an answer; Any where the job's kind does not declare it any more."""
        try:
            return self.registry.resolve(job.kind).answers.get(name, Any)
        except InputError:
            return Any

    def _job(self, ref: JobRef) -> Job:
        job = self.find(ref)
        if job is None:
            raise JobNotFoundError(ref.tenant, ref.id)
        return job

    def _ttl_s(self, job: Job, now_ms: int) -> int:
        kept = now_ms + milliseconds(policy_of(self.registry, job.kind).retention.memory)
        return max(kept // 1000 + 1, job.ttl_s)
