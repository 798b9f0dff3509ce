"""Jobs, lanes and registries that can't work are refused with the fix; the AWS numbers follow from the rest."""

from datetime import timedelta

import pytest

from tidemill import DEFAULT_LANES, JobArgs, JobRegistry, Lane, OnFinal, Retention, days, hours, job, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.errors import DefinitionError, UnknownKindError
from tidemill.domain.sizing import longest_timeout, size_lane


class Alpha(JobArgs, kind="test.alpha", aliases=("test.first",)):
    x: int = 1


class Beta(JobArgs, kind="test.beta"):
    pass


class AlphaAgain(JobArgs, kind="test.alpha"):
    pass


class TakesAlias(JobArgs, kind="test.first"):
    pass


class Kindless(JobArgs):
    pass


def of(args_type, **options):
    return job(args_type, **options)(lambda args, ctx: None)


def test_a_definition_is_still_the_function():
    doubled = job(Alpha)(lambda args, ctx: args.x * 2)

    assert doubled(Alpha(x=21), None) == 42
    assert (doubled.kind, doubled.lane, doubled.on_final, doubled.is_async) == (
        "test.alpha",
        "default",
        OnFinal.RERUN,
        False,
    )


def test_an_async_function_is_known_as_one():
    @job(Alpha)
    async def later(args, ctx):
        return args.x

    assert later.is_async


def test_a_callable_object_may_be_async_too():
    class Later:
        async def __call__(self, args, ctx):
            return args.x

    assert job(Alpha)(Later()).is_async


def test_a_generator_is_no_job():
    def numbers(args, ctx):
        yield args.x

    async def later_numbers(args, ctx):
        yield args.x

    for function in (numbers, later_numbers):
        with pytest.raises(DefinitionError, match="is a generator"):
            job(Alpha)(function)


@pytest.mark.parametrize("timeout", [seconds(0.5), seconds(0), seconds(-1), minutes(14) + seconds(46)])
def test_a_timeout_that_no_lambda_can_keep_is_refused(timeout):
    with pytest.raises(DefinitionError, match=r"test\.alpha.*timeout.*Fix"):
        of(Alpha, timeout=timeout)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: of(Kindless), "Kindless has no kind. Fix: class Kindless"),
        (lambda: Retention(result=minutes(59)), "Retention.result.*Fix"),
        (lambda: Retention(dead=days(401)), "Retention.dead.*Fix"),
        (lambda: JobRegistry(of(Alpha), of(AlphaAgain)), "two jobs answer to kind 'test.alpha'. Fix"),
        (lambda: JobRegistry(of(Alpha), of(TakesAlias)), "two jobs answer to kind 'test.first'. Fix"),
        (
            lambda: JobRegistry(of(Alpha, lane="gpu")),
            r"lane 'gpu', the registry has critical, default, bulk. Fix.*Lane\('gpu'\)",
        ),
        (lambda: JobRegistry(of(Alpha), lanes=()), "at least one lane. Fix"),
        (lambda: JobRegistry(lanes=(Lane("a"), Lane("a"))), "two lanes are named 'a'. Fix"),
        (
            lambda: JobRegistry(lanes=(Lane("bulk"), Lane("bulk-dlq"))),
            "'bulk-dlq' is named as another lane's DLQ would be. Fix: rename",
        ),
        (lambda: JobRegistry(lanes=(Lane("x-1"), Lane("x1"))), "'x-1' and 'x1' differ in hyphens only. Fix: rename"),
        (lambda: JobRegistry(lanes=("gpu",)), "'gpu' in `lanes` is no lane. Fix"),
        (lambda: JobRegistry(lanes=Lane("gpu")), r"lanes is Lane\(.*Fix"),
        (lambda: JobRegistry(lambda: None), "is no job. Fix: decorate"),
        (lambda: Lane("Bad"), r"Lane\('Bad'\)"),
        (lambda: Lane("a", batch_size=0), "batch_size is 0. Fix: choose 1 to 10000"),
        (lambda: Lane("a", batch_size=10_001, batch_window=seconds(1)), "batch_size is 10001. Fix"),
        (lambda: Lane("a", batch_size=11), "without a window. Fix: give batch_window"),
        (lambda: Lane("a", batch_window=minutes(6)), "batch_window is .* Fix"),
        (lambda: Lane("a", batch_window=seconds(-1)), "batch_window is .* Fix"),
        (lambda: Lane("a", concurrency=0), "concurrency is 0. Fix"),
        (lambda: Lane("a", max_concurrency=1), "max_concurrency is 1. Fix: choose 2 to 1000"),
        (lambda: Lane("a", memory_mb=127), "memory_mb is 127. Fix"),
        (
            lambda: JobRegistry(of(Alpha, timeout=minutes(2)), lanes=(Lane("default", concurrency=1),)),
            "lane 'default': 10 jobs after each other.*Fix: lower batch_size",
        ),
    ],
)
def test_what_cannot_work_is_refused_when_it_is_built_with_the_fix_in_the_message(make, words):
    with pytest.raises(DefinitionError, match=words):
        make()


