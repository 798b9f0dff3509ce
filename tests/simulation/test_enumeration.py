"""Single faults and pairs are complete, each has a name, and what is left out of a pair's trouble is nothing new."""

import itertools

import pytest

from tests.simulation.enumeration import KINDS, PAIRED, Trial, pairs, singles
from tests.simulation.faults import Fault
from tests.simulation.flows import FLOWS
from tests.simulation.prove import main
from tests.simulation.schedule import opened
from tests.simulation.stage import playing
from tidemill.service.janitor import Janitor

FLOW = next(flow for flow in FLOWS if flow.name == "plain message")
AT_REST = Trial(FLOW, ends_at_rest=True)


class Callers:
    """A story of which only the callers are kept, one for each call."""

    def __init__(self):
        self.names = []

    def __call__(self, now_ms, who, what):
        if what[0] == "call":
            self.names.append(who)


@pytest.fixture(scope="module")
def stage():
    with opened() as stage:
        yield stage


def test_every_kind_strikes_at_every_call(stage):
    struck = [trial.faults for trial in singles(FLOW, stage)]

    assert struck == [{at: kind} for at in range(Trial(FLOW).calls(stage)) for kind in KINDS]


def test_every_two_strike_and_the_shares_are_all_of_them(stage):
    struck = [tuple(trial.faults.items()) for trial in pairs(FLOW, stage)]
    shares = [tuple(trial.faults.items()) for share in range(4) for trial in pairs(FLOW, stage, share, 4)]

    assert sorted(shares) == sorted(struck)
    for first in itertools.product(range(AT_REST.calls(stage)), PAIRED):
        after = range(first[0] + 1, Trial(FLOW, dict([first]), ends_at_rest=True).calls(stage))
        assert [second for one, second in struck if one == first] == list(itertools.product(after, PAIRED))


def test_a_story_ends_when_the_janitor_has_looked_at_all_at_rest(stage):
    shortened, whole = Callers(), Callers()

    AT_REST.play(stage, shortened)
    Trial(FLOW).play(stage, whole)

    assert len({name for name in shortened.names if name.startswith("janitor")}) == 1
    assert shortened.names[-1].startswith("janitor")
    assert not whole.names[0].startswith("janitor")


def test_a_janitor_that_changes_what_is_at_rest_is_found(stage, monkeypatch):
    sweep = Janitor.sweep

    def meddle(self, deadline_ms=None):
        item = {"pk": {"S": "nobody"}, "sk": {"S": "MEDDLED"}}
        playing().cloud.call("dynamodb", "PutItem", {"TableName": "Sim-jobs", "Item": item})
        return sweep(self, deadline_ms)

    monkeypatch.setattr(Janitor, "sweep", meddle)

    assert AT_REST.play(stage).violation.invariant == "I20"


@pytest.mark.parametrize(
    "faults", [{3: Fault.CRASH_AFTER}, {0: Fault.ACK_LOST, 17: Fault.ERROR_AFTER}], ids=["single", "pair"]
)
def test_a_trial_is_found_by_its_name(faults):
    trial = Trial(FLOW, faults, ends_at_rest=len(faults) > 1)

    assert Trial.parse(str(trial)) == trial


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("flow 'to the moon': crash after at call 3", "no flow in .*; known: succeeds, is retried"),
        ("flow parked: crash after at call 3", "no flow in"),
        ("flow 'parked': crash after", "not written as"),
        ("flow 'parked': crash after at call 3, ", "not written as"),
        ("flow 'parked': sunshine at call 3", "'sunshine' is not a valid Fault"),
    ],
)
def test_a_name_that_is_none_is_refused(name, complaint):
    with pytest.raises(ValueError, match=complaint):
        main(["--seed", name])
