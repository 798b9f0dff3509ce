"""The projector under what a table's stream does: batches again, cut in two, late, trimmed; and what it costs."""

from __future__ import annotations

import random
from itertools import chain, repeat

import pytest

from bench.cloud.refused import Refused
from tests.integration.events.conftest import POISON, balances
from tests.streams import Moved, Opened, account
from tidemill.domain.stream import StreamRef
from tidemill.entrypoints.observability import PowertoolsTelemetry


@pytest.fixture
def rebuilder(deployment):
    return deployment.program.rebuilder(PowertoolsTelemetry("test"))


def test_facts_reach_the_read_model(deployment):
    deployment.move("7", 5, -2)
    deployment.move("8", 1)
    deployment.poll()

    assert (deployment.balance("7"), deployment.balance("8")) == (3, 1)
    (first, second), _ = deployment.program.read_models.group(balances, "all", descending=True)
    assert (first.ref.key, second.ref.key) == ("7", "8")
    assert first.head == deployment.program.streams.load(account, "7").head
    assert deployment.program.lines.reached("balances") is not None


def test_a_batch_that_is_handed_in_again_changes_nothing(deployment):
    deployment.move("7", *range(1, 26))
    deployment.poll(batch=7)
    for place in (0, 3, 10):
        deployment.stream.place = place
        deployment.poll(batch=5)

    assert deployment.balance("7") == sum(range(1, 26))


def test_a_function_that_crashes_has_its_batch_cut_in_two_until_it_is_through(deployment):
    deployment.move("7", *range(1, 9))
    deployment.move("8", *range(1, 9))
    crashes = chain([True, True, False, True, False, False, False, True], repeat(False))

    def crashing(event, context):
        if next(crashes):
            raise MemoryError
        answer = deployment.projector(event, context)
        if next(crashes):
            # After the work: its answer never arrives.
            raise MemoryError
        return answer

    deployment.poll(crashing, batch=16, tries=9)

    assert deployment.stream.dropped == 0
    assert (deployment.balance("7"), deployment.balance("8")) == (36, 36)


@pytest.mark.parametrize("seed", range(4))
def test_throttles_anywhere_lose_nothing(deployment, monkeypatch, seed):
    chance = random.Random(seed)  # noqa: S311 - a test's
    perform = deployment.account.perform

    def throttled(service, operation, arguments):
        if operation in {"PutItem", "GetItem", "BatchGetItem", "Query"} and chance.random() < 0.2:
            raise Refused("ProvisionedThroughputExceededException", "slow down")
        return perform(service, operation, arguments)

    for _ in range(4):
        deployment.move("7", 1, 2)
        deployment.move("8", 3)
    monkeypatch.setattr(deployment.program.events._table.patience.__class__, "wait", lambda *_: None)
    monkeypatch.setattr(deployment.account.wire, "_answer", _answering(throttled, deployment.account))
    deployment.poll(batch=5, tries=500)
    monkeypatch.undo()

    assert deployment.stream.dropped == 0
    assert (deployment.balance("7"), deployment.balance("8")) == (12, 12)


def _answering(perform, cloud):
    from bench.cloud.protocol import answer_over

    return answer_over(perform, cloud.new_id)


def test_one_stream_that_is_halted_holds_up_no_other(deployment, rebuilder):
    deployment.move("7", 1, POISON, 2)
    deployment.move("8", 1)
    deployment.poll()

    assert deployment.stream.dropped == 0
    assert deployment.balance("8") == 1
    (line,) = rebuilder.standing("balances").halted
    assert (line.halt.version, line.halt.reason) == (2, "ValueError: no such coin")
    assert deployment.program.read_models.get(balances, "7").halted == "ValueError: no such coin"


def test_a_stream_that_was_trimmed_is_healed_by_the_next_fact_or_by_catching_up(deployment, rebuilder):
    deployment.move("7", 1, 2)
    deployment.move("8", 3)
    deployment.stream.trim()
    deployment.move("7", 4)
    deployment.poll()

    assert deployment.balance("7") == 7
    assert deployment.balance("8") is None
    assert rebuilder.lag("balances").behind == 1
    cursor = None
    while (cursor := rebuilder.catch_up("balances", cursor).cursor) is not None:
        pass
    assert deployment.balance("8") == 3
    assert rebuilder.lag("balances").behind == 0


