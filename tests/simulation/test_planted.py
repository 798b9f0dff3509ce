"""The simulation finds what it is there to find."""

from tests.simulation.measured import BEGIN, END, MOST_SEEDS, load, table
from tests.simulation.planted import PLANTED
from tests.simulation.prove import check_planted
from tests.simulation.schedule import Seed, opened
from tests.simulation.watchers.invariants import Violation

# Those of docs/proof.md.
INVARIANTS = {f"I{number}" for number in (*range(1, 11), *range(14, 32))}


def test_every_planted_bug_is_caught():
    assert check_planted() == []


def test_every_invariant_has_a_planted_bug():
    assert {planted.invariant for planted in PLANTED} == INVARIANTS


def test_every_invariant_broke_because_of_a_planted_bug():
    """A plant is there for one invariant, and another one may catch it first; but none is there for show."""
    broken = {invariant for one in load().values() for invariant in one.by}

    assert broken >= INVARIANTS


def test_every_planted_bug_was_measured():
    measured = load()

    assert list(measured) == [planted.name for planted in PLANTED]
    assert [name for name, one in measured.items() if one.first is None or one.seeds > MOST_SEEDS] == []


def test_the_docs_show_what_was_measured(repository):
    shown = (repository / "docs/proof.md").read_text().partition(BEGIN)[2].partition(END)[0]

    assert shown.strip() == table(load()).strip()


def test_no_shipped_code_swallows_a_violation(monkeypatch):
    def break_it(*_):
        raise Violation("I0", "found inside of a job")

    with opened() as stage:
        monkeypatch.setattr("tests.simulation.dependency.Dependency.apply", break_it)
        found = [stage.play(Seed("basic", number)).violation for number in range(5)]

    assert {violation.invariant for violation in found if violation} == {"I0"}


def test_what_is_planted_is_taken_out_again():
    with opened() as stage:
        for planted in PLANTED:
            with planted.applied():
                pass
        assert stage.play(Seed("basic", 0)).violation is None
