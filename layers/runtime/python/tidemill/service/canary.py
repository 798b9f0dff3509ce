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
class Bird:
    """One job of a canary.

    Attributes:
        generation: the one it died in. `flew`: whether it was redriven.
    """

    ref: JobRef
    generation: int
    flew: bool = True

    @classmethod
    def of(cls, dead: Job, *, flew: bool = True) -> Bird:
        """A dead job, before or after it was redriven."""
        return cls(dead.ref, dead.generation, flew)


@dataclass(frozen=True, slots=True)
class CanaryEnded:
    """How the first ones fared.

    Attributes:
        well: those that ended otherwise than dead. `died`: those that died again. `unended`: those that had not
            ended when the wait was over. `unflown`: those that were not redriven, or have no record.
    """

    well: tuple[JobRef, ...] = ()
    died: tuple[JobRef, ...] = ()
    unended: tuple[JobRef, ...] = ()
    unflown: tuple[JobRef, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether the others may follow: each was redriven, ended, and did not die."""
        return not (self.has_failed or self.unended)

    @property
    def has_failed(self) -> bool:
        """Whether it can't pass any more, however long one waits."""
        return bool(self.died or self.unflown)


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

    def watch(self, birds: Sequence[Bird]) -> CanaryEnded:
        """Wait until these jobs have ended again.

        One that failed is enough: the others of the canary are not waited for then.

        Raises:
            UnavailableError: AWS did not answer.
        """
        until = self.clock.now_ms() + milliseconds(self.wait)
        while True:
            seen = look(self.reader, birds)
            if seen.passed or seen.has_failed or self.clock.now_ms() >= until:
                return seen
            self.sleep(_POLL_S)


def look(reader: JobReader, birds: Sequence[Bird]) -> CanaryEnded:
    """How these jobs fared so far.

    Raises:
        UnavailableError: AWS did not answer.
    """
    well, died, unended = [], [], []
    unflown = [bird.ref for bird in birds if not bird.flew]
    flown = [bird for bird in birds if bird.flew]
    for bird, now in zip(flown, reader.find([bird.ref for bird in flown]), strict=True):
        if now is None:
            unflown.append(bird.ref)
        # Until a worker meets the message that was put back, the record is still the dead one.
        elif now.generation <= bird.generation or not now.state.is_final:
            unended.append(bird.ref)
        elif now.state is State.DEAD:
            died.append(bird.ref)
        else:
            well.append(bird.ref)
    return CanaryEnded(tuple(well), tuple(died), tuple(unended), tuple(unflown))