def test_a_rebuild_beside_the_live_one_is_the_same(deployment, rebuilder):
    deployment.move("7", *range(1, 15))
    deployment.poll()
    edition = rebuilder.begin("balances")
    deployment.move("8", 5)
    deployment.poll()
    cursor = None
    while (cursor := rebuilder.fill("balances", edition, cursor).cursor) is not None:
        deployment.move("8", 5)
    deployment.poll()

    assert list(rebuilder.differing("balances")) == []
    assert rebuilder.switch("balances").live == 2
    assert deployment.balance("7") == sum(range(1, 15))
    while (cursor := rebuilder.purge("balances", cursor)) is not None:
        pass
    keys = [key[0] for key in deployment.account.tables["lines"].items if key[1] == "LINE"]
    assert sorted(keys) == ["default#balances#2#account/7", "default#balances#2#account/8"]


def test_a_changed_fact_is_told_and_what_is_no_fact_is_left_alone(deployment, caplog):
    deployment.move("7", *[1] * 12)
    client, table = deployment.program.clients.dynamodb, deployment.program.settings.events_table
    key = {"pk": {"S": "default#account/7"}, "sk": {"S": f"{3:016d}"}}
    client.update_item(
        TableName=table,
        Key=key,
        UpdateExpression="SET #data = :data",
        ExpressionAttributeNames={"#data": "data"},
        ExpressionAttributeValues={":data": {"S": '{"cents":9}'}},
    )
    deployment.poll()

    assert deployment.balance("7") == 12
    assert "fact_changed" in [record.message for record in caplog.records]
    assert deployment.program.streams.verify(account, "7").broken.version == 3
    # Two snapshots and no more than that are in the stream beside the facts.
    assert deployment.stream.dropped == 0


# --- what it costs --------------------------------------------------------------------------------


def units(deployment, work):
    before = deployment.account.meter.write_units
    work()
    return deployment.account.meter.write_units - before


def test_an_append_is_one_write_unit_and_two_in_a_transaction(deployment):
    streams = deployment.program.streams
    loaded = streams.load(account, "7")

    def append(*events, **options):
        nonlocal loaded
        loaded = streams.append(loaded, *events, **options)

    # The first fact of a stream enters the index of streams.
    assert units(deployment, lambda: append(Opened(owner="ada"))) == 2
    assert units(deployment, lambda: append(Moved(cents=5))) == 1
    assert units(deployment, lambda: append(Opened(owner="x" * 1_500))) == 2
    assert units(deployment, lambda: append(Moved(cents=5), Moved(cents=5))) == 2 * 2
    assert units(deployment, lambda: append(Moved(cents=5), once="payment-1")) == 2 * 2
    assert units(deployment, lambda: [append(Moved(cents=5)) for _ in range(4)]) == 4 + 2  # a snapshot of two KB
    assert loaded.snapshot == 10


def test_a_load_is_two_reads_and_half_a_fact_each(deployment):
    deployment.move("7", *[1] * 19)
    calls = deployment.account.meter.calls.total()
    units = deployment.account.meter.read_units
    deployment.program.streams.load(account, "7")

    assert deployment.account.meter.calls.total() - calls == 2
    assert deployment.account.meter.read_units - units == 2


def test_a_fact_in_a_read_model_is_two_units_where_it_is_listed(deployment):
    deployment.move("7", 1)
    deployment.poll()
    deployment.move("7", 2)
    # The line, and its old and its new entry in the group; that it was reached is one more a batch.
    assert units(deployment, deployment.poll) == 1 + 2 + 1
    calls = dict(deployment.account.meter.calls)
    deployment.move("7", *[3] * 8)
    before = deployment.account.meter.write_units
    deployment.poll(batch=100)
    assert deployment.account.meter.write_units - before == 1 + 2 + 1
    assert deployment.account.meter.calls["PutItem"] - calls["PutItem"] == 8 + 1 + 2  # a snapshot


def test_another_tenants_stream_is_another(deployment):
    deployment.move("7", 1)
    streams = deployment.program.streams
    streams.change(account, "7", lambda _: [Moved(cents=9)], tenant="acme")
    deployment.poll()

    assert deployment.balance("7") == 1
    assert deployment.program.read_models.get(balances, "7", tenant="acme").shown.cents == 9
    assert streams.keys(account, tenant="acme")[0] == (StreamRef("acme", "account", "7"),)
