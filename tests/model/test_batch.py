"""Every schedule of a batch within the bounds keeps the promises, and the search would notice if one did not."""

import pytest

from tests.model.batch import BOUNDS, search
from tests.model.batch_planted import PLANTED, bounds_named


@pytest.mark.parametrize("bounds", BOUNDS, ids=lambda bounds: bounds.name)
def test_no_schedule_breaks_a_promise(bounds):
    finding = search(bounds)

    assert not finding.problem, str(finding)
    assert finding.states > 30


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_the_search_finds_the_planted_bug(planted):
    with planted.applied():
        finding = search(bounds_named(planted.bounds))

    assert finding.problem
