"""What an entry of the trail says of the jobs that were meant, and of those that something was done with."""

from contextlib import suppress
from random import Random

import pytest

from tidemill.domain.audit import Outcome
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef
from tidemill.service.auditing import Auditor
from tidemill.testing.audit import MemoryTrail
from tidemill.testing.clock import FrozenClock


@pytest.fixture
def auditor():
    return Auditor(MemoryTrail(), FrozenClock(), Random(1), lambda: "ada")  # noqa: S311 - chance that repeats


def refs(*numbers):
    return [JobRef("acme", f"0190aaaa-0000-7000-8000-{number:012}") for number in numbers]


def entry(auditor):
    (only,) = auditor.trail.entries.values()
    return only


def test_what_failed_still_names_the_jobs_that_were_meant(auditor):
    with suppress(UnavailableError), auditor.action("answer", jobs=refs(1, 2)):
        raise UnavailableError("answer", "Throttled")

    assert (entry(auditor).outcome, entry(auditor).jobs) == (Outcome.FAILED, tuple(map(str, refs(1, 2))))


def test_those_that_nobody_could_foresee_come_after_those_that_were_meant(auditor):
    with auditor.action("redrive", jobs=refs(1, 2)) as tally:
        for ref in refs(3, 2):
            tally.add("redriven", ref)

    assert entry(auditor).jobs == tuple(map(str, refs(1, 2, 3)))


def test_no_entry_names_more_than_a_hundred(auditor):
    with auditor.action("redrive", jobs=refs(*range(60))) as tally:
        for ref in refs(*range(60, 130)):
            tally.add("redriven", ref)

    assert entry(auditor).jobs == tuple(map(str, refs(*range(100))))