def test_an_unknown_word_for_on_final_is_refused():
    with pytest.raises(DefinitionError, match=r"on_final is 'whatever'\. Fix: choose one of rerun, return, refuse"):
        of(Alpha, on_final="whatever")


def test_a_registry_resolves_kinds_and_aliases_and_lists_what_it_was_given():
    alpha, beta = of(Alpha), of(Beta, lane="bulk")
    registry = JobRegistry(alpha, beta)

    assert registry.resolve("test.alpha") is registry.resolve("test.first") is alpha
    assert list(registry) == [alpha, beta]
    assert len(registry) == 2
    assert registry.in_lane("bulk") == (beta,)
    assert list(registry.lanes) == ["critical", "default", "bulk"]


def test_an_unknown_kind_is_answered_with_the_nearest():
    registry = JobRegistry(of(Alpha), of(Beta))

    with pytest.raises(UnknownKindError, match=r"did you mean test\.alpha"):
        registry.resolve("test.alpa")
    with pytest.raises(UnknownKindError, match=r"known: test\.alpha, test\.beta, test\.first"):
        registry.resolve("zzzzzz")
    with pytest.raises(UnknownKindError, match="known: none"):
        JobRegistry().resolve("zzzzzz")


@pytest.mark.parametrize(
    ("lane", "timeouts", "function_timeout"),
    [
        (Lane("default"), [], seconds(75)),
        (Lane("default"), [seconds(30), minutes(2)], seconds(135)),
        (Lane("default", batch_size=10, concurrency=3), [seconds(60)], seconds(255)),
        (Lane("default", batch_size=1, concurrency=1), [seconds(1.2)], seconds(17)),
        (Lane("default", batch_size=1, concurrency=1), [minutes(14) + seconds(45)], minutes(15)),
        (Lane("default", batch_size=100, concurrency=100, batch_window=seconds(5)), [minutes(1)], seconds(75)),
    ],
)
def test_a_lanes_numbers_follow_from_its_slowest_job(lane, timeouts, function_timeout):
    sizing = size_lane(lane, [of(Alpha, timeout=timeout) for timeout in timeouts])

    assert sizing.function_timeout == function_timeout
    assert sizing.function_timeout.microseconds == 0
    assert sizing.visibility_timeout == function_timeout * 6 + lane.batch_window
    assert sizing.visibility_timeout <= hours(12)
    assert sizing.max_receives == limits.MAX_RECEIVES >= 5
    assert sizing.dlq_retention > sizing.retention


def test_a_lane_grants_every_job_the_timeout_of_its_slowest():
    assert longest_timeout([of(Alpha, timeout=minutes(3)), of(Beta, timeout=seconds(5))]) == minutes(3)
    assert longest_timeout([]) == minutes(1)


def test_the_horizon_of_a_record_outlives_every_message_that_could_name_it():
    assert limits.SOURCE_RETENTION + limits.DLQ_RETENTION + timedelta(days=1) <= limits.STATE_HORIZON
    assert {lane.name for lane in DEFAULT_LANES} == {"critical", "default", "bulk"}
