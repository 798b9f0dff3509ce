"""Bugs planted into streams and projections, each caught by a scenario that passes without it."""

from contextlib import suppress
from dataclasses import replace
from random import Random

import pytest

from tests.streams import Account, Moved, account, parts
from tests.unit.service.books import Balance, Books
from tidemill.domain import chain
from tidemill.domain.chain import Recorded
from tidemill.domain.errors import TidemillError
from tidemill.domain.line import Editions
from tidemill.domain.projection import Projection
from tidemill.domain.store_errors import AppendConflictError
from tidemill.service.projecting import Projector
from tidemill.service.rebuilding import Rebuilder
from tidemill.service.streams import Streams
from tidemill.testing.events import MemoryEvents
from tidemill.testing.lines import MemoryLines

SEEDS = 12


def disorder(seed):
    """Facts repeated, out of order and left out, with the last one at the end."""
    books, chance = Books(), Random(seed)  # noqa: S311 - a test's
    facts = [one for _ in range(3) for one in books.move("7", 1, 2)]
    handed = [chance.choice(facts) for _ in range(8)]
    for one in (*handed, facts[-1]):
        books.projector.take([one])
    assert books.shown("7") == Balance(cents=9, order=(1, 2, 3, 4, 5, 6))


def race(seed):
    """Another projector handles facts between this one's read and write."""
    books, chance = Books(), Random(seed)  # noqa: S311 - a test's
    facts = [one for _ in range(3) for one in books.move("7", 1, 2)]
    find, others = books.lines.find, chance.randrange(1, 7)

    def raced(*place):
        found = find(*place)
        books.lines.find = find
        books.projector.take(facts[:others])
        return found

    books.lines.find = raced
    books.projector.take(facts[:2])
    assert books.shown("7").cents == account_of(books)
    assert books.shown("7").order == tuple(range(1, books.models.get(books.balances, "7").version + 1))
    assert books.models.get(books.balances, "7").version == max(2, others)
    books.projector.take(facts)
    assert books.shown("7").cents == 9


def account_of(books):
    version = books.models.get(books.balances, "7").version
    facts = list(books.streams.facts(account, "7"))[:version]
    return account.fold(Account(), [one.fact for one in facts]).cents


def rebuild(_seed):
    """A fact comes while the next edition is filled; and one edition was dropped before."""
    books = Books(factor=10)
    books.projector.take(books.move("7", 1))
    books.fill(books.rebuilder.begin("balances"))
    books.rebuilder.drop("balances")
    books.deploy(factor=1)
    books.fill(books.rebuilder.begin("balances"))
    books.projector.take(books.move("8", 5))
    books.rebuilder.switch("balances")
    assert (books.shown("7").cents, books.shown("8").cents) == (1, 5)


def halting(_seed):
    """One stream can't go on."""
    books = Books()
    bad, good = books.move("7", 666), books.move("8", 1)
    assert books.projector.take([*bad, *good]) == frozenset()
    assert books.shown("8").cents == 1
    books.deploy(poison=None)
    books.rebuilder.resume("balances")
    assert books.shown("7").cents == 666


def conflict(_seed):
    """Two decide on one version."""
    streams = Streams(*parts(MemoryEvents()))
    one, other = streams.load(account, "7"), streams.load(account, "7")
    streams.append(one, Moved(cents=1))
    with suppress(AppendConflictError):
        streams.append(other, Moved(cents=2))
    assert streams.load(account, "7").state.cents == 1


def tampering(seed):
    """One byte is changed."""
    store, chance = MemoryEvents(), Random(seed)  # noqa: S311 - a test's
    streams = Streams(*parts(store))
    loaded = streams.append(streams.load(account, "7"), *[Moved(cents=1)] * 8)
    held, version = store.facts[loaded.ref], chance.randrange(1, 9)
    held[version] = Recorded(replace(held[version].fact, data=b'{"cents":2}'), held[version].hash)
    assert streams.verify(account, "7").broken.version == version


def repeats(_seed):
    """A job runs twice."""
    streams = Streams(*parts(MemoryEvents()))
    for _ in range(2):
        streams.change(account, "7", lambda _: [Moved(cents=1)], once="job-1")
    assert streams.load(account, "7").state.cents == 1


SCENARIOS = (disorder, race, rebuild, halting, conflict, tampering, repeats)


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_all_is_well_without_a_bug(scenario):
    for seed in range(SEEDS):
        scenario(seed)


real_next, real_append = Projection._next, Streams.append


def headless(self, line, one):
    return replace(real_next(self, line, one), head=line.head)


def overwriting(self, name, edition, _before, after):
    self.lines[name, edition, after.ref] = after
    return True


def blind(_self, recorded, once=None, beside=()):
    ref = account.at("7", "default")
    _self.facts.setdefault(ref, {}).update({one.version: one for one in recorded})


def failing(self, line, facts):
    for one in facts:
        if one.version > line.head.version:
            line = self._next(line, one)
    return line


real_link = chain.link
PLANTED = {
    "a line does not know": (disorder, Projection, "_next", headless),
    "gaps left open": (disorder, Projector, "_following", lambda _self, _line, facts: facts),
    "lines overwritten": (race, MemoryLines, "write", overwriting),
    "one edition written": (rebuild, Editions, "every", property(lambda self: (self.live,))),
    "numbers given twice": (
        rebuild,
        Rebuilder,
        "begin",
        lambda self, name: self._change(name, before := self.lines.editions(name), _refilled(before)).filling,
    ),
    "one halts all": (halting, Projection, "advance", failing),
    "resume forgets": (halting, Rebuilder, "resume", lambda *_: (0, 0)),
    "appends blindly": (conflict, MemoryEvents, "append", blind),
    "data not hashed": (
        tampering,
        chain,
        "link",
        lambda previous, fact: real_link(previous, replace(fact, data=b"")),
    ),
    "keys forgotten": (
        repeats,
        Streams,
        "append",
        lambda self, loaded, *events, **_: real_append(self, loaded, *events),
    ),
}


def _refilled(before):
    return replace(before, filling=before.live + 1)


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_bug_is_caught(name, monkeypatch):
    scenario, owner, attribute, bug = PLANTED[name]
    monkeypatch.setattr(owner, attribute, bug)

    with pytest.raises((AssertionError, TidemillError, ValueError, AttributeError)):
        _all_seeds(scenario)


def _all_seeds(scenario):
    for seed in range(SEEDS):
        scenario(seed)
