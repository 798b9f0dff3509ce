"""The table of states and moves."""

import pytest

from tidemill.domain.lifecycle import (
    BIRTHS,
    FINAL,
    TRANSITIONS,
    Guard,
    State,
    Verb,
    allows,
    check_birth,
    check_move,
    mermaid,
    transition,
)


def test_every_verb_has_one_row():
    assert sorted(move.verb for move in TRANSITIONS) == sorted(Verb)


@pytest.mark.parametrize("state", State)
def test_no_move_leaves_a_final_state_without_a_new_generation(state):
    leaving = [move for move in TRANSITIONS if state in move.sources and move.target is not state]

    assert state.is_final == all(move.new_generation for move in leaving)
    assert state.is_final == (state in FINAL)


def test_nothing_ever_leaves_succeeded():
    assert not [move for move in TRANSITIONS if State.SUCCEEDED in move.sources]


def test_only_a_holder_ends_a_run_and_only_a_claimable_job_is_claimed():
    ends = {Verb.COMPLETE, Verb.RETRY, Verb.PARK, Verb.WAIT, Verb.BURY, Verb.EXPIRE, Verb.STOP}

    waits = {Verb.RETRY, Verb.PARK}

    holders = ends - waits - {Verb.WAIT}
    assert {move.verb for move in TRANSITIONS if move.guard is Guard.HOLDER} == holders | {Verb.EXTEND}
    assert {move.verb for move in TRANSITIONS if move.guard is Guard.UNANSWERED} == {Verb.WAIT}
    assert {move.verb for move in TRANSITIONS if move.guard is Guard.UNDISTURBED} == waits
    assert {move.verb for move in TRANSITIONS if move.guard is Guard.CLAIMABLE} == {Verb.CLAIM}
    assert all(transition(verb).sources == {State.RUNNING} for verb in ends)


def test_a_new_generation_starts_where_a_job_can_run_from():
    opened = {move.target for move in TRANSITIONS if move.new_generation}

    assert opened == {State.RUNNING, State.QUEUED, State.SCHEDULED}


def test_what_runs_is_not_cancelled():
    assert {state for state in State if allows(Verb.CANCEL, state)} == {State.SCHEDULED, State.QUEUED, State.RETRYING}


@pytest.mark.parametrize(
    ("verb", "source", "target"),
    [
        (Verb.COMPLETE, State.QUEUED, State.SUCCEEDED),
        (Verb.COMPLETE, State.RUNNING, State.DEAD),
        (Verb.CANCEL, State.SUCCEEDED, State.CANCELLED),
        (Verb.RERUN, State.SUCCEEDED, State.RUNNING),
        (Verb.REVIVE, State.QUEUED, State.QUEUED),
    ],
)
def test_a_move_that_is_not_listed_is_refused(verb, source, target):
    with pytest.raises(ValueError, match="does not lead"):
        check_move(verb, source, target)


def test_a_listed_move_is_let_through():
    for move in TRANSITIONS:
        for source in move.sources:
            check_move(move.verb, source, move.target)


def test_a_record_is_born_where_it_can_run_from_or_final_because_it_never_will():
    assert {birth.state for birth in BIRTHS if not birth.state.is_final} == {
        State.SCHEDULED,
        State.QUEUED,
        State.RUNNING,
    }
    finals = {birth.through: birth.state for birth in BIRTHS if birth.state.is_final}
    assert finals == {"refuse": State.DEAD, "withdraw": State.CANCELLED, "close": State.CANCELLED}


def test_a_birth_that_is_not_listed_is_refused():
    for birth in BIRTHS:
        check_birth(birth.through, birth.state)
    with pytest.raises(ValueError, match="no record is born succeeded through refuse"):
        check_birth("refuse", State.SUCCEEDED)


def test_the_diagram_has_an_edge_for_every_move_and_no_other():
    lines = mermaid().splitlines()
    edges = {line.strip() for line in lines if ": " in line and "[*]" not in line}

    assert lines[0] == "stateDiagram-v2"
    assert len(edges) == sum(len(move.sources) for move in TRANSITIONS)
    assert "dead --> running: redrive (generation + 1)" in edges
    assert "running --> succeeded: complete" in edges
    births = {line.strip() for line in lines if line.strip().startswith("[*] -->")}
    assert births == {f"[*] --> {birth.state}: {birth.through}" for birth in BIRTHS}


def test_the_page_in_the_docs_shows_the_table_as_it_is(repository):
    page = repository / "docs" / "lifecycle.md"

    assert mermaid() in page.read_text(encoding="utf-8")
