"""EventStore: streams without gaps, one winner of a version, and nothing of another tenant's."""

from dataclasses import replace
from itertools import count

import pytest

from tests.contract.backends import create_events_table
from tests.streams import SEVEN, a_fact, some_facts
from tidemill.aws.event_items import fact_item, snapshot_key, version_key
from tidemill.aws.events import DynamoEvents
from tidemill.domain import limits, stream_limits
from tidemill.domain.chain import EMPTY, Break, Head, chained
from tidemill.domain.errors import InputError
from tidemill.domain.ports.events import Snapshot
from tidemill.domain.store_errors import AppendConflictError, AppendedBeforeError, StreamBrokenError
from tidemill.domain.stream import StreamRef
from tidemill.service.stream_reader import StreamReader
from tidemill.service.stream_reading import Verified
from tidemill.testing.events import MemoryEvents

EIGHT = StreamRef("acme", "account", "8")
OTHERS = StreamRef("zeta", "account", "7")
_tables = count(1)


@pytest.fixture(params=["memory", "moto", "ministack", "bench"])
def store(request):
    if request.param == "memory":
        return MemoryEvents()
    if request.param == "bench":
        client, table = request.getfixturevalue("bench_events"), "events"
        return DynamoEvents(client, table)
    client = request.getfixturevalue(request.param).dynamodb
    table = f"events-{next(_tables)}"
    create_events_table(client, table)
    return DynamoEvents(client, table)


def test_a_fact_comes_back_whole(store):
    whole = replace(
        a_fact(1),
        data='{"owner":"Zoë — 7"}'.encode(),
        version=3,
        causation_id="job-1",
        correlation_id="corr",
        traceparent="00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        hops=4,
    )
    recorded = chained(EMPTY, [whole, a_fact(2)])
    store.append(recorded)

    assert store.read(SEVEN, 0, 10) == recorded


def test_facts_are_read_in_order_from_a_version_on_and_in_pages(store):
    recorded = some_facts(25)
    store.append(recorded)

    assert store.read(SEVEN, 0, 10) == recorded[:10]
    assert store.read(SEVEN, 20, 10) == recorded[20:]
    assert store.read(SEVEN, 25, 10) == ()
    assert store.head(SEVEN) == recorded[-1].head


def test_a_stream_without_facts_is_empty(store):
    assert store.head(SEVEN) == EMPTY
    assert store.read(SEVEN, 0, 10) == ()
    assert store.snapshots(SEVEN) == ()
    assert store.appended(SEVEN, "k") is None


@pytest.mark.parametrize("size", [1, 3])
def test_of_two_appends_to_one_version_one_is_refused_whole(store, size):
    first, second = some_facts(size), some_facts(size)
    store.append(first)

    with pytest.raises(AppendConflictError) as refused:
        store.append(second)

    assert (refused.value.expected, refused.value.actual) == (0, size)
    assert refused.value.retryable
    assert store.read(SEVEN, 0, 10) == first


def test_an_append_that_meets_a_fact_in_its_middle_writes_none(store):
    recorded = some_facts(2)
    store.append(recorded)
    late = some_facts(3, recorded[0].head)

    with pytest.raises(AppendConflictError) as refused:
        store.append(late)

    assert (refused.value.expected, refused.value.actual) == (1, 2)
    assert store.read(SEVEN, 0, 10) == recorded


@pytest.mark.parametrize("size", [1, 3])
def test_the_same_append_again_changes_nothing_even_when_the_stream_went_on(store, size):
    recorded = some_facts(size)
    store.append(recorded)
    store.append(recorded)
    more = some_facts(1, recorded[-1].head)
    store.append(more)
    store.append(recorded)

    assert store.read(SEVEN, 0, 10) == recorded + more


def test_a_fact_of_the_same_id_and_another_hash_is_another_fact(store):
    recorded = some_facts(1)
    store.append(recorded)

    with pytest.raises(AppendConflictError):
        store.append(chained(EMPTY, [replace(recorded[0].fact, data=b'{"cents":9}')]))


def test_a_key_is_taken_once_in_each_stream(store):
    recorded = some_facts(2)
    store.append(recorded, once="payment-1")
    with pytest.raises(AppendedBeforeError) as refused:
        store.append(some_facts(1, recorded[-1].head), once="payment-1")
    store.append(recorded, once="payment-1")
    store.append(some_facts(1, ref=EIGHT), once="payment-1")

    assert (refused.value.first, refused.value.last) == (1, 2)
    assert store.appended(SEVEN, "payment-1") == (1, 2)
    assert store.appended(SEVEN, "payment-2") is None
    assert store.read(SEVEN, 0, 10) == recorded


