"""Every edge in all three places: they agree, or the difference is one that is named."""

import pytest

from tests.conformance.conftest import EMULATORS
from tests.conformance.differences import BY_NAME, DIFFERENCES
from tests.conformance.edge import NOT_TRIED
from tests.conformance.edges import EDGES
from tests.conformance.subjects import Fake

every_edge = pytest.mark.parametrize("edge", EDGES.values(), ids=lambda edge: edge.name)


@every_edge
def test_an_emulator_does_as_the_fake_or_differs_in_the_way_that_is_named(edge, emulator):
    ours, theirs = Fake(), emulator()
    outcome = edge.outcome(theirs)
    if outcome == NOT_TRIED:
        pytest.skip(f"{theirs.name}: {NOT_TRIED}")

    known = BY_NAME[edge.name].outcomes.get(theirs.name) if edge.name in BY_NAME else None

    expected = edge.outcome(ours)
    assert outcome == (expected if known is None else known)
    assert known != expected, f"{theirs.name} no longer differs. Fix: take it out of differences.py and emulators.md"


@pytest.mark.parametrize("difference", DIFFERENCES, ids=lambda difference: difference.name)
def test_a_named_difference_has_an_edge_and_somebody_who_differs(difference):
    assert difference.name in EDGES
    assert difference.outcomes
    assert difference.outcomes.keys() <= set(EMULATORS)


def test_a_name_stands_for_one_difference():
    assert len(BY_NAME) == len(DIFFERENCES)
