"""Every action of an operator leaves an entry: its intent before anything is changed, its outcome after.

No audit, no action: if the intent can't be written, nothing is done.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from random import Random

from tidemill.domain.audit import MAX_AUDITED_JOBS, AuditEntry, Outcome
from tidemill.domain.errors import TidemillError, UnavailableError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import JobRef
from tidemill.domain.ports import AuditTrail, Clock


@dataclass
class Tally:
    """What an action has done so far.

    Attributes:
        stopped: why it ended before all was done; the code of it.
    """

    counts: Counter[str] = field(default_factory=Counter)
    jobs: dict[JobRef, None] = field(default_factory=dict)
    stopped: str | None = None

    def add(self, what: str, ref: JobRef | None = None, count: int = 1) -> None:
        """Something was done `count` times, to this job if it was one."""
        self.counts[what] += count
        if ref is not None and len(self.jobs) < MAX_AUDITED_JOBS:
            self.jobs[ref] = None


@dataclass(frozen=True, slots=True)
class Auditor:
    """Writes the trail.

    Arguments:
        actor: tells who acts, when it is first asked.
    """

    trail: AuditTrail
    clock: Clock
    random: Random
    actor: Callable[[], str]

    @contextmanager
    def action(
        self,
        name: str,
        tenant: str | None = None,
        chosen: Mapping[str, str] | None = None,
        manner: str = "",
        jobs: Sequence[JobRef] = (),
    ) -> Iterator[Tally]:
        """Write the intent, let the action be done inside, write its outcome.

        Arguments:
            jobs: those that are meant, where they are known.

        Raises:
            UnavailableError: the intent is not known to be written; nothing is done.
        """
        at = self.clock.now_ms()
        entry = AuditEntry(
            id=time_ordered_id(at, self.random.getrandbits(74)),
            at=at,
            actor=self.actor(),
            action=name,
            tenant=tenant,
            chosen=chosen or {},
            manner=manner,
            jobs=tuple(map(str, jobs[:MAX_AUDITED_JOBS])),
        )
        self.trail.write(entry)
        tally = Tally()
        try:
            yield tally
        except GeneratorExit:
            # Whoever asked for it left in the middle.
            self._end(entry, tally, Outcome.STOPPED, "abandoned")
            raise
        except BaseException as error:
            code = error.code if isinstance(error, TidemillError) else type(error).__name__
            self._end(entry, tally, Outcome.FAILED, code)
            raise
        self._end(entry, tally, Outcome.STOPPED if tally.stopped else Outcome.DONE, tally.stopped)

    def _end(self, entry: AuditEntry, tally: Tally, outcome: Outcome, error: str | None) -> None:
        # What was meant and not reached is looked for, too: it failed, or nobody knows.
        jobs = dict.fromkeys([*entry.jobs, *map(str, tally.jobs)])
        ended = replace(
            entry,
            outcome=outcome,
            ended_at=self.clock.now_ms(),
            counts=dict(tally.counts),
            jobs=tuple(jobs)[:MAX_AUDITED_JOBS],
            error=error,
        )
        try:
            self.trail.write(ended)
        except UnavailableError:
            # What was done is done. The intent stands, and says that nothing is known of its end.
            return
