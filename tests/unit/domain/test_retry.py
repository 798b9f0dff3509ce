"""How long a job waits before its next attempt."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidemill import Jitter, Retry, hours, seconds
from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError

ZERO = timedelta(0)
ATTEMPTS = st.integers(min_value=1, max_value=60)
CHANCE = st.floats(min_value=0, max_value=1, exclude_max=True)


@st.composite
def policies(draw, jitters=tuple(Jitter)):
    base = draw(st.timedeltas(min_value=seconds(1), max_value=limits.MAX_VISIBILITY))
    cap = draw(st.timedeltas(min_value=base, max_value=limits.MAX_VISIBILITY))
    return Retry(base=base, cap=cap, jitter=draw(st.sampled_from(jitters)))


def ceiling(policy: Retry, attempt: int) -> timedelta:
    doubled = policy.base
    for _ in range(attempt - 1):
        doubled = min(doubled * 2, policy.cap)
    return min(doubled, policy.cap)


@given(policies(), ATTEMPTS, CHANCE, st.timedeltas(min_value=ZERO, max_value=limits.MAX_VISIBILITY))
def test_no_delay_is_negative_or_above_the_cap(policy, attempt, chance, previous):
    assert ZERO <= policy.delay(attempt, previous, lambda: chance) <= policy.cap


@given(policies([Jitter.NONE]), ATTEMPTS)
def test_without_jitter_the_base_doubles_up_to_the_cap(policy, attempt):
    assert policy.delay(attempt, ZERO, lambda: 0.5) == ceiling(policy, attempt)


@given(policies([Jitter.FULL]), ATTEMPTS, CHANCE)
def test_full_jitter_spreads_from_zero_to_the_doubled_base(policy, attempt, chance):
    assert policy.delay(attempt, ZERO, lambda: 0.0) == ZERO
    assert policy.delay(attempt, ZERO, lambda: chance) == ceiling(policy, attempt) * chance


@given(policies([Jitter.EQUAL]), ATTEMPTS, CHANCE)
def test_equal_jitter_keeps_half_and_spreads_half(policy, attempt, chance):
    top = ceiling(policy, attempt)

    assert top / 2 <= policy.delay(attempt, ZERO, lambda: chance) <= top


@given(policies([Jitter.DECORRELATED]), ATTEMPTS, CHANCE, st.timedeltas(ZERO, hours(12)))
def test_decorrelated_jitter_stays_between_the_base_and_three_times_the_wait_before(policy, attempt, chance, previous):
    wait = policy.delay(attempt, previous, lambda: chance)

    assert policy.base <= wait <= min(policy.cap, max(policy.base, previous * 3))


def test_decorrelated_jitter_grows_from_the_wait_before_and_not_from_the_attempt():
    policy = Retry(base=seconds(2), cap=hours(1), jitter=Jitter.DECORRELATED)

    assert policy.delay(9, ZERO, lambda: 0.999) == seconds(2)
    assert policy.delay(1, seconds(100), lambda: 0.5) == seconds(151)


def test_an_explicit_list_repeats_its_last():
    policy = Retry(delays=[seconds(1), seconds(5), seconds(30)])

    assert [policy.delay(n, ZERO, lambda: 0.9) for n in (1, 2, 3, 4, 25)] == [
        seconds(count) for count in (1, 5, 30, 30, 30)
    ]


@given(policies(), st.integers(1, 20_000), CHANCE, st.timedeltas(ZERO, limits.MAX_VISIBILITY))
def test_a_deferral_waits_half_of_the_doubled_base_at_least_and_the_cap_at_most(policy, deferrals, chance, previous):
    top = ceiling(policy, min(deferrals, 60))

    assert top / 2 <= policy.deferral_delay(deferrals, previous, lambda: chance) <= policy.cap


@pytest.mark.parametrize("jitter", Jitter)
@pytest.mark.parametrize("delays", [(), (seconds(1),)])
def test_an_outage_is_no_hot_loop_whatever_the_delays_and_the_chance(jitter, delays):
    policy = Retry(jitter=jitter, delays=delays)
    waits: list[timedelta] = [ZERO]
    while sum(waits, ZERO) < hours(6):
        waits.append(policy.deferral_delay(len(waits), waits[-1], lambda: 0.0))

    assert waits == sorted(waits)
    assert len(waits) < 30
    assert policy.deferral_delay(100, ZERO, lambda: 0.0) >= policy.cap / 2


def test_deferrals_are_spread_as_the_jitter_says():
    def most(jitter, previous=ZERO):
        return Retry(jitter=jitter).deferral_delay(3, previous, lambda: 0.5)

    assert most(Jitter.NONE) == seconds(8)
    assert most(Jitter.FULL) == most(Jitter.EQUAL) == most(Jitter.DECORRELATED) == seconds(6)
    assert most(Jitter.DECORRELATED, seconds(10)) == seconds(17)


def test_the_limits_of_deferrals_and_equal_errors_have_defaults_and_the_latter_may_be_off():
    assert (Retry().max_deferrals, Retry().same_error_limit) == (100, 3)
    assert Retry(max_deferrals=1, same_error_limit=None).same_error_limit is None


@pytest.mark.parametrize(
    "words",
    [
        {"max_attempts": 0},
        {"max_attempts": limits.MAX_ATTEMPTS + 1},
        {"base": seconds(0.5)},
        {"base": seconds(-1)},
        {"base": seconds(10), "cap": seconds(9)},
        {"cap": hours(12.1)},
        {"delays": [seconds(0)]},
        {"delays": [hours(13)]},
        {"delays": [seconds(1)] * limits.MAX_ATTEMPTS},
        {"max_deferrals": 0},
        {"max_deferrals": limits.MAX_DEFERRALS + 1},
        {"max_deferrals": None},
        {"same_error_limit": 1},
        {"same_error_limit": limits.MAX_ATTEMPTS + 1},
        {"same_error_limit": True},
    ],
)
def test_a_policy_that_cannot_work_is_refused(words):
    with pytest.raises(DefinitionError, match="Retry"):
        Retry(**words)


def test_jitter_may_be_given_as_its_word_and_an_unknown_word_is_refused():
    assert Retry(jitter="none").jitter is Jitter.NONE
    with pytest.raises(DefinitionError, match="wobbly"):
        Retry(jitter="wobbly")
