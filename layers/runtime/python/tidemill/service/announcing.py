"""Who is told of an end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random
from typing import TYPE_CHECKING

from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.notice import Notice, notice_of
from tidemill.domain.outcome import Bury, Complete, Verdict
from tidemill.domain.registry import JobRegistry

if TYPE_CHECKING:
    from tidemill.domain.outbox import Outbound


@dataclass(frozen=True, slots=True)
class DeathAnnouncer:
    """Makes the notice of a death, where the dead job's kind asks for one."""

    registry: JobRegistry
    random: Random

    def of_verdict(self, job: Job, verdict: Verdict, now_ms: int, cause: Envelope | None) -> tuple[Notice, ...]:
        """The notice that is written together with `verdict`."""
        if not isinstance(verdict, Bury):
            return ()
        return self.of(replace(job, reason=verdict.reason, error=verdict.failure.fingerprint), now_ms, cause)

    def of(self, dead: Job, now_ms: int, cause: Envelope | None) -> tuple[Notice, ...]:
        """The notice of the death of `dead`, the record as it will be."""
        try:
            asked = self.registry.resolve(dead.kind).on_dead
            if asked is None:
                return ()
            lane = self.registry.resolve(asked.job_kind).lane
        except InputError:
            # This code knows neither the kind nor what it asks for.
            return ()
        notice = notice_of(dead, asked, lane, now_ms, self.random.getrandbits(74), cause)
        return () if notice is None else (notice,)


@dataclass(frozen=True, slots=True)
class EndAnnouncer:
    """Makes the fact of an end, where the job's kind announces it. `stack`: whose fact it is."""

    registry: JobRegistry
    stack: str

    def of_verdict(self, job: Job, verdict: Verdict, now_ms: int, cause: Envelope | None) -> tuple[Outbound, ...]:
        """The fact that is written together with `verdict`."""
        match verdict:
            case Complete():
                return self.of(replace(job, state=State.SUCCEEDED), now_ms, cause)
            case Bury():
                dead = replace(job, state=State.DEAD, reason=verdict.reason, error=verdict.failure.fingerprint)
                return self.of(dead, now_ms, cause)
            case _:
                return ()

    def of(self, ended: Job, now_ms: int, cause: Envelope | None) -> tuple[Outbound, ...]:
        """The fact of the end of `ended`, the record as it will be."""
        try:
            if ended.state not in self.registry.resolve(ended.kind).announces:
                return ()
        except InputError:
            # This code does not know the kind.
            return ()
        # Few kinds announce anything.
        from tidemill.domain.announced import end_of

        return (end_of(ended, now_ms, cause, self.stack),)
