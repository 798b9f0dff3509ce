"""What operators do to jobs that are not dead: cancel, kill, move. Each time leaves its entry in the audit trail.

Jobs and programs cancel and move by `JobClient`, which leaves none.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.service.auditing import Auditor
from tidemill.service.client import JobClient
from tidemill.service.view import timestamp


@dataclass(frozen=True, slots=True)
class Operator:
    """Whoever looks after jobs over HTTP or by the command line.

    What is refused, or would change nothing, leaves no entry. Every method raises UnavailableError if the intent is not
    known to be written; nothing is done then.

    Arguments:
        actor: tells who it is, for the trail.
    """

    client: JobClient
    actor: Callable[[], str]

    def end(self, job_id: str, tenant: str, *, kill: bool = False) -> Job:
        """Cancel a job that waits and ask one that runs to stop, or with `kill` end it without asking.

        Raises:
            InputError: the id or the tenant is bad. Others: as `JobClient.cancel`.
        """
        job = self.client.get(job_id, tenant)
        if job.state.is_final:
            return self.ending(kill=kill)(job_id, tenant)
        with self.auditor.action(verb_of(kill=kill), tenant, jobs=[job.ref]) as tally:
            after = self.ending(kill=kill)(job_id, tenant)
            tally.add("cancelled" if after.state is State.CANCELLED else "asked", job.ref)
        return after

    def move(self, job: Job, due_ms: int, field: str) -> Job:
        """Let the job start at `due_ms` (Unix milliseconds), which the caller calls `field`.

        Raises:
            As `JobClient.move`.
        """
        if not self.client.mover.would_change(job, due_ms, field):
            return self.client.move_to(job.ref, due_ms, field)
        with self.auditor.action("move", job.ref.tenant, {"due_at": timestamp(due_ms)}, jobs=[job.ref]) as tally:
            moved = self.client.move_to(job.ref, due_ms, field)
            tally.add("moved", job.ref)
        return moved

    def ending(self, *, kill: bool) -> Callable[[str, str], Job]:
        """What ends one job, and leaves no entry."""
        return self.client.kill if kill else self.client.cancel

    @property
    def auditor(self) -> Auditor:
        """Writes the trail in this one's name."""
        return Auditor(self.client.answerer.trail, self.client.clock, self.client.submitter.random, self.actor)


def verb_of(*, kill: bool) -> str:
    """What the trail calls it."""
    return "kill" if kill else "cancel"
