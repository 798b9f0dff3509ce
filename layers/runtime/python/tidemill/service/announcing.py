"""Who is told of a death."""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job
from tidemill.domain.notice import Notice, notice_of
from tidemill.domain.outcome import Bury, Verdict
from tidemill.domain.registry import JobRegistry


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
