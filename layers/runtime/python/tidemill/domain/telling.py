"""What an answer moves in the record of its job. Pure."""

from __future__ import annotations

from dataclasses import replace

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.moving import moved
from tidemill.domain.waiting import awaited


def told(job: Job, now_ms: int) -> tuple[Verb, Job] | None:
    """The move that an answer makes, and the record after it; None if the job will look anyway before it waits.

    One that waits in the table is due at once. One that runs may have looked already: it is told, and can't begin to
    wait without looking again. Anything else has yet to run.
    """
    if job.state is State.RUNNING:
        return Verb.TELL, replace(job, answers=job.answers + 1)
    waits = job.owns_args and awaited(job) is not None and job.state in (State.SCHEDULED, State.QUEUED)
    return moved(job, now_ms, now_ms, "answer") if waits else None
