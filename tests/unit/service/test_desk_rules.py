"""What the DLQ desk decides without asking anybody: filters, groups, modes, merges, pace."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import NOW, a_job, a_send_id
from tidemill import seconds
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory, Remembered
from tidemill.service.dead_filter import Filter
from tidemill.service.editing import merged
from tidemill.service.grouping import grouped
from tidemill.service.manner import Effects, Manner, Mode, effects_of, manner_of
from tidemill.service.pacing import MAX_STEP, Pace, check_rate
from tidemill.testing.clock import FrozenClock

LANES = ("critical", "default", "bulk")
ERROR = "0123456789abcdef"


def dead(number=0, **changes):
    changes = {"error": ERROR, "reason": "permanent", "finished_at": NOW, **changes}
    return a_job(State.DEAD, ref=JobRef("acme", a_send_id(number)), **changes)


class TestFilter:
    @pytest.mark.parametrize(
        ("wanted", "matches"),
        [
            ({}, True),
            ({"tenant": "acme", "lane": "default", "kind": "test.greet"}, True),
            ({"tenant": "globex"}, False),
            ({"lane": "bulk"}, False),
            ({"kind": "test.other"}, False),
            ({"error": ERROR, "reason": "permanent"}, True),
            ({"error": ERROR[::-1]}, False),
            ({"reason": "poison"}, False),
            ({"since": NOW}, True),
            ({"since": NOW + 1}, False),
            ({"until": NOW}, False),
            ({"until": NOW + 1}, True),
        ],
    )
    def test_every_part_must_match(self, wanted, matches):
        assert Filter(**wanted).matches(dead()) is matches

    @pytest.mark.parametrize(
        ("wanted", "field"),
        [
            ({"tenant": "a#b"}, "tenant"),
            ({"lane": "gpu"}, "lane"),
            ({"lane": "GPU"}, "lane"),
            ({"kind": "A B"}, "kind"),
            ({"error": "nonsense"}, "error"),
            ({"error": ERROR + "0"}, "error"),
            ({"reason": "So what"}, "reason"),
            ({"reason": "x" * 33}, "reason"),
            ({"since": NOW, "until": NOW}, "until"),
        ],
    )
    def test_what_can_match_nothing_is_refused_by_name(self, wanted, field):
        with pytest.raises(InputError) as refused:
            Filter(**wanted).checked(LANES)
        assert [violation.field for violation in refused.value.violations] == [field]

    def test_a_whole_lane_is_a_lane_and_nothing_else(self):
        assert Filter().is_whole_lane
        assert Filter(lane="bulk").is_whole_lane
        assert not Filter(lane="bulk", kind="test.greet").is_whole_lane
        assert not Filter(tenant="acme").is_whole_lane

    def test_it_says_what_it_asks_for(self):
        assert str(Filter()) == "all lanes"
        wanted = Filter(lane="bulk", since=1_767_225_600_000)
        assert wanted.parts() == {"lane": "bulk", "since": "2026-01-01T00:00:00.000Z"}


class TestGroups:
    def test_one_fault_one_group_the_largest_first(self):
        jobs = [
            dead(1, finished_at=NOW + 3, kind="b.c"),
            dead(2, finished_at=NOW + 1, lane="bulk"),
            dead(3, error="f" * 16, finished_at=NOW + 9),
        ]

        first, second = grouped(jobs)

        assert (first.error, first.count, first.kinds, first.lanes) == (
            ERROR,
            2,
            ("b.c", "test.greet"),
            ("bulk", "default"),
        )
        assert (first.first, first.last, first.sample) == (NOW + 1, NOW + 3, jobs[0].ref)
        assert (second.count, second.reasons) == (1, ("permanent",))

    def test_deaths_without_a_failure_are_grouped_by_their_reason(self):
        jobs = [dead(n, error=None, reason=reason) for n, reason in enumerate(["crashed", "never_ran", "crashed"])]

        assert [(group.error, group.reasons, group.count) for group in grouped(jobs)] == [
            (None, ("crashed",), 2),
            (None, ("never_ran",), 1),
        ]

    def test_one_fault_under_two_reasons_is_one_group(self):
        assert grouped([dead(1, reason="poison"), dead(2)])[0].reasons == ("permanent", "poison")


def memory(*names):
    return Memory(steps={name: Remembered(name, number, None, NOW, 1) for number, name in enumerate(names, 1)})


class TestManner:
    @pytest.mark.parametrize(
        ("mode", "step", "manner", "forget"),
        [
            (None, None, Manner(), None),
            ("resume", None, Manner(Mode.RESUME), None),
            ("restart", None, Manner(Mode.RESTART), "*"),
            (None, "charge", Manner(Mode.FROM_STEP, "charge"), "charge"),
            ("from_step", "charge", Manner(Mode.FROM_STEP, "charge"), "charge"),
        ],
    )
    def test_modes(self, mode, step, manner, forget):
        assert manner_of(mode, step) == manner
        assert manner.forget == forget

    @pytest.mark.parametrize(
        ("mode", "step", "field"),
        [
            ("again", None, "mode"),
            ("from_step", None, "from_step"),
            ("resume", "charge", "from_step"),
            ("restart", "charge", "from_step"),
            (None, "", "from_step"),
            (None, "é", "from_step"),
            (None, "x" * 65, "from_step"),
        ],
    )
    def test_bad_ones_are_named(self, mode, step, field):
        with pytest.raises(InputError) as refused:
            manner_of(mode, step)
        assert [violation.field for violation in refused.value.violations] == [field]

    @pytest.mark.parametrize(
        ("manner", "kept", "again"),
        [
            (Manner(), ("reserve", "charge", "mail"), ()),
            (Manner(Mode.RESTART), (), ("reserve", "charge", "mail")),
            (Manner(Mode.FROM_STEP, "charge"), ("reserve",), ("charge", "mail")),
            (Manner(Mode.FROM_STEP, "reserve"), (), ("reserve", "charge", "mail")),
        ],
    )
    def test_which_effects_happen_again(self, manner, kept, again):
        assert effects_of(memory("reserve", "charge", "mail"), manner) == Effects(kept, again)

    def test_what_it_says_is_what_the_worker_forgets(self):
        remembered = memory("a", "b", "c")
        for manner in (Manner(), Manner(Mode.RESTART), Manner(Mode.FROM_STEP, "b")):
            assert tuple(remembered.forgetting(manner.forget).steps) == effects_of(remembered, manner).kept

    def test_a_job_that_remembers_nothing(self):
        assert effects_of(None, Manner()) == effects_of(None, Manner(Mode.RESTART)) == Effects()

    @pytest.mark.parametrize("remembered", [None, memory(), memory("reserve")])
    def test_a_step_that_nothing_remembers_is_refused(self, remembered):
        with pytest.raises(InputError, match=r"no step 'charge'; it remembers (none|reserve)"):
            effects_of(remembered, Manner(Mode.FROM_STEP, "charge"))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


class TestMerge:
    # The examples of RFC 7396, appendix A.
    @pytest.mark.parametrize(
        ("old", "patch", "new"),
        [
            ({"a": "b"}, {"a": "c"}, {"a": "c"}),
            ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
            ({"a": "b"}, {"a": None}, {}),
            ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
            ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
            ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
            ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
            ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
            (["a", "b"], ["c", "d"], ["c", "d"]),
            ({"a": "b"}, ["c"], ["c"]),
            ({"a": "foo"}, None, None),
            ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
            ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
            ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ],
    )
    def test_as_the_rfc_says(self, old, patch, new):
        assert merged(old, patch) == new

    @given(JSON, JSON)
    def test_merging_twice_is_merging_once_and_changes_no_argument(self, old, patch):
        before = repr((old, patch))
        once = merged(old, patch)
        assert merged(once, patch) == once
        assert repr((old, patch)) == before


class TestPace:
    @pytest.mark.parametrize("rate", [0, -1, 1001, float("nan")])
    def test_a_rate_that_can_be_none(self, rate):
        with pytest.raises(InputError, match="rate"):
            check_rate(rate)

    @pytest.mark.parametrize(("rate", "count", "least_s"), [(10, 100, 9), (0.5, 4, 6), (200, 1000, 4.5), (3, 7, 2)])
    def test_never_more_than_the_rate(self, rate, count, least_s):
        clock = FrozenClock(NOW)
        pace = Pace(rate, clock, lambda s: clock.advance(seconds(s)))
        left = count
        while left:
            step = pace.step(left)
            pace.passed(step)
            left -= step
            done, elapsed = count - left, (clock.now_ms() - NOW) / 1000
            # What was done is never more than the time allows and one step.
            assert done <= elapsed * rate + max(1, rate)
        assert (clock.now_ms() - NOW) / 1000 >= least_s

    def test_without_a_rate_nobody_waits(self):
        pace = Pace(None, FrozenClock(NOW), lambda _: pytest.fail("it slept"))
        assert [pace.step(200), pace.step(7)] == [MAX_STEP, 7]

    def test_slow_work_is_not_slowed_further(self):
        clock = FrozenClock(NOW)
        pace = Pace(10, clock, lambda _: pytest.fail("it slept"))
        for _ in range(5):
            pace.passed(pace.step(10))
            clock.advance(seconds(1))
