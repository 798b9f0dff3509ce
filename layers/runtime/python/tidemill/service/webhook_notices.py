"""A jobs table in which no job with a webhook is over without the delivery that tells of it.

It stands before the table, so that whoever ends a job, worker, client, janitor or saga, tells of it, and nobody can
forget to. The record says who is to be told, so that it takes no registry. Stacks without webhooks do without it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from tidemill.domain.conclusion import concluded
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.job import Job
from tidemill.domain.lane import WEBHOOK_LANE
from tidemill.domain.lifecycle import Verb
from tidemill.domain.notice import Notice
from tidemill.domain.ports import Answer, AttemptFailure, Claim, Clock, Conclusion, JobStore, Written
from tidemill.domain.webhook.notice import end_told

if TYPE_CHECKING:
    from tidemill.domain.outbox import Outbound


@dataclass(frozen=True, slots=True)
class NotifyingStore:
    """See JobStore. The end of a job and its delivery's record are one transaction.

    Arguments:
        send: sends deliveries that the table owns. What it does not send, the next sweep does.
    """

    store: JobStore
    clock: Clock
    random: Random
    send: Callable[[Sequence[Job]], object]

    def conclude(self, conclusions: Sequence[Conclusion]) -> list[Answer]:
        """See JobStore."""
        told = [self._told(one) for one in conclusions]
        answers = self.store.conclude(told)
        self._send([one.notices for one in told], answers)
        return answers

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
        if after.state.is_final and not before.state.is_final:
            notices += self._of(after, after.finished_at or self.clock.now_ms())
        answer = self.store.move(verb, before, after, notices, forget=forget, outbounds=outbounds)
        self._send([notices], [answer])
        return answer

    def insert(self, jobs: Sequence[Job]) -> list[Answer]:
        """See JobStore. What is over from its beginning never was a job: nobody is told."""
        return self.store.insert(jobs)

    def refuse(self, dead: Job, evidence: AttemptFailure) -> Answer:
        """See JobStore."""
        return self.store.refuse(dead, evidence)

    def claim(self, claims: Sequence[Claim]) -> list[Answer]:
        """See JobStore."""
        return self.store.claim(claims)

    def extend(self, job: Job, lease_until: int, progress: str | None) -> Answer:
        """See JobStore."""
        return self.store.extend(job, lease_until, progress)

    def keep(self, envelopes: Sequence[Envelope], ttl_s: Sequence[int]) -> list[UnavailableError | None]:
        """See JobStore."""
        return self.store.keep(envelopes, ttl_s)

    def keep_longer(self, job: Job, ttl_s: int) -> UnavailableError | None:
        """See JobStore."""
        return self.store.keep_longer(job, ttl_s)

    def _told(self, conclusion: Conclusion) -> Conclusion:
        after = concluded(conclusion.job, conclusion.verdict, conclusion.now_ms)
        if not after.state.is_final:
            return conclusion
        told = self._of(after, conclusion.now_ms)
        return replace(conclusion, notices=conclusion.notices + told) if told else conclusion

    def _of(self, over: Job, now_ms: int) -> tuple[Notice, ...]:
        if over.webhook is None:
            return ()
        return (end_told(over, over.webhook, now_ms, self.random.getrandbits(74)),)

    def _send(self, told: Sequence[tuple[Notice, ...]], answers: Sequence[Answer]) -> None:
        """Send what was written at once, so that nobody waits for the next sweep."""
        written = zip(told, answers, strict=True)
        records = [
            notice.record
            for notices, answer in written
            if isinstance(answer, Written)
            for notice in notices
            if notice.record.lane == WEBHOOK_LANE
        ]
        if records:
            # The table has them: whatever goes wrong here costs a minute.
            with suppress(TidemillError):
                self.send(records)
