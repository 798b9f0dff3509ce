"""Which children are over, and what follows from it."""

from __future__ import annotations

from itertools import pairwise, permutations, product

import pytest

from tests.builders import NOW, an_envelope
from tidemill.domain.batch import BatchRef, Fate, Member, Tally, fate_of, shard_of, shard_size, shards_in, together
from tidemill.domain.batch_record import BatchRecord, BatchState, ending_of
from tidemill.domain.completion import ALL, FIRST, Completion, at_least, tolerate
from tidemill.domain.duration import hours, milliseconds, minutes
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import MalformedMessageError
from tidemill.domain.graph import cycle_in, freed, line, ready, skipped
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.lifecycle import FINAL

REF = BatchRef("acme", keyed_job_id("acme", "k", "batch"))


def a_record(size=3, **changes):
    return BatchRecord(REF, size, "f" * 32, NOW, changes.pop("completion", ALL), NOW // 1000, **changes)


def test_every_final_state_is_a_fate():
    assert {fate_of(state) for state in FINAL} == set(Fate)


def test_ends_come_to_the_same_in_any_order_and_any_number():
    ends = [Tally.of({0: fate}) for fate in (Fate.FAILED, Fate.CANCELLED, Fate.SUCCEEDED)]
    for chosen in product(range(3), repeat=4):
        outcomes = {together(ends[i] for i in order) for order in permutations(chosen)}
        assert len(outcomes) == 1
        (tally,) = outcomes
        best = max(chosen)
        found = (len(tally.failed), len(tally.cancelled), len(tally.succeeded))
        assert found == tuple(int(best == i) for i in range(3))
        assert tally.over == {0}


@pytest.mark.parametrize(("size", "sizes"), [(0, []), (1, [1]), (100, [100]), (101, [100, 1]), (10_000, [100] * 100)])
def test_shards_hold_every_child_once(size, sizes):
    assert [shard_size(size, shard) for shard in range(shards_in(size))] == sizes
    assert [shard_of(index) for index in range(size)] == [i for i, held in enumerate(sizes) for _ in range(held)]


def test_ids_follow_from_the_batch_and_the_place():
    names = [*range(200), "then", "on_failure"]
    ids = [REF.child(name) for name in names]
    assert len(set(ids)) == len(names)
    assert ids == [BatchRef(REF.tenant, REF.id).child(name) for name in names]
    assert BatchRef("zeta", REF.id).child(0).id != ids[0].id
    assert BatchRef.keyed("acme", "k") != BatchRef.keyed("zeta", "k")
    assert BatchRef.keyed("acme", f"{REF.id}/0").id != ids[0].id


@pytest.mark.parametrize("member", [Member(REF.id, 3, 7), Member(REF.id, 0, 1, eager=True)])
def test_a_message_carries_the_place_in_the_batch(member):
    envelope = an_envelope(member=member)
    assert decode(parse_body(envelope.encode())) == envelope
    assert envelope.batch == BatchRef(envelope.ref.tenant, REF.id)
    assert an_envelope().batch is None
    assert "batch" not in parse_body(an_envelope().encode())


@pytest.mark.parametrize(
    "place",
    [
        7,
        {},
        {"id": "x", "index": 0, "size": 1},
        {"id": REF.id, "index": 1, "size": 1},
        {"id": REF.id, "index": -1, "size": 1},
    ],
)
def test_a_bad_place_is_refused(place):
    document = parse_body(an_envelope(member=Member(REF.id, 0, 1)).encode())
    with pytest.raises(MalformedMessageError, match="batch"):
        decode({**document, "batch": place})


@pytest.mark.parametrize(
    ("rule", "size", "succeeded", "met"),
    [(ALL, 3, 3, True), (ALL, 3, 2, False), (tolerate(1), 3, 2, True), (FIRST, 3, 1, True), (at_least(2), 3, 1, False)],
)
def test_a_rule_is_a_number_of_successes(rule, size, succeeded, met):
    assert rule.is_met(succeeded, size) is met


DIAMOND = ((), (0,), (0,), (1, 2))


@pytest.mark.parametrize("edges", [(), DIAMOND, line(5), ((1,), ()), ((), (), (0, 1))])
def test_what_has_no_circle_is_let_through(edges):
    assert cycle_in(edges) == []


@pytest.mark.parametrize(
    ("edges", "length"), [(((0,),), 1), (((1,), (0,)), 2), (((), (0, 3), (1,), (2,)), 3), (((1,), (2,), (3,), (1,)), 3)]
)
def test_a_circle_is_a_path_that_could_never_run(edges, length):
    path = cycle_in(edges)

    assert len(path) == length + 1
    assert path[0] == path[-1]
    assert all(before in edges[after] for before, after in pairwise(path))


def test_what_is_ready_and_what_never_will_be():
    def seen(**fates):
        return Tally.of({int(name[1:]): Fate(fate) for name, fate in fates.items()})

    assert ready(DIAMOND, Tally()) == [0]
    assert ready(DIAMOND, seen(n0="succeeded")) == [1, 2]
    assert freed(DIAMOND, seen(n0="succeeded", n1="succeeded"), frozenset({1})) == []
    assert freed(DIAMOND, seen(n0="succeeded", n1="succeeded", n2="succeeded"), frozenset({1})) == [3]
    assert skipped(DIAMOND, seen(n0="failed")) == {1, 2, 3}
    assert skipped(DIAMOND, seen(n0="succeeded", n1="cancelled")) == {3}
    assert skipped((), seen(n0="failed")) == frozenset()


def test_a_batch_ends_when_all_is_over_or_can_not_start():
    record = a_record(4, edges=DIAMOND)
    assert ending_of(record, Tally.of({0: Fate.SUCCEEDED, 1: Fate.FAILED}), NOW) is None
    ending = ending_of(record, Tally.of({0: Fate.SUCCEEDED, 1: Fate.FAILED, 2: Fate.SUCCEEDED}), NOW)
    assert (ending.state, ending.succeeded, ending.failed, ending.skipped) == (BatchState.FAILED, 2, 1, 1)


def test_an_early_rule_ends_a_batch_as_soon_as_it_is_met():
    record = a_record(completion=Completion(needed=2, early=True))
    assert ending_of(record, Tally.of({0: Fate.SUCCEEDED, 1: Fate.FAILED}), NOW) is None
    assert ending_of(record, Tally.of({0: Fate.SUCCEEDED, 1: Fate.SUCCEEDED}), NOW).state is BatchState.SUCCEEDED


def test_the_list_of_failures_is_bounded():
    ending = ending_of(a_record(50), Tally.of(dict.fromkeys(range(50), Fate.FAILED)), NOW)
    assert ending.failures == tuple(range(20))


@pytest.mark.parametrize(("age", "wait"), [(0, 2), (6, 3), (60, 30), (10_000, 60)])
def test_checks_grow_apart(age, wait):
    now = NOW + milliseconds(minutes(age))
    assert a_record().next_check(now) - now == milliseconds(minutes(wait))


def test_a_failed_batch_is_watched_while_it_can_be_seen():
    failed = ending_of(a_record(1), Tally.of({0: Fate.FAILED}), NOW)
    record = a_record(1, ended=failed)
    later = NOW + milliseconds(hours(24 * 20))
    assert record.next_check(later) == later + milliseconds(hours(24))
    assert record.next_check(NOW + milliseconds(hours(24 * 28))) is None
    succeeded = ending_of(a_record(1), Tally.of({0: Fate.SUCCEEDED}), NOW)
    assert a_record(1, ended=succeeded).next_check(later) is None
