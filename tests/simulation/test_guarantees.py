"""The page of promises names invariants and planted bugs that exist."""

import re
from pathlib import Path

from tests.simulation.planted import PLANTED

PAGE = (Path(__file__).parents[2] / "docs/guarantees.md").read_text()
ROWS = re.findall(r"^\| `(I\d+)` \| (.+) \|$", PAGE, re.MULTILINE)


def test_every_row_is_a_planted_bug_of_that_invariant():
    planted = {(bug.invariant, bug.name) for bug in PLANTED}

    assert len(ROWS) > 20
    assert set(ROWS) <= planted


def test_every_promise_has_its_invariant_and_what_it_does_not_say():
    promises = re.split(r"^## \d+\. ", PAGE, flags=re.MULTILINE)[1:]

    assert len(promises) == 14
    assert all("*Not promised:*" in promise for promise in promises)
    # Those that no simulated schedule watches say so, and what shows them instead.
    assert all("| `I" in promise or "not in the simulation's worlds" in promise for promise in promises)