def test_streams_of_other_keys_and_tenants_are_others(store):
    for ref in (SEVEN, EIGHT, OTHERS):
        store.append(some_facts(1, ref=ref))

    assert {store.read(ref, 0, 9)[0].fact.tenant for ref in (SEVEN, EIGHT)} == {"acme"}
    assert len(store.read(OTHERS, 0, 9)) == 1


def test_a_name_can_not_reach_into_another_stream(store):
    """Keys are a name's characters and one separator that no name holds."""
    store.append(some_facts(1, ref=StreamRef("acme", "account", "7/SNAPSHOT")))

    assert store.head(SEVEN) == EMPTY
    with pytest.raises(InputError):
        StreamRef("acme", "account", "7#8")


def test_most_facts_fit_and_so_do_the_longest_names(store):
    ref = StreamRef(
        "t" * limits.MAX_TENANT_CHARS, "c" * stream_limits.MAX_CATEGORY_CHARS, "k" * stream_limits.MAX_STREAM_KEY_CHARS
    )
    recorded = some_facts(stream_limits.MAX_APPEND_EVENTS, ref=ref)
    store.append(recorded, once="o" * limits.MAX_KEY_CHARS)

    assert store.read(ref, 0, 100) == recorded


def test_a_large_page_is_read_over_several_answers(store):
    """A read of DynamoDB answers a megabyte at most."""
    facts = [a_fact(version, data=b'{"text":"%s"}' % (b"x" * 120_000)) for version in range(1, 13)]
    recorded = chained(EMPTY, facts)
    for start in range(0, 12, 4):
        store.append(recorded[start : start + 4])

    assert store.read(SEVEN, 0, 100) == recorded


def test_the_newest_snapshot_of_each_schema_is_kept(store):
    old, new = Head(10, "a" * 64), Head(20, "b" * 64)
    store.append(some_facts(1))
    store.keep_snapshot(SEVEN, Snapshot(new, 1, b'{"cents":2}'))
    store.keep_snapshot(SEVEN, Snapshot(old, 1, b'{"cents":1}'))
    store.keep_snapshot(SEVEN, Snapshot(old, 2, '{"é":1}'.encode()))

    assert store.snapshots(SEVEN) == (Snapshot(new, 1, b'{"cents":2}'), Snapshot(old, 2, '{"é":1}'.encode()))
    assert store.snapshot(SEVEN, 1) == Snapshot(new, 1, b'{"cents":2}')
    assert (store.snapshot(SEVEN, 3), store.snapshot(EIGHT, 1)) == (None, None)
    assert store.snapshots(EIGHT) == ()
    assert store.head(SEVEN).version == 1


def test_large_snapshots_of_many_schemas_are_all_found(store):
    """A read of DynamoDB answers a megabyte at most."""
    state = b'{"text":"%s"}' % (b"x" * (stream_limits.MAX_STATE_BYTES - 11))
    kept = tuple(Snapshot(Head(10, "a" * 64), schema, state) for schema in range(1, 7))
    for snapshot in kept:
        store.keep_snapshot(SEVEN, snapshot)

    assert store.snapshots(SEVEN) == kept
    assert store.snapshot(SEVEN, 6) == kept[-1]


def test_a_snapshot_that_can_not_be_read_counts_for_nothing(moto):
    table = f"events-{next(_tables)}"
    create_events_table(moto.dynamodb, table)
    store = DynamoEvents(moto.dynamodb, table)
    for schema in (1, 2):
        store.keep_snapshot(SEVEN, Snapshot(Head(10, "a" * 64), schema, b"{}"))
    change(store, snapshot_key(SEVEN, 1), "REMOVE #it", {"#it": "hash"})

    assert store.snapshot(SEVEN, 1) is None
    assert [one.schema for one in store.snapshots(SEVEN)] == [2]


def test_streams_are_listed_by_category_and_tenant_in_pages(store):
    refs = {StreamRef(tenant, "account", str(number)) for tenant in ("acme", "zeta") for number in range(9)}
    for ref in (*refs, StreamRef("acme", "order", "1"), StreamRef("acme", "account.old", "1")):
        store.append(some_facts(2, ref=ref))

    assert set(_listed(store, None)) == refs
    assert set(_listed(store, "acme")) == {ref for ref in refs if ref.tenant == "acme"}
    assert len(_listed(store, None)) == 18
    with pytest.raises(InputError):
        store.streams("account", 5, "nonsense")


