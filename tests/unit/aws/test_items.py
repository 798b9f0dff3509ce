"""The STATE item: what goes in comes out, it stays small, and it stands in an index only when it should."""

import json
from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tests.builders import a_delivery
from tests.contract.builders import KEEP, NOW, make_job
from tests.unit.aws.strategies import MOMENT, jobs
from tidemill.aws.concluding import ending
from tidemill.aws.items import (
    NEEDS_ATTENTION,
    SHARDS,
    UNIT_BYTES,
    item_bytes,
    job_of,
    moment,
    ref_of,
    shard_of,
    state_item,
)
from tidemill.domain import limits, webhook_limits
from tidemill.domain.errors import IntegrityError
from tidemill.domain.ids import keyed_job_id, time_ordered_id
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.outcome import Complete
from tidemill.domain.ports import Conclusion
from tidemill.service.lifeline import _progress
from tidemill.service.reception import owner_of

LATE = 9_999_999_999_999
ATTENTION = {"attention_pk", "attention_sk"}
LIST = {"list_pk", "list_sk"}
DUE = {"due_pk", "due_sk"}


# The largest that a running job can say of itself.
PROGRESS = json.dumps(
    {"n": 1 << 53, "of": 1 << 53, "note": "n" * limits.MAX_PROGRESS_NOTE_CHARS}, separators=(",", ":")
)


def longest(state, **fields):
    """A record in `state` with every field that it can have there as long as it gets."""
    waits = state in {State.QUEUED, State.SCHEDULED, State.RETRYING, State.RUNNING}
    ends = {"cancel_asked": True, "repeats": 25, "answers": 999} if waits else {"finished_at": LATE, "keep_until": LATE}
    if state is State.RUNNING:
        ends |= {"watched": True, "progress": PROGRESS}
    return make_job(
        state,
        **{
            "tenant": "t" * limits.MAX_TENANT_CHARS,
            "kind": "k" * limits.MAX_KIND_CHARS,
            "lane": "l" * limits.MAX_LANE_CHARS,
            "key": "k" * limits.MAX_KEY_CHARS,
            "created_at": LATE,
            "claimable_at": LATE if waits else None,
            "ttl_s": 9_999_999_999,
            "generation": 999,
            "attempt": 9_999,
            "fence": 9_999,
            "concluded": 9_999,
            "deferrals": 9_999,
            "owner": "o" * len(owner_of("request", a_delivery("{}"))),
            "held": Held("s" * 36, LATE),
            "started_at": LATE,
            "expires_at": LATE,
            "wait_ms": 43_200_000,
            "reason": "r" * limits.MAX_REASON_CHARS,
            "error": "e" * 16,
            "has_result_item": state is State.SUCCEEDED,
            "owns_args": state is not State.SUCCEEDED,
            "correlation_id": "c" * 64,
            **ends,
            **fields,
        },
    )


@given(jobs(), st.booleans())
def test_what_goes_in_comes_out(job, listed):
    item = state_item(job, listed=listed)

    assert job_of(item) == job
    assert ref_of(item) == job.ref


@given(jobs())
def test_attributes_without_a_value_are_absent(job):
    values = [value for attribute in state_item(job, listed=True).values() for value in attribute.values()]

    assert None not in values
    assert False not in [value for value in values if isinstance(value, bool)]


@pytest.mark.parametrize("state", State)
def test_the_longest_record_is_one_write_unit(state):
    assert item_bytes(state_item(longest(state), listed=True)) <= UNIT_BYTES


def test_a_webhook_adds_its_name_and_four_bytes_to_a_record():
    """Where every name is at its longest, that is a second unit; nowhere else."""
    plain, told = longest(State.RUNNING), longest(State.RUNNING, webhook="w" * webhook_limits.MAX_WEBHOOK_CHARS)

    assert item_bytes(state_item(told, listed=True)) == item_bytes(state_item(plain, listed=True)) + 36
    assert job_of(state_item(told, listed=True)) == told


