"""Whether many schedules fire in one minute: what a person can't see in a list of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from heapq import merge
from itertools import count, groupby, islice, takewhile
from typing import Any, Final

from tidemill.domain.cron import Cron, Timing
from tidemill.domain.schedule import Schedule

# More than a batch of a lane by default.
MOST_TOGETHER: Final = 10
# A year that no synth's clock chooses, so that one program always gets one answer.
_START: Final = datetime(2027, 1, 1, tzinfo=UTC)
_END: Final = datetime(2028, 1, 1, tzinfo=UTC)
# Of that year so many ticks of all schedules are looked at, to keep synth quick.
_MOST_LOOKED_AT: Final = 200_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """The first minute in which too many fire, and which."""

    at: datetime
    names: tuple[str, ...]


def crowded(schedules: Iterable[tuple[Any, Schedule]]) -> Crowd | None:
    """The first minute of a year in which more than `MOST_TOGETHER` enabled schedules without jitter fire.

    Spans are taken to begin together, as those do that one deployment creates.
    """
    exact = [schedule for _, schedule in schedules if schedule.enabled and schedule.jitter is None]
    if len(exact) <= MOST_TOGETHER:
        return None
    ticks = merge(*(_named(schedule) for schedule in exact))
    for at, together in groupby(islice(ticks, _MOST_LOOKED_AT), key=lambda tick: tick[0]):
        names: Sequence[str] = [name for _, name in together]
        if len(names) > MOST_TOGETHER:
            return Crowd(at, tuple(names))
    return None


def _named(schedule: Schedule) -> Iterator[tuple[datetime, str]]:
    fires = takewhile(lambda fire: fire < _END, _fires(schedule.timing))
    return ((fire, schedule.title) for fire in fires)


def _fires(timing: Timing) -> Iterator[datetime]:
    if isinstance(timing, Cron):
        return timing.fires(_START - timedelta(minutes=1))
    return (_START + timing.span * number for number in count())
