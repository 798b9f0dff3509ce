"""Writing how attempts ended, where a request to cancel may have come that their workers had not heard of."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from tidemill.domain.duration import milliseconds
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Stop
from tidemill.domain.ports import Answer, Conclusion, JobStore, Refused
from tidemill.service.policy import Policy


def conclude(
    store: JobStore, conclusions: Sequence[Conclusion], policy: Callable[[str], Policy]
) -> list[tuple[Conclusion, Answer]]:
    """Record each conclusion; a job that would wait and is asked to stop is cancelled instead.

    Answers the conclusion that was written last for each job, and what became of it.
    """
    answers = store.conclude(conclusions) if conclusions else []
    ended = list(zip(conclusions, answers, strict=True))
    stops = {
        i: _stopped(conclusion, job, policy(job.kind))
        for i, (conclusion, answer) in enumerate(ended)
        if (job := _to_stop(conclusion.job, answer)) is not None
    }
    if stops:
        for i, answer in zip(stops, store.conclude(list(stops.values())), strict=True):
            ended[i] = (stops[i], answer)
    return ended


def _to_stop(holder: Job, answer: Answer) -> Job | None:
    """The record, if nothing but a request to cancel stood in the way: the job is still its holder's."""
    job = answer.job if isinstance(answer, Refused) else None
    if job is None or not job.cancel_asked:
        return None
    return job if job.state is State.RUNNING and job.fence == holder.fence else None


def _stopped(conclusion: Conclusion, job: Job, policy: Policy) -> Conclusion:
    keep_until = conclusion.now_ms + milliseconds(policy.retention.result)
    return replace(conclusion, job=job, verdict=Stop(keep_until), notice=None)
