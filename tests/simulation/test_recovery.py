"""A dead worker's job starts again within its lease and 35 s, wherever the worker died."""

from unittest.mock import patch

import pytest

from tests.simulation.jobs import registries
from tests.simulation.recovery import FLOWS, MARGIN_MS, recoveries
from tests.simulation.schedule import opened
from tidemill.service.executor import Executor


@pytest.fixture(scope="module")
def stage():
    with opened() as stage:
        yield stage


@pytest.fixture(scope="module")
def measured(stage):
    return {lease: list(recoveries(stage, lease)) for lease in FLOWS}


@pytest.mark.parametrize("lease", FLOWS, ids=lambda lease: lease.flow.name)
def test_a_job_starts_again_in_time(measured, lease):
    longest = lease.lasts_ms(registries()["new"]) + MARGIN_MS

    assert [one for one in measured[lease] if one.took_ms > longest] == []
    assert len(measured[lease]) > 10


def test_the_docs_show_how_soon(measured, repository):
    shown = (repository / "docs/proof.md").read_text()

    crashes = sum(len(found) for found in measured.values())
    longest = {
        has_heartbeat: max(
            one.took_ms for lease, found in measured.items() if lease.has_heartbeat is has_heartbeat for one in found
        )
        for has_heartbeat in (True, False)
    }
    assert f"{crashes} crashes" in shown
    assert f"{longest[True] / 1000:.1f} s with a heartbeat of 10 s" in shown
    assert f"{longest[False] / 1000:.1f} s with a function timeout of 75 s" in shown


def test_a_lease_that_is_too_long_is_found(stage):
    def until_the_end(_, batch, *__):
        return batch.performer.deadline_ms + 30_000

    lease = next(lease for lease in FLOWS if lease.has_heartbeat)
    with patch.object(Executor, "_lease_until", until_the_end):
        found = list(recoveries(stage, lease))

    assert max(one.took_ms for one in found) > lease.lasts_ms(registries()["new"]) + MARGIN_MS
