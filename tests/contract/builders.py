"""Jobs, claims and conclusions, with everything that a test does not care about filled in."""

from dataclasses import replace
from itertools import count

from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import Envelope
from tidemill.domain.failure import Failure
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.outcome import Bury, Complete, Cost, Expire, Park, RetryLater, Stop
from tidemill.domain.ports import Claim, Conclusion

NOW = 1_800_000_000_000
LEASE = NOW + 60_000
KEEP = NOW + 86_400_000
TTL = NOW // 1000 + 19 * 86_400
ARGS = b'{"width":320}'
FAILURE = Failure("ValueError", "no such key — 42", "Traceback ...", "0123456789abcdef")
VERDICTS = {
    "complete": Complete('{"ok":true}', KEEP),
    "retry": RetryLater(NOW + 5_000, 5_000, cost=Cost.ATTEMPT, reason="raised", failure=FAILURE),
    "defer": RetryLater(NOW + 5_000, 5_000, cost=Cost.DEFERRAL, reason="rate_limited", failure=None),
    "park": Park(NOW + 600_000, 600_000, cost=Cost.ATTEMPT, reason="raised", failure=FAILURE),
    "bury": Bury("attempts_exhausted", FAILURE, KEEP),
    "expire": Expire(KEEP),
    "stop": Stop(KEEP),
}
_numbers = count(1)


def new_id() -> str:
    return time_ordered_id(NOW, next(_numbers) << 40)


def make_job(state: State = State.QUEUED, **fields) -> Job:
    """A record as a submit or a claim would write it, in any state."""
    waits = {State.QUEUED: 0, State.SCHEDULED: NOW - 1, State.RETRYING: NOW - 1, State.RUNNING: LEASE}
    started = {"attempt": 1, "fence": 1, "owner": "owner-of-the-first-one", "started_at": NOW}
    job = Job(
        ref=JobRef(fields.pop("tenant", "acme"), fields.pop("id", None) or new_id()),
        kind=fields.pop("kind", "media.thumbnail"),
        lane="bulk",
        state=state,
        fingerprint=fingerprint_of(ARGS),
        created_at=NOW - 1_000,
        claimable_at=waits.get(state),
        ttl_s=TTL,
        correlation_id="corr-1",
    )
    if state is not State.QUEUED:
        job = replace(job, held=Held(new_id(), NOW - 500), concluded=0 if state is State.RUNNING else 1, **started)
    if state.is_final:
        job = replace(job, finished_at=NOW, keep_until=KEEP)
    return replace(job, **fields)


def make_claim(job: Job, **fields) -> Claim:
    return replace(
        Claim(
            ref=job.ref,
            fingerprint=job.fingerprint,
            owner=f"owner-{next(_numbers):08d}",
            held=Held(new_id(), NOW - 100),
            now_ms=NOW,
            lease_until=LEASE,
            ttl_s=TTL + 60,
        ),
        **fields,
    )


def make_envelope(job: Job, args: bytes = ARGS) -> Envelope:
    return Envelope(
        send_id=new_id(),
        ref=job.ref,
        kind=job.kind,
        args=args,
        fingerprint=fingerprint_of(args),
        submitted_at=job.created_at,
        correlation_id="corr-1",
    )


def make_conclusion(job: Job, verdict="complete", **fields) -> Conclusion:
    """The end of `job` as claimed, with the envelope that carried it."""
    found = VERDICTS[verdict] if isinstance(verdict, str) else verdict
    return replace(Conclusion(job, found, make_envelope(job), NOW + 1_000), **fields)
