"""BatchStore: ends are counted once however often they come, and a batch has one ending."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import count

import pytest
from botocore.exceptions import ClientError

from bench.cloud.account import BenchAccount
from bench.workload import lambda_environment
from tests.builders import NOW, REF, an_envelope
from tests.contract.backends import create_jobs_table
from tests.contract.billing import Billing
from tidemill import JobRegistry
from tidemill.aws.batch_items import batch_item, record_of, shard_key
from tidemill.aws.batches import DynamoBatches
from tidemill.aws.items import UNIT_BYTES, item_bytes
from tidemill.domain import limits
from tidemill.domain.batch import BatchRef, Fate, Member, Tally
from tidemill.domain.batch_record import BatchRecord, BatchState, Ending, Kept
from tidemill.domain.completion import ALL, Completion, at_least
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.ports import Mark
from tidemill.entrypoints.bootstrap import Program
from tidemill.testing.batches import MemoryBatches

UNTIL = 1_900_000_000
MINUTE = 60_000
_numbers = count(1)
# Everything as long as it may be.
LONGEST = {
    "key": "k" * limits.MAX_KEY_CHARS,
    "inner": frozenset(range(7_000)) - {9},
    "parent": Member(keyed_job_id("t", "k", "p"), 9_999, 10_000, eager=True),
    "completion": Completion(needed=10_000, tolerated=10_000, early=True),
    "size": 10_000,
    "kept": True,
    "then": True,
    "on_failure": True,
    "submitted": 10_000,
}
ENDED = Ending(NOW, BatchState.CANCELLED, 9_999, 9_999, 9_999, 9_999, tuple(range(9_980, 10_000)))


def a_ref(tenant="acme"):
    return BatchRef(tenant, keyed_job_id(tenant, "batch", str(next(_numbers))))


def a_batch(ref=None, **changes):
    made = BatchRecord(ref or a_ref(), 250, "f" * 32, NOW, ALL, UNTIL, check_at=NOW + MINUTE)
    return replace(made, **changes)


def ended(state=BatchState.FAILED, **changes):
    return replace(Ending(NOW + 5, state, 248, 2, 0, 0, (3, 4)), **changes)


@pytest.fixture
def bench() -> Iterator[DynamoBatches]:
    account = BenchAccount("default")
    with lambda_environment(account, list_index=False):
        yield Program.from_env(JobRegistry()).batches


@pytest.fixture(params=["memory", "bench", "moto", "ministack"])
def batches(request):
    if request.param == "memory":
        return MemoryBatches()
    if request.param == "bench":
        return request.getfixturevalue("bench")
    table = f"batches-{next(_numbers)}"
    client = request.getfixturevalue(request.param).dynamodb
    create_jobs_table(client, table)
    return DynamoBatches(client, table)


def find(batches, ref):
    return batches.find_batches([ref])[0]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"check_at": None, "kept": True},
        {"size": 3, "edges": ((), (0,), (0, 1)), "completion": at_least(2)},
        LONGEST,
    ],
)
def test_a_batch_comes_back_as_it_was_written(batches, changes):
    record = a_batch(**changes)

    assert find(batches, record.ref) is None
    assert batches.open_batch(record) == record
    assert find(batches, record.ref) == record
    assert batches.find_batches([a_ref(), record.ref, a_ref()]) == [None, record, None]


def test_the_first_to_open_a_batch_is_the_one_that_stands(batches):
    record = a_batch()
    batches.open_batch(record)

    assert batches.open_batch(replace(record, fingerprint="0" * 32, created_at=NOW + 1)) == record
    assert batches.open_batch(record) == record


def test_ends_are_counted_once_and_in_any_order(batches):
    record = a_batch()
    ref, mark = record.ref, lambda fates, shard=1: Mark(record.ref, shard, fates)

    assert batches.tally(ref, [0, 1, 2]) == Tally()
    assert batches.count_ends([mark({100: Fate.SUCCEEDED, 199: Fate.FAILED})], UNTIL) == [
        Tally.of({100: Fate.SUCCEEDED, 199: Fate.FAILED})
    ]
    for _ in range(2):
        (tally,) = batches.count_ends([mark({100: Fate.FAILED, 150: Fate.CANCELLED, 199: Fate.SUCCEEDED})], UNTIL)
    assert (tally.succeeded, tally.failed, tally.cancelled) == ({100, 199}, frozenset(), {150})
    two = batches.count_ends([mark({0: Fate.SUCCEEDED}, 0), mark({249: Fate.FAILED}, 2)], UNTIL)
    assert [one.over for one in two] == [{0}, {249}]

    whole = batches.tally(ref, [0, 1, 2])
    assert whole.over == {0, 100, 150, 199, 249}
    assert batches.tally(ref, [2]).failed == {249}
    assert batches.tally(a_ref(), [0, 1]) == Tally()
    assert batches.tally(BatchRef("zeta", ref.id), [0, 1]) == Tally()
    assert batches.count_ends([], UNTIL) == []


def test_workers_that_count_at_once_lose_nothing(ministack):
    """Not on moto, whose updates are not made one after the other."""
    table = f"batches-{next(_numbers)}"
    create_jobs_table(ministack.dynamodb, table)
    batches, record = DynamoBatches(ministack.dynamodb, table), a_batch(size=100)
    batches.open_batch(record)
    marks = [Mark(record.ref, 0, {index: Fate.SUCCEEDED}) for index in range(100)]
    with ThreadPoolExecutor(8) as threads:
        seen = list(threads.map(lambda mark: batches.count_ends([mark], UNTIL)[0], marks))

    assert batches.tally(record.ref, [0]).succeeded == set(range(100))
    # Exactly one of them saw the shard become full.
    assert sorted(len(tally.over) for tally in seen) == list(range(1, 101))


def test_full_shards_are_noted_in_the_batch(batches):
    record = a_batch()
    assert batches.fill(record.ref, 0) is None
    assert find(batches, record.ref) is None

    batches.open_batch(record)
    assert batches.fill(record.ref, 2).full == {2}
    assert batches.fill(record.ref, 2).full == {2}
    assert batches.fill(record.ref, 0) == replace(record, full=frozenset({0, 2}))


def test_a_submit_goes_forward_only(batches):
    record = a_batch()
    assert batches.advance(record.ref, 5, NOW) is None
    batches.open_batch(record)

    assert batches.advance(record.ref, 100, NOW + 7) == replace(record, submitted=100, check_at=NOW + 7)
    assert batches.advance(record.ref, 50, NOW + 9).submitted == 100
    assert batches.advance(record.ref, 100, NOW + 9).check_at == NOW + 9
    assert batches.advance(record.ref, 101) == replace(record, submitted=101, check_at=NOW + 9)
    batches.end_batch(find(batches, record.ref), ended())
    assert batches.advance(record.ref, 200, NOW + 9).submitted == 101


def test_a_cancel_is_noted_while_the_batch_is_open(batches):
    record = a_batch(check_at=None)
    assert batches.ask_cancel(record.ref, NOW) is None
    batches.open_batch(record)

    assert batches.ask_cancel(record.ref, NOW + 3) == replace(record, cancel_asked=True, check_at=NOW + 3)
    assert batches.ask_cancel(record.ref, NOW + 3).cancel_asked

    over = a_batch()
    batches.open_batch(over)
    batches.end_batch(over, ended())
    assert not batches.ask_cancel(over.ref, NOW + 3).cancel_asked


def test_the_first_ending_stands_and_only_who_knows_it_can_replace_it(batches):
    record = a_batch()
    batches.open_batch(record)
    first = batches.end_batch(record, ended())
    assert first == replace(record, ended=ended())
    assert batches.end_batch(record, ended(succeeded=7)) == first

    batches.look_again(first, NOW + 9)
    told = find(batches, record.ref)
    assert (told.told, told.check_at) == (True, NOW + 9)
    better = ended(BatchState.SUCCEEDED, succeeded=250, failed=0, failures=())
    second = batches.end_batch(first, better)
    assert (second.ended, second.told, second.check_at) == (better, False, NOW + 5)
    assert batches.end_batch(first, ended(at=NOW + 99)) == second
    assert batches.end_batch(record, ended(at=NOW + 99)) == second


def test_when_to_look_again_is_set_only_by_who_knows_the_ending(batches):
    record = a_batch()
    batches.open_batch(record)
    batches.look_again(record, NOW + 8, 77)
    assert find(batches, record.ref) == replace(record, check_at=NOW + 8, check_from=77)
    batches.look_again(record, None)
    assert find(batches, record.ref) == replace(record, check_at=None)

    over = batches.end_batch(record, ended())
    batches.look_again(record, None)
    assert find(batches, record.ref) == over
    batches.look_again(over, None)
    assert find(batches, record.ref) == replace(over, check_at=None, told=True)
    batches.look_again(a_batch(), NOW)


def test_what_is_to_be_looked_at_is_listed_earliest_first_and_nothing_else(batches):
    shown = [a_batch(a_ref(tenant), check_at=NOW + at * MINUTE) for at, tenant in ((3, "acme"), (1, "zeta"), (2, "b"))]
    for record in [*shown, a_batch(check_at=NOW + 9 * MINUTE), a_batch(check_at=None, kept=True)]:
        batches.open_batch(record)

    found = batches.due_batches(NOW + 3 * MINUTE, 100)
    assert set(found.records) == set(shown)
    assert not found.more
    assert len(batches.due_batches(NOW + 3 * MINUTE, 2).records) == 2
    assert batches.due_batches(NOW + 3 * MINUTE, 2).more
    batches.look_again(shown[0], None)
    assert set(batches.due_batches(NOW + 3 * MINUTE, 100).records) == set(shown[1:])
    assert batches.due_batches(NOW, 100).records == ()


def test_jobs_are_kept_under_what_the_batch_asks_for(batches):
    record = a_batch()
    envelope = an_envelope(member=Member(record.ref.id, 7, 250, eager=True))
    kept = [
        Kept("then", an_envelope(), "default", wants_ending=True),
        Kept("7", envelope, "bulk", delay_ms=5, lasts_ms=6),
    ]
    batches.keep_jobs(record, [])
    batches.keep_jobs(record, kept)
    batches.keep_jobs(record, kept[:1])
    other = replace(record, fingerprint="0" * 32)
    batches.keep_jobs(other, [Kept("then", an_envelope(key="other"), "bulk")])

    assert batches.kept_jobs(record, ["7", "8", "then"]) == [kept[1], None, kept[0]]
    assert batches.kept_jobs(other, ["then"])[0].lane == "bulk"
    assert batches.kept_jobs(record, []) == []


def test_many_jobs_are_kept_in_one_call(batches):
    record = a_batch(size=60)
    kept = [Kept(str(index), an_envelope(), "default") for index in range(60)]
    batches.keep_jobs(record, kept)

    assert batches.kept_jobs(record, [str(index) for index in range(60)]) == kept


# --- what DynamoDB alone has ---------------------------------------------------------------------


@pytest.mark.parametrize("tenant", ["acme", "t" * limits.MAX_TENANT_CHARS])
def test_no_item_that_children_write_is_larger_than_a_write_unit(ministack, tenant):
    table = f"batches-{next(_numbers)}"
    create_jobs_table(ministack.dynamodb, table)
    bill = Billing(ministack.dynamodb, table)
    batches, record = DynamoBatches(bill, table), a_batch(a_ref(tenant), **LONGEST)
    batches.open_batch(record)
    bill.units = 0

    for fate in (Fate.FAILED, Fate.SUCCEEDED):
        batches.count_ends([Mark(record.ref, 99, dict.fromkeys(range(9_900, 10_000), fate))], UNTIL)
    assert bill.units == 2
    for shard in range(100):
        batches.fill(record.ref, shard)
    assert bill.units == 102
    item = ministack.dynamodb.get_item(TableName=table, Key=shard_key(record.ref, 99))["Item"]
    assert item_bytes(item) <= UNIT_BYTES


def test_a_batch_that_has_ended_stays_below_two_write_units():
    """It is written twice more then."""
    record = a_batch(a_ref("t" * limits.MAX_TENANT_CHARS), **LONGEST)
    item = {**batch_item(record), "full": {"NS": [str(shard) for shard in range(100)]}}
    assert item_bytes(item) <= UNIT_BYTES
    assert record_of(item).full == frozenset(range(100))


def test_items_of_another_schema_are_refused():
    from tidemill.domain.errors import IntegrityError

    with pytest.raises(IntegrityError, match="schema"):
        record_of({**batch_item(a_batch()), "v": {"N": "9"}})


class Failing:
    """A client whose every call fails."""

    def __init__(self, code):
        self.code = code

    def __getattr__(self, name):
        def fail(**_):
            raise ClientError({"Error": {"Code": self.code}}, name)

        return fail


def test_every_call_says_when_aws_did_not_answer():
    batches, record = DynamoBatches(Failing("ThrottlingException"), "jobs"), a_batch()
    calls = [
        lambda: batches.open_batch(record),
        lambda: batches.keep_jobs(record, [Kept("then", an_envelope(), "default")]),
        lambda: batches.kept_jobs(record, ["then"]),
        lambda: batches.find_batches([record.ref]),
        lambda: batches.tally(record.ref, [0]),
        lambda: batches.fill(record.ref, 0),
        lambda: batches.advance(record.ref, 1, NOW),
        lambda: batches.ask_cancel(record.ref, NOW),
        lambda: batches.end_batch(record, ENDED),
        lambda: batches.look_again(record, NOW),
        lambda: batches.due_batches(NOW, 10),
    ]
    for call in calls:
        with pytest.raises(UnavailableError):
            call()
    (error,) = batches.count_ends([Mark(record.ref, 0, {0: Fate.FAILED})], UNTIL)
    assert isinstance(error, UnavailableError)


def test_a_lasting_failure_is_a_mistake_of_the_deployment():
    batches = DynamoBatches(Failing("AccessDeniedException"), "jobs")
    with pytest.raises(ClientError):
        batches.fill(BatchRef("acme", REF.id), 0)
