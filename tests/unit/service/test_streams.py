"""Streams: load, decide, append; replay, follow, verify. On the store in memory."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.streams import NOW, SEVEN, Account, Moved, Opened, Strange, account, apply, parts, some_facts
from tidemill.domain import limits, stream_limits
from tidemill.domain.causes import Causes
from tidemill.domain.chain import Break, Head, chained
from tidemill.domain.errors import InputError, InvalidArgsError, UnavailableError
from tidemill.domain.store_errors import AppendConflictError, AppendedBeforeError, StreamBrokenError, UnknownEventError
from tidemill.domain.stream import Stream, StreamRef
from tidemill.service.streams import Streams
from tidemill.testing.events import MemoryEvents


@pytest.fixture
def store():
    return MemoryEvents()


@pytest.fixture
def streams(store):
    return Streams(*parts(store))


def deposit(streams, times=1, key="7"):
    for _ in range(times):
        streams.change(account, key, lambda _: [Moved(cents=5)])


def test_a_new_stream_begins_with_its_start(streams):
    loaded = streams.load(account, "7")

    assert (loaded.state, loaded.version, loaded.snapshot) == (Account(), 0, 0)


def test_what_is_appended_is_loaded(streams, store):
    loaded = streams.load(account, "7", tenant="acme")
    loaded = streams.append(loaded, Opened(owner="ada"), Moved(cents=5), causes=Causes("corr", "job-1", None, 3))
    again = streams.append(loaded, Moved(cents=-2))

    assert streams.load(account, "7", tenant="acme") == again
    assert (again.state, again.version) == (Account(owner="ada", cents=3, moves=2), 3)
    first, second, third = (one.fact for one in store.read(SEVEN, 0, 9))
    assert (first.type, first.subject, first.sequence, first.tenant, first.at) == (
        "account.opened", "account/7", 1, "acme", NOW,
    )  # fmt: skip
    assert (second.correlation_id, second.causation_id, second.hops, second.sequence) == ("corr", "job-1", 3, 2)
    assert third.correlation_id == third.id
    assert len({first.id, second.id, third.id}) == 3


def test_an_append_on_an_old_version_is_refused_and_says_both(streams):
    old = streams.load(account, "7")
    deposit(streams, 3)

    with pytest.raises(AppendConflictError) as refused:
        streams.append(old, Moved(cents=1))

    assert (refused.value.expected, refused.value.actual) == (0, 3)
    assert streams.load(account, "7").version == 3
    with pytest.raises(AppendConflictError) as refused:
        streams.load(account, "7", expected=2)
    assert (refused.value.expected, refused.value.actual) == (2, 3)
    assert streams.load(account, "7", expected=3).version == 3


def test_nothing_wrong_is_written(streams, store):
    loaded = streams.load(account, "7")
    for wrong, error in (
        ([], InputError),
        ([Strange(cents=1)], UnknownEventError),
        ([Moved(cents=1), Strange(cents=1)], UnknownEventError),
        ([Opened(owner="x" * limits.MAX_EVENT_BYTES)], InvalidArgsError),
        ([Moved(cents=1)] * (stream_limits.MAX_APPEND_EVENTS + 1), InputError),
        ([Opened(owner="x" * 60_000)] * 20, InputError),
    ):
        with pytest.raises(error):
            streams.append(loaded, *wrong)
    with pytest.raises(InputError, match="once"):
        streams.append(loaded, Moved(cents=1), once="no key")
    with pytest.raises(InputError):
        Causes(correlation_id="é")

    assert store.facts == {}


def test_a_decision_is_made_anew_for_what_is_there_now(streams):
    seen = []

    def withdraw(state):
        seen.append(state.cents)
        if len(seen) == 1:
            deposit(streams)
        return [Moved(cents=-state.cents)]

    deposit(streams)
    changed = streams.change(account, "7", withdraw)

    assert seen == [5, 10]
    assert (changed.state.cents, changed.version) == (0, 3)


def test_a_decision_that_always_comes_too_late_is_told(streams):
    def decide(_state):
        deposit(streams)
        return [Moved(cents=1)]

    with pytest.raises(AppendConflictError):
        streams.change(account, "7", decide)
    assert streams.load(account, "7").state.moves == stream_limits.MAX_DECISIONS


def test_a_decision_for_nothing_appends_nothing(streams, store):
    assert streams.change(account, "7", lambda _: []).version == 0
    assert store.facts == {}


def test_under_a_key_events_are_appended_once(streams):
    for _ in range(3):
        changed = streams.change(account, "7", lambda _: [Moved(cents=5)], once="payment-1")
        deposit(streams)

    assert changed.state.moves == 3
    loaded = streams.load(account, "7")
    assert loaded.state.cents == 5 + 3 * 5
    with pytest.raises(AppendedBeforeError):
        streams.append(loaded, Moved(cents=1), once="payment-1")


def test_the_same_write_may_be_repeated(streams, store):
    pending = streams.prepare(streams.load(account, "7"), Moved(cents=5))
    streams.commit(pending)
    deposit(streams)
    again = streams.commit(pending)

    assert again.version == 1
    assert len(store.facts[StreamRef("default", "account", "7")]) == 2


# --- snapshots ------------------------------------------------------------------------------------


def test_a_snapshot_is_kept_now_and_then_and_loads_begin_with_it(streams, store):
    deposit(streams, 25)
    loaded = streams.load(account, "7")

    assert loaded.snapshot == 20
    assert loaded.state == Account(cents=125, moves=25)
    # The facts before it are not read.
    ref = StreamRef("default", "account", "7")
    del store.facts[ref][5]
    assert streams.load(account, "7") == loaded


class Counted(MemoryEvents):
    """Counts the facts that are read."""

    def __init__(self):
        super().__init__()
        self.read_facts = 0

    def read(self, ref, after, limit):
        found = super().read(ref, after, limit)
        self.read_facts += len(found)
        return found


def test_a_load_of_ten_thousand_facts_reads_and_folds_those_behind_the_snapshot():
    """What makes it take milliseconds, counted: no clock is asked, so that a busy machine changes nothing."""
    folded = []

    def counting(state, event):
        folded.append(event)
        return apply(state, event)

    counted = Stream("account", events=account.events, start=Account(), apply=counting, snapshot_every=100)
    store = Counted()
    streams = Streams(*parts(store))
    loaded = streams.load(counted, "7")
    # Snapshots come at 110, 210 and so on.
    for size in (30, *[20] * 498, 10):
        loaded = streams.append(loaded, *[Moved(cents=1)] * size)
    folded.clear()
    store.read_facts = 0

    found = streams.load(counted, "7")

    assert (found.version, found.snapshot, found.state) == (10_000, 9_910, Account(cents=10_000, moves=10_000))
    assert len(folded) == 90
    # And the one of the snapshot itself, which it is checked against.
    assert store.read_facts == 91


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 12), max_size=6))
def test_a_load_with_snapshots_is_a_load_without(sizes):
    streams = Streams(*parts(MemoryEvents()))
    plain = Stream("account", events=account.events, start=Account(), apply=apply, snapshot_every=0)
    loaded = streams.load(account, "7")
    for size in sizes:
        loaded = streams.append(loaded, *[Moved(cents=size)] * size)

    with_, without = streams.load(account, "7"), streams.load(plain, "7")
    assert (with_.state, with_.head) == (without.state, without.head) == (loaded.state, loaded.head)
    assert without.snapshot == 0


def test_a_state_of_another_schema_begins_anew(streams):
    deposit(streams, 12)
    doubled = Stream(
        "account",
        events=account.events,
        start=Account(),
        apply=lambda state, event: state.model_copy(update={"cents": state.cents + 2 * event.cents}),
        snapshot_every=10,
        schema=2,
    )

    assert streams.load(doubled, "7").state.cents == 120
    streams.append(streams.load(doubled, "7"), Moved(cents=5))
    # Both kinds of code run side by side.
    assert streams.load(doubled, "7").snapshot == 13
    assert streams.load(account, "7").snapshot == 10
    assert streams.load(account, "7").state.cents == 65


def test_a_snapshot_whose_bytes_do_not_fit_counts_for_nothing(streams, store):
    deposit(streams, 12)
    ((place, kept),) = store.kept.items()
    store.kept[place] = {1: replace(kept[1], state=b'{"cents":"many"}')}

    assert streams.load(account, "7").state.cents == 60


def test_a_snapshot_that_is_not_kept_costs_nothing_but_time(streams, store, monkeypatch):
    def fail(*_):
        raise UnavailableError("keep_snapshot", "Throttled")

    monkeypatch.setattr(store, "keep_snapshot", fail)
    deposit(streams, 12)

    assert streams.load(account, "7").state.cents == 60
    monkeypatch.undo()
    deposit(streams)
    assert streams.load(account, "7").snapshot == 13


def test_a_state_too_large_for_its_snapshot_is_refused_before_anything_is_written(streams, store):
    loaded = streams.append(streams.load(account, "7"), *[Moved(cents=1)] * 9)
    grown = Stream(
        "account",
        events=account.events,
        start=Account(),
        apply=lambda state, _: state.model_copy(update={"owner": "x" * 300_000}),
        snapshot_every=10,
    )
    with pytest.raises(InputError, match="read model"):
        streams.append(replace(loaded, stream=grown), Moved(cents=1))

    assert streams.load(account, "7").version == 9


# --- replay and subscriptions ---------------------------------------------------------------------


def test_a_replay_goes_on_from_a_version(streams):
    deposit(streams, 600)

    assert [one.version for one in streams.facts(account, "7")] == list(range(1, 601))
    assert [one.version for one in streams.facts(account, "7", after=590)] == list(range(591, 601))
    assert list(streams.facts(account, "7", after=600)) == []
    with pytest.raises(StreamBrokenError):
        list(streams.facts(account, "7", after=601))


def test_a_subscriber_follows_every_stream_of_a_category_in_order(streams):
    for key in ("7", "8"):
        deposit(streams, 3, key)
    seen = {}
    for one in streams.follow(account):
        ref = StreamRef.of(one.fact.tenant, one.fact.subject)
        assert one.version == seen.get(ref, 0) + 1
        seen[ref] = one.version
    deposit(streams, 2, "8")
    deposit(streams, 1, "9")

    fresh = [(one.fact.subject, one.version) for one in streams.follow(account, seen)]
    assert fresh == [("account/8", 4), ("account/8", 5), ("account/9", 1)]
    assert list(streams.follow(account, tenant="acme")) == []


def test_keys_are_listed_in_pages(streams):
    for key in "abc":
        deposit(streams, 1, key)
    first, cursor = streams.keys(account, limit=2)
    rest, end = streams.keys(account, limit=2, cursor=cursor)

    assert [ref.key for ref in (*first, *rest)] == ["a", "b", "c"]
    assert end is None
    with pytest.raises(InputError):
        streams.keys(account, limit=0)


# --- tampering ------------------------------------------------------------------------------------


@pytest.fixture
def held(streams, store):
    deposit(streams, 25)
    return store.facts[StreamRef("default", "account", "7")]


def test_a_whole_stream_is_verified(streams, held):
    found = streams.verify(account, "7")

    assert found.is_whole
    assert found.head == held[25].head


def alter(held, version):
    held[version] = replace(held[version], fact=replace(held[version].fact, data=b'{"cents":6}'))


def test_an_altered_fact_is_named_and_is_not_loaded(streams, held):
    alter(held, 22)

    assert streams.verify(account, "7").broken == Break(22, "altered")
    with pytest.raises(StreamBrokenError) as refused:
        streams.load(account, "7")
    assert (refused.value.version, refused.value.reason) == (22, "altered")
    with pytest.raises(StreamBrokenError):
        list(streams.facts(account, "7"))


def test_an_altered_fact_before_the_snapshot_is_found_by_verify(streams, held):
    alter(held, 3)

    assert streams.load(account, "7").version == 25
    assert streams.verify(account, "7").broken == Break(3, "altered")
    assert streams.verify(account, "7").head == held[2].head


def test_a_fact_that_is_taken_out_is_named(streams, held):
    del held[22]

    assert streams.verify(account, "7").broken == Break(22, "missing")
    with pytest.raises(StreamBrokenError, match="22 is missing"):
        streams.load(account, "7")


@pytest.mark.parametrize("left", [19, 0])
def test_a_tail_cut_off_below_a_snapshot_is_found(streams, held, left):
    for version in range(left + 1, 26):
        del held[version]

    assert streams.verify(account, "7").broken == Break(left + 1, "missing")
    with pytest.raises(StreamBrokenError, match="20 is missing"):
        streams.load(account, "7")


def test_a_tail_cut_off_above_every_snapshot_is_found_with_a_head_that_was_kept(streams, held):
    witness = held[24].head
    del held[24], held[25]

    assert streams.verify(account, "7").is_whole
    assert streams.verify(account, "7", witnesses=[witness]).broken == Break(24, "missing")


def rewrite(held, start):
    before = held[start - 1].head if start > 1 else Head(0, "0" * 64)
    facts = [replace(held[version].fact, data=b'{"cents":1}') for version in range(start, 26)]
    held.update({one.version: one for one in chained(before, facts)})


def test_a_rest_written_anew_below_a_snapshot_is_found(streams, held):
    rewrite(held, 15)

    assert streams.verify(account, "7").broken == Break(20, "rewritten")
    with pytest.raises(StreamBrokenError, match="20 is rewritten"):
        streams.load(account, "7")


def test_a_rest_written_anew_above_every_snapshot_is_found_with_a_head_that_was_kept(streams, held):
    witness = held[25].head
    rewrite(held, 22)

    assert streams.verify(account, "7").is_whole
    assert streams.verify(account, "7", witnesses=[witness]).broken == Break(25, "rewritten")


def test_a_stream_that_never_was_is_whole(streams):
    assert streams.verify(account, "nobody").is_whole
    assert not streams.verify(account, "nobody", witnesses=[some_facts(1)[0].head]).is_whole
