"""How the janitor's minute is divided."""

from __future__ import annotations

import pytest

from tidemill.domain.errors import UnavailableError
from tidemill.entrypoints.janitor import run_duties


class Janitor:
    """Remembers its deadlines; the sweep fails if it is told to."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.failure, self.deadlines = failure, {}

    def sweep(self, deadline_ms):
        self.deadlines["sweep"] = deadline_ms
        if self.failure:
            raise self.failure
        return 3

    def census(self, deadline_ms):
        self.deadlines["census"] = deadline_ms
        return 2


def test_the_sweep_leaves_the_census_half_of_the_time():
    janitor = Janitor()

    assert run_duties(janitor, 1_000_000, 60_000) == {"sent": 3, "deaths": 2}
    assert janitor.deadlines == {"sweep": 1_030_000, "census": 1_055_000}


def test_a_census_is_taken_after_a_sweep_that_failed_and_the_failure_shows():
    janitor = Janitor(UnavailableError("due", "Throttled"))

    with pytest.raises(UnavailableError):
        run_duties(janitor, 1_000_000, 60_000)

    assert "census" in janitor.deadlines
