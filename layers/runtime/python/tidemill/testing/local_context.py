"""A context for a test that calls a job's function directly."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from random import Random
from typing import Any, TypedDict, Unpack

from tidemill.domain.context import JobContext
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.definition import JobDefinition
from tidemill.domain.heard import Heard
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory, Remembered, check_step_name, encode_cursor
from tidemill.domain.names import check_job_id, check_tenant
from tidemill.domain.result import encode_result
from tidemill.domain.undone import Undone
from tidemill.service.submission import DEFAULT_TENANT
from tidemill.testing.clock import VirtualClock
from tidemill.testing.observing import Calls
from tidemill.testing.rehearsal import HELD, NOTHING, NoArgs, Rehearsal


@dataclass(frozen=True, slots=True)
class LocalContext(JobContext):
    """A JobContext on a memory of its own. `context` makes one."""

    rehearsal: Rehearsal = field(repr=False, compare=False, kw_only=True)

    @property
    def calls(self) -> Calls:
        """What the function asked of its context, over all attempts."""
        return self.rehearsal.calls

    @property
    def clock(self) -> VirtualClock:
        """The clock of the attempt. `advance` it in what stands for a dependency: timeouts are raised there."""
        return self.rehearsal.clock

    @property
    def shown(self) -> str | None:
        """The progress that readers of the job see, as JSON text."""
        return self._record.progress

    def answer(self, name: str, value: object) -> None:
        """Answer what the job waits for, or will, as `JobClient.answer` does.

        A function that waits for it raises `Awaiting` before that; it finds the answer in the `next_attempt`.

        Arguments:
            name, value: as those of JobClient.answer.

        Raises:
            InputError: the job declares no such answer, or it does not fit.
            AnswerRefusedError: it has another answer, or has given up.
        """
        self.rehearsal.answer(JobRef(self.tenant, self.job_id), name, value)

    def ask_cancel(self) -> None:
        """Ask the job to stop, as `JobClient.cancel` does: JobCancelled is raised at its next call that can hear it."""
        self.rehearsal.ask_cancel(JobRef(self.tenant, self.job_id))

    def lose_lease(self) -> None:
        """Let another worker have the job: from now on FenceLostError is raised, and nothing is recorded."""
        self.rehearsal.cut()

    def next_attempt(self) -> LocalContext:
        """The context of the attempt that follows: it remembers steps and cursor. This one has lost its lease."""
        self.rehearsal.cut()
        record = self._record
        following = _local(self.rehearsal, _claimed(record, record.attempt + 1, record.fence + 1))
        return replace(following, previous_sequence=self.previous_sequence, undoes=self.undoes, heard=self.heard)

    @property
    def _record(self) -> Job:
        return self.rehearsal.store.jobs[JobRef(self.tenant, self.job_id)]


class Seen(TypedDict, total=False):
    """What the job is to see of itself, as keyword arguments. See JobContext."""

    tenant: str
    job_id: str
    attempt: int
    generation: int
    entity: str | None
    sequence: int | None
    previous_sequence: int | None
    undoes: Undone | None
    scheduled_at_ms: int | None
    heard: Heard | None


def context(
    definition: JobDefinition[Any, Any] | None = None,
    *,
    remembered: Mapping[str, object] | None = None,
    cursor: object = None,
    answers: Mapping[str, object] | None = None,
    code: str = "",
    **seen: Unpack[Seen],
) -> LocalContext:
    """A context for calling a job's function directly, in a test of that function alone.

        ctx = context(charge, tenant="acme")
        assert charge(Charge(card="good", cents=100), ctx) == "paid"
        assert ctx.calls.steps == ["pay"]

    All of it works: steps run and are remembered, the cursor is recorded, `asyncio` is the test's own. Nothing is
    submitted, retried or recorded beside that. What the function raises comes out of it.

    Arguments:
        definition: the job; its kind, lane, timeouts and heartbeat are the context's. Without one, those of `@job`.
        remembered: what steps returned before this attempt, by name.
        cursor: the last checkpoint before this attempt.
        answers: what was answered before this attempt, by name.
        code: the version of the code.
        seen: tenant, job_id, attempt, generation, entity, sequence, previous_sequence, scheduled_at_ms, undoes and
            heard, as the job is to see them.

    Raises:
        InputError: a name, a step, the cursor or an answer can't be one.
    """
    clock = VirtualClock()
    any_job = JobDefinition(NoArgs, lambda _args, _context: None)
    in_order = (seen.get("entity"), seen.get("sequence"))
    rehearsal = Rehearsal(definition or any_job, clock, code, *in_order, seen.get("scheduled_at_ms"))
    job = _waiting(rehearsal.definition.lane, clock.now_ms(), seen)
    steps = {
        name: Remembered(check_step_name(name), number, encode_result(value), clock.now_ms(), job.generation, code)
        for number, (name, value) in enumerate((remembered or {}).items(), 1)
    }
    rehearsal.memory.memories[job.ref] = Memory(steps=steps, cursor=None if cursor is None else encode_cursor(cursor))
    attempt = seen.get("attempt", 1)
    made = _local(rehearsal, _claimed(job, attempt, attempt))
    for name, value in (answers or {}).items():
        made.answer(name, value)
    last, undone, fact = (seen.get("previous_sequence"), seen.get("undoes"), seen.get("heard"))
    return replace(made, previous_sequence=last, undoes=undone, heard=fact)


def _local(rehearsal: Rehearsal, job: Job) -> LocalContext:
    made = rehearsal.attempt(job)
    return LocalContext(**{one.name: getattr(made, one.name) for one in fields(made)}, rehearsal=rehearsal)


def _waiting(lane: str, now_ms: int, seen: Seen) -> Job:
    default_id = time_ordered_id(now_ms, Random(1).getrandbits(74))  # noqa: S311 - chance that repeats
    return Job(
        ref=JobRef(check_tenant(seen.get("tenant", DEFAULT_TENANT)), check_job_id(seen.get("job_id", default_id))),
        kind=NoArgs.job_kind,
        lane=lane,
        state=State.QUEUED,
        fingerprint=fingerprint_of(NOTHING),
        created_at=now_ms,
        claimable_at=0,
        ttl_s=now_ms // 1000,
        generation=seen.get("generation", 1),
    )


def _claimed(job: Job, attempt: int, fence: int) -> Job:
    claimed = job.claimed("test", HELD, job.created_at, job.created_at, job.ttl_s)
    return replace(claimed, attempt=attempt, fence=fence, concluded=fence - 1)
