"""A few first: wait until they ended, and say whether the others may follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from tidemill.domain.duration import milliseconds, minutes
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Clock, JobReader

DEFAULT_WAIT: Final = minutes(10)
_POLL_S: Final = 2.0


@dataclass(frozen=True, slots=True)
class CanaryEnded:
    """How the first ones fared.

    Attributes:
        well: those that ended otherwise than dead. `died`: those that died again. `unended`: those that had not
            ended when the wait was over.
    """

    well: tuple[JobRef, ...]
    died: tuple[JobRef, ...]
    unended: tuple[JobRef, ...]

    @property
    def passed(self) -> bool:
        """Whether the others may follow: all ended, and none died."""
        return not self.died and not self.unended


@dataclass(frozen=True, slots=True)
class Canary:
    """Watches redriven jobs.

    Arguments:
        wait: how long at the most.
        sleep: waits so many seconds.
    """

    reader: JobReader
    clock: Clock
    sleep: Callable[[float], None]
    wait: timedelta = DEFAULT_WAIT

    def watch(self, before: Sequence[Job]) -> CanaryEnded:
        """Wait until these jobs, given as they were when they were dead, have ended again.

        One death is enough: the others of the canary are not waited for then.

        Raises:
            UnavailableError: AWS did not answer.
        """
        until = self.clock.now_ms() + milliseconds(self.wait)
        while True:
            seen = _ended(before, self.reader.find([job.ref for job in before]))
            if seen.passed or seen.died or self.clock.now_ms() >= until:
                return seen
            self.sleep(_POLL_S)


def _ended(before: Sequence[Job], now: Sequence[Job | None]) -> CanaryEnded:
    well, died, unended = [], [], []
    for old, new in zip(before, now, strict=True):
        # Until a worker meets the message that was put back, the record is still the dead one.
        if new is None or new.generation <= old.generation or not new.state.is_final:
            unended.append(old.ref)
        elif new.state is State.DEAD:
            died.append(old.ref)
        else:
            well.append(old.ref)
    return CanaryEnded(tuple(well), tuple(died), tuple(unended))
