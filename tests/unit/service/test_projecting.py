"""Projections: once each and in order, whatever is handed in; one stream that halts holds up no other."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict

from tests.builders import Telemetry
from tests.streams import Moved, Opened, account, parts
from tidemill.domain.chain import EMPTY
from tidemill.domain.errors import DefinitionError, InputError, UnavailableError
from tidemill.domain.line import Editions, Line
from tidemill.domain.projection import projection
from tidemill.domain.store_errors import ProjectionNotFoundError, RebuildError
from tidemill.domain.stream import StreamRef
from tidemill.service.projecting import Projector
from tidemill.service.read_models import ReadModels
from tidemill.service.rebuilding import Lag, Rebuilder
from tidemill.service.streams import Streams
from tidemill.testing.events import MemoryEvents
from tidemill.testing.lines import MemoryLines

POISON = 666


class Balance(BaseModel):
    model_config = ConfigDict(frozen=True)

    cents: int = 0
    order: tuple[int, ...] = ()


class Books:
    """A store, its read model, and who keeps them together."""

    def __init__(self, factor=1):
        self.store, self.lines, self.telemetry = MemoryEvents(), MemoryLines(), Telemetry()
        self.streams = Streams(*parts(self.store))
        self.deploy(factor)

    def deploy(self, factor=1, poison=POISON):
        """Another version of the projection."""

        @projection("balances", of=account, model=Balance, group=lambda _: "all", order=lambda line: max(0, line.cents))
        def balances(line, event, fact):
            if isinstance(event, Opened):
                return line
            if event.cents == poison:
                raise ValueError("no such coin")
            line = line or Balance()
            return Balance(cents=line.cents + factor * event.cents, order=(*line.order, fact.sequence))

        self.balances = balances
        self.projector = Projector(self.store, self.lines, {"balances": balances}, self.telemetry)
        self.rebuilder = Rebuilder(self.store, self.lines, self.projector)
        self.models = ReadModels(self.lines)

    def move(self, key, *cents):
        """Append, and answer what the table's stream would tell of it."""
        before = self.streams.load(account, key)
        self.streams.append(before, *(Moved(cents=one) for one in cents))
        return list(self.streams.facts(account, key, after=before.version))

    def shown(self, key):
        found = self.models.get(self.balances, key)
        return found and found.shown

    def rebuild(self):
        self.fill(self.rebuilder.begin("balances"))
        self.rebuilder.switch("balances")

    def fill(self, edition=None):
        edition = edition or self.rebuilder.filling("balances")
        self._to_the_end(lambda cursor: self.rebuilder.fill("balances", edition, cursor))

    def catch_up(self):
        self._to_the_end(lambda cursor: self.rebuilder.catch_up("balances", cursor))

    def _to_the_end(self, step):
        cursor = None
        while True:
            cursor = step(cursor).cursor
            if cursor is None:
                return


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


# --- rebuilds -------------------------------------------------------------------------------------


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
