"""The demo's verdicts: what fails, what is not reached, and the last line."""

import pytest

from examples.demo.scoreboard import Scoreboard


@pytest.fixture
def told():
    return []


@pytest.fixture
def board(told):
    return Scoreboard(("one", "two", "three"), lambda name, problem: told.append((name, problem)))


def test_all_that_held_is_a_success(board):
    for name in board.names:
        board.score(name, "")
    board.close()

    assert board.held
    assert board.summary == "3 passed, 0 failed"


def test_one_problem_fails_the_demo(board, told):
    for name in board.names:
        board.score(name, "no" if name == "two" else "")

    assert not board.held
    assert board.summary == "2 passed, 1 failed"
    assert told == [("one", ""), ("two", "no"), ("three", "")]


def test_what_was_not_reached_has_failed(board):
    board.score("one", "")
    board.close()

    assert not board.held
    assert board.summary == "1 passed, 2 failed"
    assert board.verdicts["three"] == "was not reached"


def test_a_demo_that_is_not_closed_has_not_held(board):
    board.score("one", "")

    assert not board.held


def test_what_breaks_fails_its_own_checks_and_lets_the_rest_go_on(board):
    with board.expecting("one", "two"):
        board.score("one", "")
        raise KeyError("id")
    with board.expecting("three"):
        board.score("three", "")

    assert board.verdicts == {"one": "", "two": "KeyError: 'id'", "three": ""}


def test_a_check_that_nobody_made_has_failed(board):
    with board.expecting("one"):
        pass

    assert board.verdicts["one"] == "was not checked"


def test_ctrl_c_is_no_verdict(board):
    with pytest.raises(KeyboardInterrupt), board.expecting("one"):
        raise KeyboardInterrupt

    assert "one" not in board.verdicts


@pytest.mark.parametrize("name", ["one", "four"])
def test_no_check_is_scored_twice_or_made_up(board, name):
    board.score("one", "")

    with pytest.raises(ValueError, match="no open check"):
        board.score(name, "")
