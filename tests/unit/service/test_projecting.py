"""Projections: once each and in order, whatever is handed in; one stream that halts holds up no other."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams import Opened, account
from tests.unit.service.books import POISON, Balance, Books, a_record
from tidemill.domain.errors import DefinitionError, InputError, UnavailableError
from tidemill.domain.projection import projection
from tidemill.domain.stream import StreamRef
from tidemill.entrypoints.projector import take_records
from tidemill.service.projecting import Projector
from tidemill.service.standing import Lag


@pytest.fixture
def books():
    return Books()


def test_facts_become_a_line(books):
    assert books.projector.take(books.move("7", 5, -2)) == frozenset()

    found = books.models.get(books.balances, "7")
    assert found.shown == Balance(cents=3, order=(1, 2))
    assert (found.version, found.head) == (2, books.streams.load(account, "7").head)
    assert books.models.get(books.balances, "8") is None
    assert books.telemetry.counts["FactsProjected"] == 2


def test_a_line_with_nothing_to_show_knows_what_it_has_seen(books):
    opened = books.streams.append(books.streams.load(account, "7"), Opened(owner="ada"))
    books.projector.take(list(books.streams.facts(account, "7")))

    found = books.models.get(books.balances, "7")
    assert (found.shown, found.head) == (None, opened.head)
    assert books.models.group(books.balances, "all") == ((), None)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from("78"), st.integers(1, 4)), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
    st.booleans(),
)
def test_any_order_with_any_repeats_and_gaps_gives_the_same_lines(appends, chance, ends):
    """Each fact is handed in any number of times, in batches of any cut; only the last one of a stream must come."""
    books = Books()
    every = [one for key, size in appends for one in books.move(key, *range(1, size + 1))]
    handed = [one for one in every for _ in range(chance.randrange(3))]
    chance.shuffle(handed)
    if ends:
        handed += [one for one in every if one.head == books.streams.load(account, one.fact.subject[-1]).head]
    while handed:
        cut = chance.randrange(1, 5)
        books.projector.take(handed[:cut])
        handed = handed[cut:]
    if not ends:
        books.catch_up()

    for key in "78":
        loaded = books.streams.load(account, key)
        expected = (
            None if not loaded.version else Balance(cents=loaded.state.cents, order=(*range(1, loaded.version + 1),))
        )
        assert books.shown(key) == expected


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 10**6))
def test_two_projectors_at_once_apply_each_fact_once(seed):
    """The table changes between any read and write of a projector: another one has handled the same batch."""
    books, chance = Books(), Random(seed)  # noqa: S311 - a test's
    facts = [one for _ in range(3) for one in books.move("7", 1, 2)]
    write = books.lines.write

    def raced(name, edition, before, after):
        books.lines.write = write
        if chance.random() < 0.7:
            books.projector.take(chance.sample(facts, chance.randrange(1, 6)))
        if chance.random() < 0.5:
            books.lines.write = raced
        return write(name, edition, before, after)

    books.lines.write = raced
    for start in range(0, 6, 2):
        books.projector.take(facts[start : start + 2])
    books.lines.write = write

    assert books.shown("7") == Balance(cents=9, order=(1, 2, 3, 4, 5, 6))


def test_a_stream_that_a_projection_does_not_get_over_is_halted_and_others_go_on(books):
    bad, good = books.move("7", 5, POISON, 5), books.move("8", 1)
    assert books.projector.take([*bad, *good]) == frozenset()
    books.projector.take(books.move("7", 1))

    assert books.shown("8") == Balance(cents=1, order=(1,))
    found = books.models.get(books.balances, "7")
    assert (found.shown, found.halted) == (Balance(cents=5, order=(1,)), "ValueError: no such coin")
    (line,) = books.rebuilder.standing("balances").halted
    assert (line.ref.key, line.halt.version) == ("7", 2)
    assert books.telemetry.events("alert") == ["stream_halted"]
    assert (books.telemetry.counts["StreamsHalted"], books.telemetry.counts["FactsHeldBack"]) == (1, 1)
    # Mended and resumed, nothing is missing.
    assert books.rebuilder.resume("balances") == (0, 1)
    books.deploy(poison=None)
    assert books.rebuilder.resume("balances") == (1, 0)
    assert books.shown("7") == Balance(cents=5 + POISON + 5 + 1, order=(1, 2, 3, 4))
    assert books.rebuilder.standing("balances").halted == ()


def test_a_fact_that_does_not_fit_the_chain_halts_its_stream(books):
    books.projector.take(books.move("7", 5))
    forged = Books()
    forged.move("7", 6)
    books.projector.take(forged.move("7", 7))

    assert "broken" in books.models.get(books.balances, "7").halted
    assert books.shown("7") == Balance(cents=5, order=(1,))


def test_a_gap_that_can_not_be_read_halts_its_stream_behind_what_can_be_and_others_go_on(books):
    bad, good = books.move("7", 1, 2, 3, 4), books.move("8", 1)
    books.store.unreadable.add((StreamRef("default", "account", "7"), 3))
    assert books.projector.take([bad[3], *good]) == frozenset()

    found = books.models.get(books.balances, "7")
    assert (found.version, found.halted) == (2, "the stream is broken: the fact is unreadable")
    assert books.shown("8").cents == 1
    assert books.rebuilder.resume("balances") == (0, 1)
    books.store.unreadable.clear()
    assert books.rebuilder.resume("balances") == (1, 0)
    assert books.shown("7").cents == 10


def test_a_record_that_is_no_fact_is_told_and_the_batch_goes_on(books):
    (first,), (second,), good = books.move("7", 1), books.move("7", 2), books.move("8", 1)
    records = [a_record(one) for one in (first, second, *good)]
    del records[0]["dynamodb"]["NewImage"]["hash"]
    books.store.unreadable.add((StreamRef("default", "account", "7"), 1))

    assert take_records(records, books.projector, books.telemetry) == {"batchItemFailures": []}
    assert books.telemetry.events("alert") == ["fact_unreadable", "stream_halted"]
    assert books.models.get(books.balances, "7").halted == "the stream is broken: the fact is unreadable"
    assert books.shown("8").cents == 1


@pytest.mark.parametrize(
    ("made", "says"),
    [(lambda: "text", "returned str"), (lambda: Balance(order=tuple(range(20_000))), "keep less")],
)
def test_a_line_that_can_not_be_kept_halts_its_stream(books, made, says):
    @projection("balances", of=account, model=Balance)
    def wrong(_line, _event, _fact):
        return made()

    projector = Projector(books.store, books.lines, {"balances": wrong}, books.telemetry)
    projector.take(books.move("7", 5))

    assert says in books.models.get(books.balances, "7").halted


def test_an_outage_loses_nothing(books):
    facts = books.move("7", 5)
    books.lines.outage = UnavailableError("find_lines", "Throttled")
    assert books.projector.take(facts) == {StreamRef("default", "account", "7")}
    books.lines.outage = None
    later = books.move("7", 5)
    books.store.outage = UnavailableError("read_stream", "Throttled")
    # The gap can't be read now.
    assert books.projector.take(later) == {StreamRef("default", "account", "7")}
    books.store.outage = None
    assert books.projector.take(later) == frozenset()

    assert books.shown("7") == Balance(cents=10, order=(1, 2))


def test_a_lost_stream_is_seen_and_caught_up_with(books):
    books.projector.take(books.move("7", 5))
    books.move("7", 1, 2)
    books.move("8", 3)

    assert books.rebuilder.lag("balances") == Lag(streams=2, behind=2, facts=3)
    books.catch_up()
    assert books.rebuilder.lag("balances") == Lag(streams=2, behind=0, facts=0)
    assert (books.shown("7").cents, books.shown("8").cents) == (8, 3)


def test_a_long_gap_is_closed_in_parts_that_stay(books, monkeypatch):
    monkeypatch.setattr("tidemill.service.projecting._AT_ONCE", 4)
    facts = books.move("7", *range(1, 11))
    write, written = books.lines.write, []

    def limited(name, edition, before, after):
        if len(written) == 2:
            raise UnavailableError("write_line", "Throttled")
        written.append(after.head.version)
        return write(name, edition, before, after)

    monkeypatch.setattr(books.lines, "write", limited)
    assert books.projector.take(facts[-1:])
    assert written == [4, 8]
    monkeypatch.undo()
    assert not books.projector.take(facts[-1:])
    assert books.shown("7") == Balance(cents=55, order=tuple(range(1, 11)))


# --- queries and declarations ---------------------------------------------------------------------


def test_a_group_is_listed_in_order(books):
    for key, cents in (("a", 5), ("b", 9), ("c", 7)):
        books.projector.take(books.move(key, cents))

    first, cursor = books.models.group(books.balances, "all", descending=True, limit=2)
    rest, end = books.models.group(books.balances, "all", descending=True, limit=2, cursor=cursor)
    assert [one.shown.cents for one in (*first, *rest)] == [9, 7, 5]
    assert end is None
    assert books.models.group(books.balances, "all", tenant="acme") == ((), None)
    with pytest.raises(InputError):
        books.models.group(books.balances, "all", limit=101)
    with pytest.raises(InputError):
        books.models.group(books.balances, "no group")


def test_a_projection_without_groups_says_so(books):
    @projection("plain", of=account, model=Balance)
    def plain(line, _event, _fact):
        return line

    with pytest.raises(InputError, match="group="):
        books.models.group(plain, "all")


@pytest.mark.parametrize(
    "wrong",
    [{"name": "Balances"}, {"of": "account"}, {"model": dict}, {"order": lambda line: line.cents}],
)
def test_a_wrong_declaration_says_what_to_do(wrong):
    with pytest.raises(DefinitionError):
        projection(**{"name": "balances", "of": account, "model": Balance, **wrong})