def test_a_scan_finds_every_fact_once_and_each_stream_in_order(store):
    written = {}
    for ref in (SEVEN, EIGHT, OTHERS):
        written[ref] = some_facts(7, ref=ref)
        store.append(written[ref], once="k")
        store.keep_snapshot(ref, Snapshot(written[ref][-1].head, 1, b"{}"))

    found, cursor = [], None
    while True:
        page = store.scan(4, cursor)
        found += page.recorded
        cursor = page.cursor
        if cursor is None:
            break

    for ref, recorded in written.items():
        assert tuple(one for one in found if StreamRef.of(one.fact.tenant, one.fact.subject) == ref) == recorded
    assert len(found) == 21
    with pytest.raises(InputError):
        store.scan(5, "nonsense")


def test_what_is_no_fact_is_named_and_what_is_before_it_is_read(store):
    recorded, others = some_facts(4), some_facts(2, ref=EIGHT)
    store.append(recorded)
    store.append(others)
    spoil(store, SEVEN, 3)

    with pytest.raises(StreamBrokenError, match="fact 3 is unreadable") as refused:
        store.read(SEVEN, 1, 10)
    assert refused.value.before == recorded[1:2]
    assert store.read(SEVEN, 0, 2) == recorded[:2]
    assert store.read(SEVEN, 3, 10) == recorded[3:]
    assert store.head(SEVEN) == recorded[-1].head
    page = store.scan(50, None)
    assert set(page.recorded) == {*recorded[:2], recorded[3], *others}
    assert [one.ref for one in page.unreadable] == [SEVEN]
    spoil(store, SEVEN, 4)
    for call in (
        lambda: store.head(SEVEN),
        lambda: store.append(some_facts(1, recorded[2].head)),
    ):
        with pytest.raises(StreamBrokenError, match="fact 4 is unreadable"):
            call()


def spoil(store, ref, version):
    """Make an item of a fact one that is none."""
    if isinstance(store, MemoryEvents):
        store.unreadable.add((ref, version))
    else:
        change(store, version_key(ref, version), "REMOVE #it", {"#it": "hash"})


def change(store, key, how, names, values=None):
    store._table.client.update_item(
        TableName=store._table.name,
        Key=key,
        UpdateExpression=how,
        ExpressionAttributeNames=names,
        **({"ExpressionAttributeValues": values} if values else {}),
    )


@pytest.mark.parametrize("backend", ["moto", "bench"])
@pytest.mark.parametrize(
    ("place", "version", "seen_by_a_page_behind"),
    [("!", 1, False), ("0000000000000003x", 4, True), ("0000000000000003 x", 4, True), ("00000000000000035", 4, True)],
)
def test_what_stands_between_facts_is_seen(request, backend, place, version, seen_by_a_page_behind):
    """Of these keys no fact's is one."""
    if backend == "bench":
        store = DynamoEvents(request.getfixturevalue("bench_events"), "events")
    else:
        client, table = request.getfixturevalue("moto").dynamodb, f"events-{next(_tables)}"
        create_events_table(client, table)
        store = DynamoEvents(client, table)
    recorded = some_facts(4)
    store.append(recorded)
    key = {"pk": {"S": "acme#account/7"}, "sk": {"S": place}}
    store._table.client.put_item(TableName=store._table.name, Item={**fact_item(recorded[2]), **key})

    with pytest.raises(StreamBrokenError, match=f"fact {version} is unreadable"):
        store.read(SEVEN, 0, 10)
    if seen_by_a_page_behind:
        with pytest.raises(StreamBrokenError):
            store.read(SEVEN, 3, 10)
    assert StreamReader(store).verify_ref(SEVEN) == Verified(
        EMPTY if version == 1 else recorded[2].head, Break(version, "unreadable")
    )
    page = store.scan(50, None)
    assert (set(page.recorded), [one.ref for one in page.unreadable]) == (set(recorded), [SEVEN])


def test_what_is_in_no_stream_is_scanned_over_and_listed_nowhere(moto):
    table = f"events-{next(_tables)}"
    create_events_table(moto.dynamodb, table)
    store = DynamoEvents(moto.dynamodb, table)
    recorded = some_facts(1)
    store.append(recorded)
    moto.dynamodb.put_item(
        TableName=table,
        Item={**fact_item(recorded[0]), "pk": {"S": "nobody"}, "streams_sk": {"S": "nobody"}},
    )

    page = store.scan(50, None)
    assert (page.recorded, [one.ref for one in page.unreadable]) == (recorded, [None])
    assert _listed(store, None) == [SEVEN]


def _listed(store, tenant):
    found, cursor = [], None
    while True:
        page = store.streams("account", 5, cursor, tenant)
        found += page.refs
        cursor = page.cursor
        if cursor is None:
            return found
