"""Writing how attempts ended, where a request to cancel may have come that their workers had not heard of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Park, RetryLater
from tidemill.domain.ports import Answer, Conclusion, JobStore, Refused


def conclude(store: JobStore, conclusions: Sequence[Conclusion]) -> list[tuple[Conclusion, Answer]]:
    """Record each conclusion; a job that would wait and is asked to stop waits for nothing.

    Its next attempt cleans up, or ends it where there is nothing to clean up. Answers the conclusion that was
    written last for each job, and what became of it.
    """
    answers = store.conclude(conclusions) if conclusions else []
    ended = list(zip(conclusions, answers, strict=True))
    hurried = {
        i: after
        for i, (conclusion, answer) in enumerate(ended)
        if (job := _to_stop(conclusion.job, answer)) is not None and (after := _at_once(conclusion, job)) is not None
    }
    if hurried:
        for i, answer in zip(hurried, store.conclude(list(hurried.values())), strict=True):
            ended[i] = (hurried[i], answer)
    return ended


def _to_stop(holder: Job, answer: Answer) -> Job | None:
    """The record, if nothing but a request to cancel stood in the way: the job is still its holder's."""
    job = answer.job if isinstance(answer, Refused) else None
    if job is None or not job.cancel_asked or holder.cancel_asked:
        return None
    return job if job.state is State.RUNNING and job.fence == holder.fence else None


def _at_once(conclusion: Conclusion, job: Job) -> Conclusion | None:
    if not isinstance(conclusion.verdict, RetryLater | Park):
        return None
    return replace(conclusion, job=job, verdict=replace(conclusion.verdict, at=conclusion.now_ms, wait_ms=0))
