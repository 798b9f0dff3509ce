"""What operators hear of a batch: counts by outcome, one line a batch, one line a failure. Never a payload."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

from tidemill.domain.conclusion import verb_of
from tidemill.domain.lifecycle import Verb
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Bury, Complete, Expire, Park, RetryLater
from tidemill.domain.ports import Answer, Conclusion, Refused, Telemetry, Written

METRIC: Final = {
    Verb.COMPLETE: "JobsSucceeded",
    Verb.RETRY: "JobsRetried",
    Verb.PARK: "JobsDeferred",
    Verb.BURY: "JobsDead",
    Verb.EXPIRE: "JobsExpired",
}


def report_batch(
    telemetry: Telemetry, deliveries: Sequence[Delivery], ended: Sequence[tuple[Conclusion, Answer]]
) -> None:
    """Count the outcomes that were written, and say which jobs failed."""
    outcomes = Counter(_metric(conclusion, answer) for conclusion, answer in ended)
    for name, value in outcomes.items():
        telemetry.count(name, value)
    telemetry.count("BatchSize", len(deliveries))
    for conclusion, _ in ended:
        _report_failure(telemetry, conclusion)
    telemetry.note("batch", messages=len(deliveries), **outcomes)


def _metric(conclusion: Conclusion, answer: Answer) -> str:
    if not isinstance(answer, Written):
        return "FenceLost" if isinstance(answer, Refused) else "OutcomesUnwritten"
    verdict = conclusion.verdict
    if isinstance(verdict, RetryLater | Park) and not verdict.spent:
        return METRIC[Verb.PARK]
    return METRIC[Verb.RETRY] if isinstance(verdict, Park) else METRIC[verb_of(verdict)]


def _report_failure(telemetry: Telemetry, conclusion: Conclusion) -> None:
    job, verdict = conclusion.job, conclusion.verdict
    if isinstance(verdict, Complete | Expire):
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
