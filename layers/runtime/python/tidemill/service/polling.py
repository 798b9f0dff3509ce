"""Waiting for a job to end, politely: often while somebody is likely to look on, seldom after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Final

from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.ports import Clock, JobReader

_FIRST_S: Final = 0.1
_LONGEST_S: Final = 2.0
_GROWTH: Final = 1.5
# Of many who began at the same time, no two keep asking at the same time.
_JITTER: Final = 0.2

# How long JobClient.run waits if nothing is said.
RUN_WAIT: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True)
class Polling:
    """Reads one record again and again.

    The first pause is 0.1 s, each next one half as long again, up to 2 s, all give or take a fifth: about 9 reads in
    the first 5 s, and one every 2 s then. A read is consistent and costs one read unit.

    Arguments:
        sleep: lets so many seconds go by.
    """

    reader: JobReader
    clock: Clock
    random: Random
    sleep: Callable[[float], object]

    def until_final(self, ref: JobRef, wait: timedelta) -> Job | None:
        """The record as soon as it is final, or as it is when `wait` is over; None if there is none yet.

        A read that AWS does not answer is made again.

        Raises:
            UnavailableError: nor did it answer the last one.
        """
        deadline_ms = self.clock.now_ms() + milliseconds(wait)
        for pause_s in self._pauses():
            left_s = (deadline_ms - self.clock.now_ms()) / 1000
            try:
                job = self.reader.find([ref])[0]
            except UnavailableError:
                if left_s <= 0:
                    raise
            else:
                if left_s <= 0 or (job is not None and job.state.is_final):
                    return job
            self.sleep(min(pause_s, max(left_s, 0.0)))
        return None

    def _pauses(self) -> Iterator[float]:
        pause_s = _FIRST_S
        while True:
            yield pause_s * (1 + _JITTER * (2 * self.random.random() - 1))
            pause_s = min(pause_s * _GROWTH, _LONGEST_S)
