"""Rebuilds: the next edition beside the one that is read, whole before it is read itself."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams import account
from tests.unit.service.books import POISON, Balance, Books
from tidemill.domain.chain import EMPTY
from tidemill.domain.line import Editions, Line
from tidemill.domain.store_errors import ProjectionNotFoundError, RebuildError
from tidemill.domain.stream import StreamRef
from tidemill.service.standing import Lag


@pytest.fixture
def books():
    return Books()


def test_a_rebuild_fills_the_next_edition_while_the_live_one_is_read(books):
    books.projector.take([*books.move("7", 5), *books.move("8", 1)])
    books.deploy(factor=10)

    assert books.rebuilder.begin("balances") == 2
    assert books.lines.editions("balances") == Editions(1, 2, 2)
    assert books.shown("7").cents == 5
    books.fill()
    assert books.shown("7").cents == 5
    assert books.rebuilder.switch("balances") == Editions(2, None, 2)
    assert books.shown("7").cents == 50
    assert len(books.lines.lines) == 4
    assert books.rebuilder.purge("balances", None) is None
    assert {edition for _, edition, _ in books.lines.lines} == {2}
    assert books.shown("8").cents == 10


def test_a_rebuilt_read_model_is_the_live_one(books):
    for key in "789":
        books.projector.take(books.move(key, 5, 2))
    books.rebuilder.begin("balances")
    books.fill()

    assert list(books.rebuilder.differing("balances")) == []
    (place, line) = next((place, line) for place, line in books.lines.lines.items() if place[1] == 1)
    books.lines.lines[place] = Line(line.ref, EMPTY)
    assert list(books.rebuilder.differing("balances")) == [place[2]]


@settings(max_examples=40, deadline=None)
@given(st.lists(st.sampled_from(["append", "late", "fill", "repeat"]), max_size=14), st.randoms(use_true_random=False))
def test_what_is_appended_while_a_rebuild_runs_is_in_both_editions(happenings, chance):
    books, waiting, done, cursors = Books(), [], [], [None]
    books.projector.take(books.move("7", 1, 2))
    books.rebuilder.begin("balances")

    def late():
        done.append(waiting.pop(chance.randrange(len(waiting))))
        books.projector.take(done[-1])

    # What happens, and whether it can.
    verbs = {
        "append": (lambda: waiting.append(books.move(chance.choice("789"), 1, 2)), lambda: True),
        "late": (late, lambda: waiting),
        "repeat": (lambda: books.projector.take(chance.choice(done)), lambda: done),
        "fill": (lambda: cursors.append(books.rebuilder.fill("balances", 2, cursors.pop()).cursor), lambda: True),
    }
    for what in happenings:
        do, can = verbs[what]
        if can():
            do()
    books.fill()
    for facts in waiting:
        books.projector.take(facts)

    assert list(books.rebuilder.differing("balances")) == []
    books.rebuilder.switch("balances")
    for key in "789":
        state = books.streams.load(account, key).state
        assert (books.shown(key) or Balance()).cents == state.cents


def test_an_edition_with_halted_streams_is_not_switched_to(books):
    books.projector.take(books.move("7", 5))
    books.deploy(poison=5)
    books.rebuilder.begin("balances")
    books.fill()

    with pytest.raises(RebuildError, match="no such coin"):
        books.rebuilder.switch("balances")
    assert books.shown("7").cents == 5
    assert books.rebuilder.switch("balances", anyway=True).live == 2
    assert books.models.get(books.balances, "7").halted


def test_an_edition_that_is_not_filled_to_the_end_is_not_switched_to(books, monkeypatch):
    monkeypatch.setattr("tidemill.service.rebuilding._PAGE", 2)
    books.projector.take([*books.move("7", 5, 1), *books.move("8", 1, 1)])
    edition = books.rebuilder.begin("balances")
    first = books.rebuilder.fill("balances", edition, None)

    for anyway in (False, True):
        with pytest.raises(RebuildError, match="edition 2 is filled in part only"):
            books.rebuilder.switch("balances", anyway=anyway)
    assert (books.shown("7").cents, books.shown("8").cents) == (6, 2)
    while first.cursor is not None:
        first = books.rebuilder.fill("balances", edition, first.cursor)
    # Filled once more, as `--go-on` does, it stays filled.
    books.fill()
    assert books.rebuilder.switch("balances") == Editions(2, None, 2)
    assert (books.shown("7").cents, books.shown("8").cents) == (6, 2)


def test_a_rebuild_that_somebody_dropped_does_not_go_on_in_the_next_one(books, monkeypatch):
    monkeypatch.setattr("tidemill.service.rebuilding._PAGE", 1)
    books.projector.take(books.move("7", 5, 1))
    dropped = books.rebuilder.begin("balances")
    cursor = books.rebuilder.fill("balances", dropped, None).cursor
    books.rebuilder.drop("balances")
    begun = books.rebuilder.begin("balances")

    for call in (
        lambda: books.rebuilder.fill("balances", dropped, cursor),
        lambda: books.rebuilder.switch("balances", dropped),
    ):
        with pytest.raises(RebuildError, match="is being rebuilt as edition 3, not 2"):
            call()
    assert {edition for _, edition, _ in books.lines.lines} == {1, 2}
    books.fill(begun)
    assert books.rebuilder.switch("balances", begun).live == begun


def test_an_edition_that_is_dropped_while_its_last_page_is_filled_is_not_marked(books, monkeypatch):
    books.projector.take(books.move("7", 5, 1))
    edition, scan = books.rebuilder.begin("balances"), books.store.scan

    def overtaken(limit, cursor):
        monkeypatch.undo()
        books.rebuilder.drop("balances")
        books.rebuilder.begin("balances")
        return scan(limit, cursor)

    monkeypatch.setattr(books.store, "scan", overtaken)
    with pytest.raises(RebuildError, match="as edition 3, not 2"):
        books.rebuilder.fill("balances", edition, None)
    assert books.lines.editions("balances") == Editions(1, 3, 3)


def test_a_purge_leaves_an_edition_alone_that_was_begun_meanwhile(books, monkeypatch):
    books.projector.take(books.move("7", 5))
    books.fill(books.rebuilder.begin("balances"))
    books.rebuilder.drop("balances")
    editions = books.lines.editions

    def read_early(name):
        found = editions(name)
        monkeypatch.undo()
        books.fill(books.rebuilder.begin(name))
        return found

    monkeypatch.setattr(books.lines, "editions", read_early)
    books.rebuilder.purge("balances", None)
    assert {edition for _, edition, _ in books.lines.lines} == {1, 3}


def test_what_a_dropped_edition_left_behind_is_no_part_of_a_later_one(books):
    books.projector.take(books.move("7", 5))
    books.deploy(factor=10)
    books.rebuilder.begin("balances")
    books.fill()
    assert books.rebuilder.drop("balances") == Editions(1, None, 2)
    books.deploy(factor=100)
    books.rebuild()

    assert books.shown("7").cents == 500
    assert books.lines.editions("balances") == Editions(3, None, 3)


def test_every_halted_stream_goes_on_however_many_there_are(books):
    keys = [f"{number:03d}" for number in range(130)]
    books.projector.take([one for key in keys for one in books.move(key, POISON)])
    assert len(books.rebuilder.standing("balances").halted) == 100
    # The first hundred stay halted.
    stubborn = StreamRef("default", "account", "000")
    books.store.unreadable |= {(replace(stubborn, key=key), 1) for key in keys[:100]}
    books.deploy(poison=None)

    assert books.rebuilder.resume("balances") == (30, 100)
    assert books.shown("129").cents == POISON
    books.store.unreadable.clear()
    assert books.rebuilder.resume("balances") == (100, 0)


def test_what_is_halted_in_either_edition_is_shown(books):
    books.projector.take([*books.move("7", 5), *books.move("8", POISON)])
    books.deploy(poison=5)
    books.rebuilder.begin("balances")
    books.fill()

    standing = books.rebuilder.standing("balances")
    assert [line.ref.key for line in standing.halted] == ["8"]
    assert [line.ref.key for line in standing.halted_filling] == ["7"]


def test_what_is_no_fact_halts_its_stream_in_a_rebuild_and_no_other(books):
    books.projector.take([*books.move("7", 5, 1), *books.move("8", 2)])
    seven = StreamRef("default", "account", "7")
    books.store.unreadable |= {(seven, 3), (StreamRef("default", "order", "1"), 1)}
    assert books.rebuilder.lag("balances") == Lag(streams=2, behind=1, facts=1)
    books.fill(books.rebuilder.begin("balances"))

    with pytest.raises(RebuildError, match="the fact is unreadable"):
        books.rebuilder.switch("balances")
    books.rebuilder.switch("balances", anyway=True)
    assert (books.shown("7").cents, books.shown("8").cents) == (6, 2)
    assert books.telemetry.counts["FactsUnreadable"] == 2
    assert books.telemetry.events("alert").count("fact_unreadable") == 2


def test_only_one_rebuild_runs_and_only_of_what_is_there(books):
    books.rebuilder.begin("balances")
    with pytest.raises(RebuildError, match="is being rebuilt, as edition 2"):
        books.rebuilder.begin("balances")
    books.rebuilder.drop("balances")
    for verb in ("switch", "drop"):
        with pytest.raises(RebuildError, match="not being rebuilt"):
            getattr(books.rebuilder, verb)("balances")
    for call in (
        lambda: books.rebuilder.filling("balances"),
        lambda: books.rebuilder.fill("balances", 2, None),
        lambda: list(books.rebuilder.differing("balances")),
    ):
        with pytest.raises(RebuildError, match="not being rebuilt"):
            call()
    with pytest.raises(ProjectionNotFoundError, match="known: balances"):
        books.rebuilder.begin("balance")
