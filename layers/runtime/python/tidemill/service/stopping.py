"""Writing how attempts ended, where a request to cancel or an answer may have come that their workers do not know."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Park, RetryLater
from tidemill.domain.ports import Answer, Conclusion, JobStore, Refused

# An answer first, and then a request to cancel: what is due at once is not disturbed by another answer.
_DISTURBANCES: Final = 2


def conclude(store: JobStore, conclusions: Sequence[Conclusion]) -> list[tuple[Conclusion, Answer]]:
    """Record each conclusion; a job that would wait and is asked to stop, or was answered, waits for nothing.

    Its next attempt cleans up, or ends it where there is nothing to clean up; or it finds the answer. Answers the
    conclusion that was written last for each job, and what became of it.
    """
    answers = store.conclude(conclusions) if conclusions else []
    ended = list(zip(conclusions, answers, strict=True))
    for _ in range(_DISTURBANCES):
        hurried = {
            i: after
            for i, (conclusion, answer) in enumerate(ended)
            if (job := _disturbed(conclusion, answer)) is not None and (after := _at_once(conclusion, job)) is not None
        }
        if not hurried:
            break
        for i, answer in zip(hurried, store.conclude(list(hurried.values())), strict=True):
            ended[i] = (hurried[i], answer)
    return ended


def _disturbed(conclusion: Conclusion, answer: Answer) -> Job | None:
    """The record, if nothing but a request to cancel or an answer stood in the way: the job is still its holder's."""
    job, holder = answer.job if isinstance(answer, Refused) else None, conclusion.job
    if job is None or job.state is not State.RUNNING or job.fence != holder.fence:
        return None
    is_to_stop = job.cancel_asked and not holder.cancel_asked
    return job if is_to_stop or job.answers != holder.answers else None


def _at_once(conclusion: Conclusion, job: Job) -> Conclusion | None:
    match conclusion.verdict:
        case Park() as parked:
            # Due at once, it looks again: no other answer can be missed by it.
            verdict = replace(parked, at=conclusion.now_ms, wait_ms=0, for_answer=False)
            return replace(conclusion, job=job, verdict=verdict)
        case RetryLater() as later:
            return replace(conclusion, job=job, verdict=replace(later, at=conclusion.now_ms, wait_ms=0))
        case _:
            return None
