"""Every schedule within the bounds keeps the promises, and the search would notice if one did not."""

from functools import cache

import pytest

from tests.model.ledger import rows, verbs
from tests.model.models import MODELS
from tests.model.planted import PLANTED
from tidemill.domain.lifecycle import State, Verb

SEARCHES = [(name, index) for name, kind in MODELS.items() for index in range(len(kind.bounds))]
# Edges that the table allows and nothing takes.
NOT_TAKEN = {
    # The census leaves alone what the sweep is about to send.
    (Verb.REPORT_DEAD, State.SCHEDULED),
    # It sends those anew that wait for their next attempt, but in lanes in order, which no model has.
    (Verb.REPORT_DEAD, State.RETRYING),
}


@cache
def searched(name, index):
    kind = MODELS[name]
    return kind.search(kind.bounds[index], most=200_000)


@pytest.mark.parametrize(
    ("name", "index"), SEARCHES, ids=[f"{name}: {MODELS[name].bounds[index].name}" for name, index in SEARCHES]
)
def test_no_schedule_breaks_a_promise(name, index):
    finding, _ = searched(name, index)

    assert not finding.problem, str(finding)
    assert finding.states > 30


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: f"{planted.model}: {planted.name}")
def test_the_search_finds_the_planted_bug(planted):
    kind = MODELS[planted.model]
    bounds = next(bounds for bounds in kind.bounds if bounds.name == planted.bounds)

    with planted.applied():
        finding, _ = kind.search(bounds, most=200_000)

    assert finding.problem
    assert 3 <= len(finding.trace) <= 40


@pytest.mark.parametrize("name", MODELS)
def test_every_verb_of_the_table_is_modelled_or_left_out_by_name(name):
    kind = MODELS[name]

    assert kind.modelled | set(kind.left_out) == verbs() == set(Verb)
    assert not kind.modelled & set(kind.left_out)
    assert all(kind.left_out.values())


@pytest.mark.parametrize("name", MODELS)
def test_every_modelled_verb_is_taken_and_no_other(name):
    taken = {verb for index in range(len(MODELS[name].bounds)) for verb, _ in searched(name, index)[1]}

    assert taken == MODELS[name].modelled


def test_every_edge_of_the_table_is_taken_by_some_model():
    taken = {edge for name, index in SEARCHES for edge in searched(name, index)[1]}

    assert rows() - taken == NOT_TAKEN
