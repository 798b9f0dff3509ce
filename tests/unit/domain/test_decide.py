"""The heart: what becomes of a job."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.builders import DAY, NOW, a_failure, a_job, a_raise
from tidemill import Jitter, Retention, Retry, days, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.classify import Classification, FailureClass
from tidemill.domain.conclusion import concluded
from tidemill.domain.decide import HANDED_OVER, Waits, decide
from tidemill.domain.duration import milliseconds
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Held
from tidemill.domain.outcome import (
    Bury,
    Complete,
    Continued,
    Cost,
    Expire,
    Park,
    Raised,
    RetryLater,
    Returned,
    Stop,
    Stopped,
    Suspect,
    TooLate,
    Untouched,
)

RETRY = Retry(max_attempts=3, base=seconds(10), jitter=Jitter.NONE)
RETENTION = Retention(result=days(2), dead=days(5))
PERMANENT, TRANSIENT, LIMITED = FailureClass.PERMANENT, FailureClass.TRANSIENT, FailureClass.RATE_LIMITED
DOWN = FailureClass.UNAVAILABLE
ATTEMPT, DEFERRAL, NOTHING = Cost.ATTEMPT, Cost.DEFERRAL, Cost.NOTHING
HELD = Held("s", NOW)


def running(tries=1, crashes=0, **changes):
    """A job in its attempt number `tries`, not counting those that crashed."""
    fence = tries + crashes
    return a_job(State.RUNNING, attempt=fence, fence=fence, concluded=tries - 1, **changes)


def verdict(attempt, job=None, *, receives=1, retry=RETRY, chance=0.5, in_order=False):
    return decide(
        job or running(),
        attempt,
        retry=retry,
        retention=RETENTION,
        waits=Waits(receives, in_order),
        now_ms=NOW,
        random=lambda: chance,
    )


def a_mistake(fingerprint="f" * 16):
    """A failure that time does not cure."""
    return Raised(a_failure(fingerprint=fingerprint), Classification(TRANSIENT, deterministic=True), "error")


@pytest.mark.parametrize("receives", [1, 4, 5, 99])
@pytest.mark.parametrize("job", [running(), running(3), running(1, crashes=2)], ids=["first", "last", "crashed"])
def test_an_end_is_an_end_whatever_the_count(job, receives):
    assert verdict(Returned('"x"'), job, receives=receives) == Complete('"x"', NOW + 2 * DAY)
    assert verdict(TooLate(), job, receives=receives) == Expire(NOW + 2 * DAY)
    assert verdict(Stopped(), job, receives=receives) == Stop(NOW + 2 * DAY)
    buried = verdict(a_raise(PERMANENT, "invalid_args"), job, receives=receives)
    assert (type(buried), buried.reason, buried.keep_until) == (Bury, "invalid_args", NOW + 5 * DAY)


@pytest.mark.parametrize(
    ("tries", "crashes", "wait_s"),
    [(1, 0, 10), (2, 0, 20), (1, 2, 10), (2, 1, 20)],
)
def test_a_failed_attempt_is_tried_again_after_the_policys_delay(tries, crashes, wait_s):
    found = verdict(a_raise(), running(tries, crashes))

    expected = (RetryLater, NOW + wait_s * 1000, wait_s * 1000, ATTEMPT)
    assert (type(found), found.at, found.wait_ms, found.cost) == expected
    assert found.failure is not None


@pytest.mark.parametrize("crashes", [0, 2])
def test_the_last_attempt_buries_the_job_and_crashes_are_no_attempts(crashes):
    assert verdict(a_raise(), running(3, crashes)).reason == "attempts_exhausted"
    assert isinstance(verdict(a_raise(), running(2, crashes)), RetryLater)


WAITS = [
    (Untouched(), NOTHING, "no_time"),
    (Suspect(1), NOTHING, "runs_alone"),
    (Continued(), NOTHING, HANDED_OVER),
    (a_raise(LIMITED, wait=seconds(5)), DEFERRAL, "rate_limited"),
    (a_raise(DOWN), DEFERRAL, "unavailable"),
    (a_raise(TRANSIENT), ATTEMPT, "error"),
]


@pytest.mark.parametrize(("attempt", "cost", "reason"), WAITS)
@pytest.mark.parametrize(("receives", "shape"), [(1, RetryLater), (8, RetryLater), (9, Park), (10, Park), (11, Park)])
def test_near_the_last_receive_a_waiting_job_is_parked(attempt, cost, reason, receives, shape):
    found = verdict(attempt, receives=receives)

    assert (type(found), found.cost, found.reason) == (shape, cost, reason)


@pytest.mark.parametrize(("wait", "shape"), [(seconds(60), RetryLater), (seconds(60.001), Park), (hours(9), Park)])
def test_a_wait_too_long_for_the_queue_is_parked(wait, shape):
    found = verdict(a_raise(LIMITED, wait=wait))

    assert (type(found), found.at) == (shape, NOW + milliseconds(wait))


@pytest.mark.parametrize(("attempt", "cost", "reason"), WAITS)
def test_a_job_whose_message_may_be_gone_waits_in_the_table(attempt, cost, reason):
    waits = Waits(1, watched=True)
    choice = {"retry": RETRY, "retention": RETENTION, "waits": waits, "now_ms": NOW, "random": lambda: 0.5}

    assert isinstance(decide(running(), attempt, **choice), Park)


# --- lanes in order ------------------------------------------------------------------------------


@pytest.mark.parametrize("attempt", [attempt for attempt, _, _ in WAITS])
@pytest.mark.parametrize("receives", [1, 5, limits.MAX_FIFO_RECEIVES - 1])
def test_in_an_ordered_lane_a_job_always_waits_in_its_queue(attempt, receives):
    assert isinstance(verdict(attempt, receives=receives, in_order=True), RetryLater)


def test_in_an_ordered_lane_even_a_long_wait_is_waited_in_the_queue():
    assert isinstance(verdict(a_raise(LIMITED, wait=hours(3)), in_order=True), RetryLater)


@pytest.mark.parametrize("kind", [TRANSIENT, LIMITED, DOWN])
def test_an_ordered_job_dies_with_its_evidence_before_the_queue_gives_up_on_it(kind):
    found = verdict(a_raise(kind), receives=limits.MAX_FIFO_RECEIVES, in_order=True)

    assert (type(found), found.reason) == (Bury, "receives_exhausted")


# --- what costs no attempt -----------------------------------------------------------------------


@pytest.mark.parametrize("tries", [1, 3, 25])
@pytest.mark.parametrize("deferrals", [0, 100, 99_999])
def test_a_dependency_that_asks_to_wait_never_kills_a_job(tries, deferrals):
    job = running(tries, deferrals=deferrals)

    assert isinstance(verdict(a_raise(LIMITED, wait=seconds(5)), job), RetryLater)
    assert isinstance(verdict(a_raise(LIMITED), job), RetryLater | Park)


def test_without_a_wait_of_its_own_a_limit_is_asked_ever_more_rarely():
    waits = [verdict(a_raise(LIMITED), running(deferrals=deferrals)).wait_ms for deferrals in (0, 1, 2, 30)]

    assert waits == [10_000, 20_000, 40_000, milliseconds(RETRY.cap)]


def test_a_dependency_that_is_down_costs_nothing_until_it_was_waited_for_often_enough():
    policy = Retry(max_attempts=2, max_deferrals=7, base=seconds(1), jitter=Jitter.NONE)

    last = verdict(a_raise(DOWN), running(2, deferrals=6), retry=policy)
    assert (last.cost, last.reason) == (DEFERRAL, "unavailable")
    spent = verdict(a_raise(DOWN), running(1, deferrals=7), retry=policy)
    assert (spent.cost, spent.reason) == (ATTEMPT, "error")
    assert verdict(a_raise(DOWN), running(2, deferrals=7), retry=policy).reason == "attempts_exhausted"


def test_a_dependency_that_is_down_and_says_until_when_is_asked_then():
    assert verdict(a_raise(DOWN, wait=seconds(7)), running(deferrals=20)).wait_ms == 7_000


def test_decorrelated_jitter_grows_from_the_wait_in_the_record():
    policy = Retry(base=seconds(1), cap=minutes(1), jitter=Jitter.DECORRELATED)

    assert (
        verdict(a_raise(), running(4, wait_ms=9_000), retry=replace(policy, max_attempts=9), chance=0.5).wait_ms
        == 14_000
    )


@pytest.mark.parametrize(("tries", "longest"), [(1, 1), (2, 3), (3, 9), (5, 60), (24, 60)])
def test_decorrelated_jitter_does_not_grow_from_an_hours_wait_for_a_dependency(tries, longest):
    policy = Retry(max_attempts=25, base=seconds(1), cap=minutes(1), jitter=Jitter.DECORRELATED)

    for chance in (0.0, 1.0):
        wait = verdict(a_raise(), running(tries, wait_ms=3_600_000), retry=policy, chance=chance)
        assert 1_000 <= wait.wait_ms <= longest * 1_000


@pytest.mark.parametrize("receives", [1, 4])
def test_only_a_failure_spends_an_attempt_and_only_a_deferral_is_counted_as_one(receives):
    job = running(2, crashes=1, deferrals=4)

    def after(attempt):
        return concluded(job, verdict(attempt, job, receives=receives), NOW)

    assert (after(a_raise()).tries, after(a_raise()).deferrals) == (2, 4)
    assert (after(a_raise(DOWN)).tries, after(a_raise(DOWN)).deferrals) == (1, 5)
    for idle in (Untouched(), Suspect(2), Continued()):
        assert (after(idle).tries, after(idle).deferrals, after(idle).crashes) == (1, 4, 1)


def test_suspects_wait_one_after_the_other():
    waits = [verdict(Suspect(place)).wait_ms for place in (1, 2, 9)]

    assert waits == [milliseconds(limits.SUSPECT_SPACING) * place for place in (1, 2, 9)]


def test_a_job_that_goes_on_elsewhere_comes_back_at_once():
    assert verdict(Continued()).at == NOW


@pytest.mark.parametrize("idle", [Untouched(), Suspect(1)])
def test_a_job_that_went_on_elsewhere_says_so_as_long_as_it_only_waits(idle):
    """What is not to expire any more is known by this word."""
    assert verdict(idle, running(reason=HANDED_OVER)).reason == HANDED_OVER
    assert verdict(idle, running(reason="error")).reason != HANDED_OVER


# --- the same mistake over and over --------------------------------------------------------------


def test_the_same_mistake_three_times_in_a_row_is_the_end_though_attempts_are_left():
    job, policy = running(), Retry(max_attempts=25)
    found = []
    for _ in range(3):
        ended = verdict(a_mistake(), job, retry=policy)
        found.append(ended)
        job = concluded(job, ended, NOW).claimed("me", HELD, NOW, NOW, 0)

    assert [type(ended) in (RetryLater, Park) for ended in found] == [True, True, False]
    assert [ended.repeats for ended in found[:2]] == [1, 2]
    assert found[2].reason == "repeating"


@pytest.mark.parametrize("between", [a_mistake("e" * 16), a_raise()], ids=["another mistake", "bad luck"])
def test_something_else_in_between_begins_the_count_anew(between):
    job, policy = running(), Retry(max_attempts=25)
    ends = []
    for attempt in (a_mistake(), a_mistake(), between, a_mistake(), a_mistake(), a_mistake()):
        ends.append(verdict(attempt, job, retry=policy))
        job = concluded(job, ends[-1], NOW).claimed("me", HELD, NOW, NOW, 0)

    assert [isinstance(end, Bury) for end in ends] == [False] * 5 + [True]


def test_what_did_not_run_leaves_the_count_as_it_is():
    job = running(repeats=2, error="f" * 16)

    for idle in (Untouched(), Suspect(1)):
        assert concluded(job, verdict(idle, job), NOW).repeats == 2
    assert verdict(a_mistake(), job, retry=Retry(max_attempts=25)).reason == "repeating"


@pytest.mark.parametrize("kind", [LIMITED, DOWN])
def test_a_dependency_in_between_does_not_make_a_mistake_a_new_one(kind):
    job = running(repeats=2, error="f" * 16)

    after = concluded(job, verdict(a_raise(kind), job), NOW)

    assert (after.repeats, after.error) == (2, "f" * 16)


@pytest.mark.parametrize("kind", [LIMITED, DOWN])
def test_a_deferral_is_the_last_error_of_a_job_that_has_not_failed_in_a_row(kind):
    raised = a_raise(kind)

    after = concluded(running(error="f" * 16), verdict(raised), NOW)

    assert (after.repeats, after.error) == (0, raised.failure.fingerprint)


def test_without_a_limit_a_repeated_mistake_uses_up_the_attempts():
    policy = Retry(max_attempts=25, same_error_limit=None)

    assert isinstance(verdict(a_mistake(), running(5, repeats=9, error="f" * 16), retry=policy), RetryLater | Park)


# --- whatever happens ----------------------------------------------------------------------------

ATTEMPTS = st.sampled_from(
    [
        Untouched(),
        Suspect(1),
        Suspect(9),
        Continued(),
        a_raise(),
        a_mistake(),
        a_raise(DOWN),
        a_raise(DOWN, wait=timedelta(0)),
        a_raise(LIMITED),
        a_raise(LIMITED, wait=timedelta(0)),
    ]
)
POLICIES = st.builds(
    Retry,
    max_attempts=st.integers(1, 25),
    jitter=st.sampled_from(Jitter),
    max_deferrals=st.integers(1, 50),
    same_error_limit=st.none() | st.integers(2, 25),
)
CHANCE = st.floats(0, 1, exclude_max=True)


JOBS = st.builds(
    running,
    st.integers(1, 25),
    st.integers(0, 2),
    wait_ms=st.integers(0, milliseconds(limits.MAX_VISIBILITY)),
    deferrals=st.integers(0, 10_000),
)


@given(ATTEMPTS, JOBS, st.integers(1, 10), POLICIES, CHANCE)
def test_no_wait_is_negative_and_only_the_table_holds_long_ones(attempt, job, receives, policy, chance):
    found = verdict(attempt, job, receives=receives, retry=policy, chance=chance)

    if isinstance(found, RetryLater | Park):
        assert found.at == NOW + found.wait_ms
        assert 0 <= found.wait_ms <= milliseconds(policy.cap)
    if isinstance(found, RetryLater):
        assert found.wait_ms <= milliseconds(limits.MAX_IN_QUEUE_WAIT)
        assert receives < limits.MAX_RECEIVES - 1
    if isinstance(found, Bury):
        assert job.tries >= policy.max_attempts


@given(POLICIES, st.lists(st.tuples(ATTEMPTS | st.just("crash"), st.integers(1, 5), CHANCE), max_size=60))
def test_over_any_history_no_job_is_lost_and_none_is_tried_too_often(policy, history):
    job = a_job(State.QUEUED).claimed("me", HELD, NOW, NOW, 0)
    failures = 0
    for attempt, receives, chance in history:
        if attempt == "crash":
            job = job.claimed("me", HELD, NOW, NOW, 0)
            continue
        found = verdict(attempt, job, receives=receives, retry=policy, chance=chance)
        job = concluded(job, found, NOW)
        failures += isinstance(found, Bury) or found.cost is ATTEMPT
        assert job.tries == failures <= policy.max_attempts
        if isinstance(found, Bury):
            # Only failures end a job, and it keeps what it died of.
            assert isinstance(attempt, Raised)
            assert (job.state, job.error) == (State.DEAD, attempt.failure.fingerprint)
            assert found.reason in {"attempts_exhausted", "repeating"}
            return
        # It can be claimed again, from its queue or from the table.
        assert job.state in {State.RETRYING, State.SCHEDULED}
        assert job.claimable_at is not None
        assert job.owns_args is (job.state is State.SCHEDULED)
        job = job.claimed("me", HELD, NOW, NOW, 0)