@given(
    jobs(state=st.just(State.RUNNING), result=st.none(), has_result_item=st.just(False), claimable_at=MOMENT),
    st.integers(0, 1_100),
)
@example(longest(State.RUNNING), 0)
def test_a_result_is_inline_only_where_it_fits(job, size):
    result = "é" * (size // 2) or None
    done = ending(Conclusion(job, Complete(result, KEEP), None, NOW))

    inline = item_bytes(state_item(done.after, listed=True))
    assert inline <= UNIT_BYTES or done.after.result is None
    assert (done.after.result is None and result is not None) == done.after.has_result_item == bool(done.siblings)
    if done.after.has_result_item:
        # It is left out only where it would not have fitted, give or take short numbers and absent names.
        assert item_bytes(state_item(replace(done.after, result=result), listed=True)) > UNIT_BYTES - 260


@pytest.mark.parametrize(
    ("item", "size"),
    [
        ({"pk": {"S": "abc"}}, 5),
        ({"é": {"S": "𝄞"}}, 6),
        ({"n": {"N": "0"}}, 1 + 2),
        ({"n": {"N": "12"}}, 1 + 2),
        ({"n": {"N": "123"}}, 1 + 3),
        ({"n": {"N": "1800000000000"}}, 1 + 8),
        ({"b": {"BOOL": True}}, 2),
    ],
)
def test_sizes_are_counted_as_the_developer_guide_says(item, size):
    assert item_bytes(item) == size


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("listed", [True, False])
def test_a_record_stands_in_an_index_only_when_it_should(state, listed):
    names = set(state_item(make_job(state), listed=listed))

    assert (names >= ATTENTION) is (state in NEEDS_ATTENTION)
    assert names & ATTENTION in (set(), ATTENTION)
    assert (names & LIST) == (LIST if listed else set())
    assert (names & DUE) == (DUE if state is State.SCHEDULED else set())


def test_a_job_that_was_claimed_from_the_table_stays_in_the_due_index_while_it_runs():
    watched = make_job(State.RUNNING, watched=True)

    assert set(state_item(watched, listed=False)) >= DUE
    assert job_of(state_item(watched, listed=False)) == watched


def test_a_normal_job_never_needs_attention():
    assert {State.QUEUED, State.RUNNING, State.SUCCEEDED} & NEEDS_ATTENTION == set()


@pytest.mark.parametrize("state", sorted(NEEDS_ATTENTION))
def test_attention_is_sorted_by_tenant_and_by_when_it_is_due_or_died(state):
    job = make_job(state)
    item = state_item(job, listed=False)

    due = NOW if state is State.DEAD else NOW - 1
    assert item["attention_sk"] == {"S": f"{job.ref.tenant}#{due}"}
    assert item["attention_pk"] == {"S": f"{state}#{shard_of(job.ref)}"}


def test_the_list_is_keyed_by_what_never_changes():
    job = make_job(created_at=1_767_225_599_999)
    item = state_item(job, listed=True)

    assert item["list_pk"] == {"S": f"acme#media.thumbnail#2025-12-31#{shard_of(job.ref)}"}
    assert item["list_sk"] == {"S": "1767225599999"}


@given(MOMENT, MOMENT)
def test_moments_sort_as_numbers(one, other):
    assert (moment(one) < moment(other)) == (one < other)


@pytest.mark.parametrize(
    "make_id",
    [lambda n: keyed_job_id("acme", "k", str(n)), lambda n: time_ordered_id(NOW + n, n * 0x9E3779B97F4A7C15)],
    ids=["keyed", "ordered"],
)
def test_shards_are_even(make_id):
    """A lopsided index would bring back the hot partition that shards are there to prevent."""
    found = Counter(shard_of(JobRef("acme", make_id(number))) for number in range(8_000))

    assert set(found) == set(range(SHARDS))
    # Chi-square with 7 degrees of freedom: above 24.3 once in a thousand.
    assert sum((count - 1_000) ** 2 / 1_000 for count in found.values()) < 24.3


def test_a_record_of_another_schema_is_not_guessed_at():
    item = state_item(make_job(), listed=False)

    with pytest.raises(IntegrityError, match="schema version 2"):
        job_of({**item, "v": {"N": "2"}})


def test_an_unknown_attribute_is_somebody_elses():
    job = make_job()

    assert job_of({**state_item(job, listed=True), "colour": {"S": "red"}}) == job


def test_the_largest_progress_is_what_a_job_can_say():
    assert _progress(1 << 53, 1 << 53, "n" * limits.MAX_PROGRESS_NOTE_CHARS) == PROGRESS
