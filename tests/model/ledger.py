"""The table in memory, and a second reader of the lifecycle: every write is held against the row of its verb."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tidemill.domain.conclusion import verb_of
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import TRANSITIONS, Guard, State, Transition, Verb
from tidemill.domain.ports import Answer, Claim, Conclusion, Written
from tidemill.testing.store import MemoryStore

_ROWS = {row.verb: row for row in TRANSITIONS}
# These are the only ones that give a new holder its fence; a close takes one, so that no redrive passes it.
_CLAIMS = frozenset({Verb.CLAIM, Verb.REDRIVE, Verb.RERUN, Verb.CLOSE})


def enabled(state: State) -> frozenset[Verb]:
    """The verbs that the table lets leave `state`."""
    return frozenset(row.verb for row in TRANSITIONS if state in row.sources)


def verbs() -> frozenset[Verb]:
    """The verbs of the table."""
    return frozenset(_ROWS)


def rows() -> frozenset[tuple[Verb, State]]:
    """Every edge of the table: a verb, and a state that it leaves."""
    return frozenset((row.verb, source) for row in TRANSITIONS for source in row.sources)


@dataclass
class Ledger(MemoryStore):
    """The shipped store, which also notes each move and what is wrong with it."""

    taken: list[tuple[Verb, State]] = field(default_factory=list)
    problem: str = ""

    def move(
        self, verb: Verb, before: Job, after: Job, notices: Any = (), *, forget: str | None = None, outbounds: Any = ()
    ) -> Answer:
        was = self.jobs.get(before.ref)
        answer = super().move(verb, before, after, notices, forget=forget, outbounds=outbounds)
        known = was is not None and was.answers == before.answers
        self._enter(verb, was, answer, unchanged=was is not None and _same(was, before), told=known)
        return answer

    def extend(self, job: Job, lease_until: int, progress: str | None) -> Answer:
        was = self.jobs.get(job.ref)
        answer = super().extend(job, lease_until, progress)
        self._enter(Verb.EXTEND, was, answer, fence=job.fence)
        return answer

    def _claim(self, claim: Claim) -> Answer:
        was = self.jobs.get(claim.ref)
        answer = super()._claim(claim)
        free = was is not None and was.claimable_at is not None and was.claimable_at < claim.now_ms
        mine = was is not None and was.fingerprint == claim.fingerprint
        self._enter(Verb.CLAIM, was, answer, claimable=free and mine)
        return answer

    def _conclude(self, conclusion: Conclusion) -> Answer:
        was = self.jobs.get(conclusion.job.ref)
        answer = super()._conclude(conclusion)
        holder = conclusion.job
        facts = {"fence": holder.fence, "heard": holder.cancel_asked}
        facts["told"] = was is not None and was.answers == holder.answers
        self._enter(verb_of(conclusion.verdict), was, answer, **facts)
        return answer

    def _enter(self, verb: Verb, was: Job | None, answer: Answer, **facts: Any) -> None:
        now = self.jobs.get(was.ref) if was is not None else None
        if was is None or now is None or not isinstance(answer, Written):
            return
        if now == was and verb not in (Verb.EXTEND, Verb.ASK_CANCEL):
            # An answer that was lost is given again.
            return
        self.taken.append((verb, was.state))
        self.problem = self.problem or _wrong(_ROWS[verb], was, now, facts)


def _same(was: Job, read: Job) -> bool:
    return (was.state, was.fence, was.generation) == (read.state, read.fence, read.generation)


def _wrong(row: Transition, was: Job, now: Job, facts: dict[str, Any]) -> str:
    if was.state not in row.sources or now.state is not row.target:
        return f"{row.verb} led from {was.state} to {now.state}"
    if now.generation != was.generation + row.new_generation:
        return f"{row.verb} led from generation {was.generation} to {now.generation}"
    if now.fence != was.fence + (row.verb in _CLAIMS):
        return f"{row.verb} led from fence {was.fence} to {now.fence}"
    return _unguarded(row, was, facts)


def _unguarded(row: Transition, was: Job, facts: dict[str, Any]) -> str:
    match row.guard:
        case Guard.CLAIMABLE if not facts["claimable"]:
            return "a claim of what was not to be claimed"
        case Guard.HOLDER | Guard.UNDISTURBED | Guard.UNANSWERED if facts["fence"] != was.fence:
            return f"{row.verb} by a worker without the fence"
        case Guard.UNDISTURBED | Guard.UNANSWERED if was.cancel_asked and not facts["heard"]:
            return f"{row.verb} of a job whose holder had not heard that it was asked to stop"
        case Guard.UNANSWERED | Guard.UNTOLD if not facts["told"]:
            return f"{row.verb} of a job that was answered without its writer's knowledge"
        case Guard.UNCHANGED | Guard.UNTOLD if not facts["unchanged"]:
            return f"{row.verb} of a record that was not as it was read"
        case _:
            return ""
