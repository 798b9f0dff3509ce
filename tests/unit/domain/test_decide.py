"""The heart: what becomes of a job."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import DAY, NOW, a_job, a_raise
from tidemill import Jitter, Retention, Retry, days, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.classify import FailureClass
from tidemill.domain.conclusion import concluded
from tidemill.domain.decide import decide
from tidemill.domain.duration import milliseconds
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Bury, Complete, Expire, Park, RetryLater, Returned, TooLate, Untouched

RETRY = Retry(max_attempts=3, base=seconds(10), jitter=Jitter.NONE)
RETENTION = Retention(result=days(2), dead=days(5))
PERMANENT, TRANSIENT, LIMITED = FailureClass.PERMANENT, FailureClass.TRANSIENT, FailureClass.RATE_LIMITED


def running(tries=1, crashes=0, **changes):
    """A job in its attempt number `tries`, not counting those that crashed."""
    fence = tries + crashes
    return a_job(State.RUNNING, attempt=fence, fence=fence, concluded=tries - 1, **changes)


def verdict(attempt, job=None, *, receives=1, retry=RETRY, chance=0.5):
    return decide(
        job or running(),
        attempt,
        retry=retry,
        retention=RETENTION,
        receives=receives,
        now_ms=NOW,
        random=lambda: chance,
    )


@pytest.mark.parametrize("receives", [1, 4, 5, 99])
@pytest.mark.parametrize("job", [running(), running(3), running(1, crashes=2)], ids=["first", "last", "crashed"])
def test_an_end_is_an_end_whatever_the_count(job, receives):
    assert verdict(Returned('"x"'), job, receives=receives) == Complete('"x"', NOW + 2 * DAY)
    assert verdict(TooLate(), job, receives=receives) == Expire(NOW + 2 * DAY)
    buried = verdict(a_raise(PERMANENT, "invalid_args"), job, receives=receives)
    assert (type(buried), buried.reason, buried.keep_until) == (Bury, "invalid_args", NOW + 5 * DAY)


@pytest.mark.parametrize(
    ("tries", "crashes", "wait_s"),
    [(1, 0, 10), (2, 0, 20), (1, 2, 10), (2, 1, 20)],
)
def test_a_failed_attempt_is_tried_again_after_the_policys_delay(tries, crashes, wait_s):
    found = verdict(a_raise(), running(tries, crashes))

    assert (type(found), found.at, found.wait_ms, found.spent) == (RetryLater, NOW + wait_s * 1000, wait_s * 1000, True)
    assert found.failure is not None


@pytest.mark.parametrize("crashes", [0, 2])
def test_the_last_attempt_buries_the_job_and_crashes_are_no_attempts(crashes):
    assert verdict(a_raise(), running(3, crashes)).reason == "attempts_exhausted"
    assert isinstance(verdict(a_raise(), running(2, crashes)), RetryLater)


@pytest.mark.parametrize(
    ("attempt", "spent", "reason"),
    [
        (Untouched(), False, "no_time"),
        (a_raise(LIMITED, wait=seconds(5)), False, "rate_limited"),
        (a_raise(TRANSIENT), True, "error"),
    ],
)
@pytest.mark.parametrize(("receives", "shape"), [(1, RetryLater), (3, RetryLater), (4, Park), (5, Park), (9, Park)])
def test_near_the_last_receive_a_waiting_job_is_parked(attempt, spent, reason, receives, shape):
    found = verdict(attempt, receives=receives)

    assert (type(found), found.spent, found.reason) == (shape, spent, reason)


@pytest.mark.parametrize(("wait", "shape"), [(seconds(60), RetryLater), (seconds(60.001), Park), (hours(9), Park)])
def test_a_wait_too_long_for_the_queue_is_parked(wait, shape):
    found = verdict(a_raise(LIMITED, wait=wait))

    assert (type(found), found.at) == (shape, NOW + milliseconds(wait))


@pytest.mark.parametrize("tries", [1, 3, 25])
def test_a_dependency_that_asks_to_wait_never_kills_a_job(tries):
    assert isinstance(verdict(a_raise(LIMITED, wait=seconds(5)), running(tries)), RetryLater)
    assert isinstance(verdict(a_raise(LIMITED), running(tries)), RetryLater | Park)


def test_without_a_wait_of_its_own_a_limit_waits_as_the_policy_says():
    assert verdict(a_raise(LIMITED), running(2)).wait_ms == 20_000


def test_decorrelated_jitter_grows_from_the_wait_in_the_record():
    policy = Retry(base=seconds(1), cap=minutes(1), jitter=Jitter.DECORRELATED)

    assert verdict(a_raise(), running(wait_ms=10_000), retry=policy, chance=0.5).wait_ms == 15_500


@given(
    st.sampled_from([Untouched(), a_raise(), a_raise(LIMITED), a_raise(LIMITED, wait=timedelta(0))]),
    st.integers(1, 25),
    st.integers(0, 2),
    st.integers(1, 10),
    st.sampled_from(Jitter),
    st.floats(0, 1, exclude_max=True),
    st.integers(0, milliseconds(limits.MAX_VISIBILITY)),
)
def test_no_wait_is_negative_and_only_the_table_holds_long_ones(
    attempt, tries, crashes, receives, jitter, chance, before
):
    policy = Retry(max_attempts=25, jitter=jitter)

    found = verdict(attempt, running(tries, crashes, wait_ms=before), receives=receives, retry=policy, chance=chance)

    if isinstance(found, RetryLater | Park):
        assert found.at == NOW + found.wait_ms
        assert 0 <= found.wait_ms <= milliseconds(policy.cap)
    if isinstance(found, RetryLater):
        assert found.wait_ms <= milliseconds(limits.MAX_IN_QUEUE_WAIT)
        assert receives < limits.MAX_RECEIVES - 1
    if isinstance(found, Bury):
        assert tries == 25


@pytest.mark.parametrize("receives", [1, 4])
def test_a_deferral_gives_its_attempt_back_and_a_failure_does_not(receives):
    job = running(2, crashes=1)

    deferred = concluded(job, verdict(Untouched(), job, receives=receives), NOW)
    failed = concluded(job, verdict(a_raise(), job, receives=receives), NOW)

    assert (deferred.tries, deferred.deferrals) == (job.tries - 1, job.deferrals + 1)
    assert (failed.tries, failed.deferrals) == (job.tries, job.deferrals)
