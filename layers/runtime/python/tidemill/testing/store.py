"""The jobs table in memory: the reference implementation of `JobStore` and `JobReader`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from zlib import crc32

from tidemill.domain import lifecycle
from tidemill.domain.conclusion import concluded, extended, verb_of
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.domain.job import Job, JobRef, day_of
from tidemill.domain.lifecycle import Guard, State, Verb, transition
from tidemill.domain.memory import Memory, Wish
from tidemill.domain.notice import Notice
from tidemill.domain.outbox import Outbound
from tidemill.domain.outcome import Bury, Complete, Park, RetryLater
from tidemill.domain.payload import Stored
from tidemill.domain.ports import Answer, AttemptFailure, Claim, Conclusion, Page, Refused, Written
from tidemill.domain.waiting import Wait

_INDEXED = frozenset({State.SCHEDULED, State.RETRYING, State.DEAD})


@dataclass
class MemoryStore:
    """Jobs, envelopes and failures in dictionaries. Not for threads."""

    jobs: dict[JobRef, Job] = field(default_factory=dict)
    envelopes: dict[tuple[JobRef, str], Envelope] = field(default_factory=dict)
    failures: dict[JobRef, list[AttemptFailure]] = field(default_factory=dict)
    # Receipts of large results, by job and fence.
    receipts: dict[tuple[JobRef, int], Stored] = field(default_factory=dict)
    # What jobs remember: `MemoryOfJobs` keeps it in here.
    memories: dict[JobRef, Memory] = field(default_factory=dict)
    # What they wait for: `MemoryWaits` keeps it in here.
    waits: dict[JobRef, dict[str, Wait]] = field(default_factory=dict)
    # What they commit with their ends: `MemoryOutbox` keeps it in here.
    outbox: dict[str, Outbound] = field(default_factory=dict)
    listed: bool = True

    def insert(self, jobs: Sequence[Job]) -> list[Answer]:
        """See JobStore."""
        return [self._insert(job) for job in jobs]

    def refuse(self, dead: Job, evidence: AttemptFailure) -> Answer:
        """See JobStore."""
        lifecycle.check_birth("refuse", dead.state)
        answer = self._insert(dead)
        if isinstance(answer, Written):
            self.failures[dead.ref] = [evidence]
        return answer

    def claim(self, claims: Sequence[Claim]) -> list[Answer]:
        """See JobStore."""
        return [self._claim(claim) for claim in claims]

    def conclude(self, conclusions: Sequence[Conclusion]) -> list[Answer]:
        """See JobStore."""
        return [self._conclude(conclusion) for conclusion in conclusions]

    def move(
        self,
        verb: Verb,
        before: Job,
        after: Job,
        notices: tuple[Notice, ...] = (),
        *,
        forget: str | None = None,
        outbounds: Sequence[Outbound] = (),
    ) -> Answer:
        """See JobStore."""
        lifecycle.check_move(verb, before.state, after.state)
        current = self.jobs.get(before.ref)
        if current is None or not _is_as_read(verb, current, before):
            return Refused(current)
        self.jobs[before.ref] = after
        self._tell(notices)
        self.outbox.update({outbound.name: outbound for outbound in outbounds})
        if forget is not None:
            memory = self.memories.get(before.ref, Memory())
            self.memories[before.ref] = replace(memory, wish=Wish(after.generation, forget))
        return Written(after, before)

    def stands(self, read: Job) -> bool:
        """Whether the record is as it was read."""
        current = self.jobs.get(read.ref)
        return current is not None and _identity(current) == _identity(read)

    def extend(self, job: Job, lease_until: int, progress: str | None) -> Answer:
        """See JobStore."""
        current = self.jobs.get(job.ref)
        if current is None or current.state is not State.RUNNING or current.fence != job.fence:
            return Refused(current)
        self.jobs[job.ref] = extended(current, lease_until, progress)
        return Written(self.jobs[job.ref], current)

    def keep(self, envelopes: Sequence[Envelope], ttl_s: Sequence[int]) -> list[UnavailableError | None]:
        """See JobStore."""
        for envelope, _ in zip(envelopes, ttl_s, strict=True):
            self.envelopes[envelope.ref, envelope.fingerprint] = envelope
        return [None] * len(envelopes)

    def keep_longer(self, job: Job, ttl_s: int) -> UnavailableError | None:  # noqa: ARG002 - nothing ends in here
        """See JobStore."""
        return None

    def find(self, refs: Sequence[JobRef]) -> list[Job | None]:
        """See JobReader."""
        return [self.jobs.get(ref) for ref in refs]

    def envelope_of(self, job: Job) -> Envelope | None:
        """See JobReader."""
        return self.envelopes.get((job.ref, job.fingerprint))

    def result_of(self, job: Job) -> str | Stored | None:
        """See JobReader."""
        return self.receipts.get((job.ref, job.fence)) if job.has_result_item else job.result

    def failures_of(self, ref: JobRef) -> list[AttemptFailure]:
        """See JobReader."""
        return list(self.failures.get(ref, ()))

    def waiting(self, state: State, tenant: str | None, limit: int, cursor: str | None) -> Page:
        """See JobReader."""
        if state not in _INDEXED:
            raise InputError.at("state", f"no index holds {state} jobs", "not_indexed")
        found = [job for job in self.jobs.values() if job.state is state and tenant in (None, job.ref.tenant)]
        keyed = {f"{job.ref.tenant}#{_moment(job):013d}#{job.ref.id}": job for job in found}
        return _page(keyed, f"waiting {state} {tenant}", limit, cursor)

    def due(self, until_ms: int, limit: int, cursor: str | None) -> Page:
        """See JobReader."""
        found = [job for job in self.jobs.values() if _is_the_tables(job) and _moment(job) <= until_ms]
        return _page({f"{_moment(job):013d}#{job.ref}": job for job in found}, "due", limit, cursor)

    def recent(self, tenant: str, kind: str, day: str, limit: int, cursor: str | None) -> Page:
        """See JobReader."""
        found = [
            job
            for job in self.jobs.values()
            if self.listed and (job.ref.tenant, job.kind, day_of(job.created_at)) == (tenant, kind, day)
        ]
        keyed = {f"{job.created_at:013d}#{job.ref.id}": job for job in found}
        return _page(keyed, f"recent {tenant} {kind} {day}", limit, cursor, newest_first=True)

    def _insert(self, job: Job) -> Answer:
        existing = self.jobs.get(job.ref)
        if existing is not None:
            # A record that equals the wanted one is the wanted one, as if an answer had been lost.
            return Written(job) if existing == job else Refused(existing)
        self.jobs[job.ref] = job
        return Written(job)

    def _claim(self, claim: Claim) -> Answer:
        job = self.jobs.get(claim.ref)
        if job is None or job.claimable_at is None or job.claimable_at >= claim.now_ms:
            return Refused(job)
        if job.fingerprint != claim.fingerprint:
            return Refused(job)
        claimed = job.claimed(claim.owner, claim.held, claim.now_ms, claim.lease_until, claim.ttl_s)
        self.jobs[claim.ref] = claimed
        return Written(claimed, job)

    def _conclude(self, conclusion: Conclusion) -> Answer:
        verdict, envelope = conclusion.verdict, conclusion.envelope
        if isinstance(verdict, Bury | Park) and envelope is not None:
            self.envelopes[envelope.ref, envelope.fingerprint] = envelope
        if isinstance(verdict, Bury | Park | RetryLater) and verdict.failure is not None:
            mine = conclusion.job
            evidence = AttemptFailure(
                mine.generation, mine.attempt, conclusion.now_ms, verdict.failure, conclusion.code
            )
            # A deferral gives its attempt back, so that the next evidence takes the place of this.
            kept = [old for old in self.failures.get(mine.ref, ()) if _number(old) != _number(evidence)]
            self.failures[mine.ref] = sorted([*kept, evidence], key=_number)
        if isinstance(verdict, Complete) and isinstance(verdict.result, Stored):
            self.receipts[conclusion.job.ref, conclusion.job.fence] = verdict.result
        current = self.jobs.get(conclusion.job.ref)
        if current is not None and _shows(current, conclusion):
            return Written(current, conclusion.job)
        if current is None or current.state is not State.RUNNING or current.fence != conclusion.job.fence:
            return Refused(current)
        if _is_disturbed(current, conclusion):
            return Refused(current)
        after = concluded(current, verdict, conclusion.now_ms)
        lifecycle.check_move(verb_of(verdict), current.state, after.state)
        self.jobs[after.ref] = replace(after, owns_args=after.owns_args and envelope is not None)
        self._tell(conclusion.notices)
        self.outbox.update({outbound.name: outbound for outbound in conclusion.outbounds})
        return Written(self.jobs[after.ref], current)

    def _tell(self, notices: tuple[Notice, ...]) -> None:
        for notice in notices:
            if notice.record.ref not in self.jobs:
                self.jobs[notice.record.ref] = notice.record
                self.envelopes[notice.record.ref, notice.record.fingerprint] = notice.envelope


def _is_the_tables(job: Job) -> bool:
    return job.state is State.SCHEDULED or job.watched


def _is_as_read(verb: Verb, current: Job, read: Job) -> bool:
    told = transition(verb).guard is not Guard.UNTOLD or current.answers == read.answers
    return told and _identity(current) == _identity(read)


def _is_disturbed(current: Job, conclusion: Conclusion) -> bool:
    """Whether something came between that the verdict must not pass over."""
    guard, holder = transition(verb_of(conclusion.verdict)).guard, conclusion.job
    unheard = current.cancel_asked and not holder.cancel_asked
    if guard is Guard.UNANSWERED:
        return unheard or current.answers != holder.answers
    return unheard and guard is Guard.UNDISTURBED


def _identity(job: Job) -> tuple[State, int, int, int | None]:
    return job.state, job.fence, job.generation, job.claimable_at


def _number(failed: AttemptFailure) -> tuple[int, int]:
    return failed.generation, failed.attempt


def _shows(record: Job, conclusion: Conclusion) -> bool:
    """Whether this very conclusion made `record`."""
    mine = concluded(conclusion.job, conclusion.verdict, conclusion.now_ms)
    return (record.fence, record.state, record.concluded) == (mine.fence, mine.state, mine.concluded)


def _page(jobs: dict[str, Job], scope: str, limit: int, cursor: str | None, *, newest_first: bool = False) -> Page:
    """The jobs after the cursor's key, so that jobs that leave the listing meanwhile make none be skipped."""
    seal = f"{crc32(scope.encode()):08x}-"
    after = None if cursor is None else _key_in(cursor, seal)
    keys = sorted(jobs, reverse=newest_first)
    left = [key for key in keys if after is None or (key < after if newest_first else key > after)]
    more = len(left) > limit
    last = f"{seal}{left[limit - 1].encode().hex()}" if more else None
    return Page(tuple(jobs[key] for key in left[:limit]), last)


def _key_in(cursor: str, seal: str) -> str:
    try:
        if cursor.startswith(seal):
            return bytes.fromhex(cursor.removeprefix(seal)).decode()
    except ValueError:
        pass
    raise InputError.at("cursor", "is not one that this listing returned", "cursor")


def _moment(job: Job) -> int:
    return job.claimable_at if job.claimable_at is not None else job.finished_at or 0
