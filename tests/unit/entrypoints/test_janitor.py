"""How the janitor's minute is divided."""

from __future__ import annotations

import pytest

from tidemill.domain.errors import UnavailableError
from tidemill.entrypoints.janitor import run_duties


class Janitor:
    """Remembers its deadlines; the duties fail that it is told to."""

    def __init__(self, *failing: str) -> None:
        self.failing, self.deadlines = failing, {}

    def run(self, deadline_ms):
        return self._do("ticks", deadline_ms, 4)

    def sweep(self, deadline_ms):
        return self._do("sweep", deadline_ms, 3)

    def census(self, deadline_ms):
        return self._do("census", deadline_ms, 2)

    def look(self, deadline_ms):
        return self._do("look", deadline_ms, 1)

    def _do(self, duty, deadline_ms, answer):
        self.deadlines[duty] = deadline_ms
        if duty in self.failing:
            raise UnavailableError(duty, "Throttled")
        return answer


def test_each_duty_leaves_the_next_ones_their_part_of_the_time():
    janitor = Janitor()

    assert run_duties(janitor, janitor, janitor, 1_000_000, 60_000) == {
        "ticks": 4,
        "sent": 3,
        "deaths": 2,
        "batch_ends": 1,
    }
    assert janitor.deadlines == {"ticks": 1_015_000, "sweep": 1_030_000, "census": 1_045_000, "look": 1_055_000}


@pytest.mark.parametrize("failing", [("ticks",), ("sweep",), ("census",), ("ticks", "sweep", "census")])
def test_each_duty_is_done_after_one_that_failed_and_the_failure_shows(failing):
    janitor = Janitor(*failing)

    with pytest.raises(UnavailableError):
        run_duties(janitor, janitor, janitor, 1_000_000, 60_000)

    assert list(janitor.deadlines) == ["ticks", "sweep", "census", "look"]
