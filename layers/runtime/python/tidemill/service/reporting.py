"""What operators hear of a batch: counts by outcome, one line a batch, one line a failure. Never a payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tidemill.domain.conclusion import verb_of
from tidemill.domain.lifecycle import Verb
from tidemill.domain.outcome import Bury, Complete, Cost, Expire, Park, RetryLater, Stop
from tidemill.domain.ports import Answer, Conclusion, Refused, Telemetry, Written

METRIC: Final = {
    Verb.COMPLETE: "JobsSucceeded",
    Verb.RETRY: "JobsRetried",
    Verb.PARK: "JobsDeferred",
    Verb.WAIT: "JobsWaiting",
    Verb.BURY: "JobsDead",
    Verb.EXPIRE: "JobsExpired",
    Verb.STOP: "JobsCancelled",
}


def report_outcomes(telemetry: Telemetry, ended: Sequence[tuple[Conclusion, Answer]]) -> Counter[str]:
    """Count the outcomes that were written, say which jobs failed, and answer the counts by metric."""
    outcomes = Counter(_metric(conclusion, answer) for conclusion, answer in ended)
    for name, value in outcomes.items():
        telemetry.count(name, value)
    for conclusion, _ in ended:
        _report_failure(telemetry, conclusion)
    return outcomes


def report_batch(telemetry: Telemetry, messages: int, outcomes: Counter[str]) -> None:
    """One line for a batch of so many messages."""
    telemetry.count("BatchSize", messages)
    telemetry.note("batch", messages=messages, **outcomes)


def _metric(conclusion: Conclusion, answer: Answer) -> str:
    if not isinstance(answer, Written):
        return "FenceLost" if isinstance(answer, Refused) else "OutcomesUnwritten"
    verdict = conclusion.verdict
    if isinstance(verdict, Park) and verdict.for_answer:
        return METRIC[Verb.WAIT]
    if isinstance(verdict, RetryLater | Park) and verdict.cost is not Cost.ATTEMPT:
        return METRIC[Verb.PARK]
    return METRIC[Verb.RETRY] if isinstance(verdict, Park) else METRIC[verb_of(verdict)]


def _report_failure(telemetry: Telemetry, conclusion: Conclusion) -> None:
    job, verdict = conclusion.job, conclusion.verdict
    if isinstance(verdict, Complete | Expire | Stop):
        return
    failure = verdict.failure
    telemetry.alert(
        "job_dead" if isinstance(verdict, Bury) else "job_waits",
        job_id=job.ref.id,
        tenant=job.ref.tenant,
        kind=job.kind,
        attempt=job.attempt,
        generation=job.generation,
        reason=verdict.reason,
        # The type and the fingerprint lead to the stored error; its text may quote the payload.
        error_type=failure.type if failure else None,
        error=failure.fingerprint if failure else None,
    )
