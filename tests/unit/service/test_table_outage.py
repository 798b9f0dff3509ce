"""A table that does not answer: no job dies of it, and what was done is not done again."""

import pytest

from tests.builders import NOW, Greet, a_send_id, an_envelope, moved
from tests.unit.service.conftest import FUNCTION_TIMEOUT, World, raising, returning
from tidemill import JobRegistry, Lane, Retry, hours, job, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Unwritten
from tidemill.testing import Harness


class DownStore:
    """The table of a world, whose writes fail while it is down."""

    def __init__(self, store, clock):
        self._store, self._clock = store, clock
        self.down_until = 0
        self.verbs = {"insert", "claim", "conclude", "move"}

    def __getattr__(self, name):
        method = getattr(self._store, name)
        if name not in self.verbs:
            return method

        def call(first, *more, **named):
            if self._clock.now_ms() < self.down_until:
                down = Unwritten(UnavailableError(name, "ThrottlingException"))
                return down if name == "move" else [down for _ in first]
            return method(first, *more, **named)

        return call


@pytest.fixture
def world():
    built = World()
    built.store = DownStore(built.store, built.clock)
    built.build(built.store, built.queues)
    return built


def down_for(world, span, *verbs):
    world.store.down_until = world.clock.now_ms() + milliseconds(span)
    world.store.verbs = set(verbs) or world.store.verbs


def test_an_outage_of_five_hours_puts_no_job_into_the_dlq(world):
    jobs = [world.submit() for _ in range(3)]
    down_for(world, hours(5))

    world.settle(patience=2 * 60 * 8)

    assert {world.state(job) for job in jobs} == {State.SUCCEEDED}
    assert {world.job(job).attempt for job in jobs} == {1}
    assert world.queues.depth("default") == 0


@pytest.mark.parametrize("received_before", range(1, limits.MAX_RECEIVES - 1))
def test_receives_that_were_spent_before_shorten_no_outage(world, received_before):
    submitted = world.submit()
    for _ in range(received_before):
        (delivery,) = world.queues.receive("default")
        world.queues.hide("default", [(delivery.receipt, 0)])
    down_for(world, hours(1))

    world.settle(patience=2 * 60 * 4)

    assert world.state(submitted) is State.SUCCEEDED
    assert world.queues.depth("default") == 0


@pytest.mark.parametrize("verb", ["insert", "move"])
def test_an_outage_that_meets_a_later_write_of_the_claim_uses_up_no_receives(world, verb):
    if verb == "insert":
        world.send(an_envelope(ref=an_envelope().ref, send_id=a_send_id(3)))
        ref = an_envelope().ref
    else:
        ref = world.kill(key="k").ref
        world.clock.advance(minutes(1))
        moved(world.queues, "default", lambda _: True, 1)
    down_for(world, hours(1), verb)

    world.settle(patience=2 * 60 * 4)

    assert world.state(ref) is State.SUCCEEDED
    assert world.queues.depth("default") == 0


def test_a_plain_message_waits_as_long(world):
    world.queues.put("default", '{"kind": "test.greet", "args": {}}')
    down_for(world, hours(5))

    world.settle(patience=2 * 60 * 8)

    assert len(world.runs) == 1
    assert world.queues.depth("default") == 0


def test_an_outcome_that_the_table_does_not_take_is_written_again_while_there_is_time(world):
    submitted = world.submit()
    world.does = [lambda args, ctx: down_for(world, seconds(60))]

    world.invoke()

    assert (world.state(submitted), world.job(submitted).crashes, len(world.runs)) == (State.SUCCEEDED, 0, 1)
    assert world.queues.count("default") == 0
    assert world.telemetry.counts["JobsSucceeded"] == 1
    assert "OutcomesUnwritten" not in world.telemetry.counts


def test_the_function_ends_in_time_all_the_same(world):
    submitted = world.submit()
    world.does = [lambda args, ctx: down_for(world, minutes(5))]

    world.invoke()

    left = NOW + milliseconds(FUNCTION_TIMEOUT) - world.clock.now_ms()
    assert milliseconds(limits.SETTLING_TIME) <= left < milliseconds(limits.SETTLING_TIME + limits.MAX_RECORD_AGAIN)
    assert world.telemetry.counts["OutcomesUnwritten"] == 1
    assert world.state(submitted) is State.RUNNING
    world.settle()
    assert (world.state(submitted), world.queues.depth("default")) == (State.SUCCEEDED, 0)


def test_what_was_recorded_is_settled_before_the_worker_waits_for_the_table(world):
    """A process that is killed while it waits takes nothing of the others with it."""
    good, bad = world.submit(), world.submit()
    world.does = [returning(1), raising(ValueError("x"))]
    conclude, asked = world.store._store.conclude, []

    def partly(conclusions):
        asked.append([conclusion.job.ref for conclusion in conclusions])
        answers = conclude([one for one in conclusions if one.job.ref == good.ref])
        down = Unwritten(UnavailableError("conclude", "ThrottlingException"))
        return [*answers, *[down for one in conclusions if one.job.ref == bad.ref]]

    world.store._store.conclude = partly
    executor, batch = world.begin(world.queues.receive("default"))
    for message_id in batch.together:
        batch.perform(message_id)
    executor = type(executor)(**{**_fields(executor), "sleep": _killed})

    with pytest.raises(KeyboardInterrupt):
        executor.finish(batch)

    assert asked == [[good.ref, bad.ref]]
    assert world.state(good) is State.SUCCEEDED
    world.clock.advance(minutes(5))
    assert len(world.queues.receive("default")) == 1


def _fields(executor):
    return {name: getattr(executor, name) for name in executor.__dataclass_fields__}


def _killed(_):
    raise KeyboardInterrupt


def test_a_message_of_a_fifo_lane_waits_no_longer_than_its_receives_allow():
    registry = JobRegistry(job(Greet, lane="orders")(lambda args, ctx: None), lanes=(Lane("orders", fifo=True),))
    with Harness(registry) as tide:
        tide.faults.throttle("claim", times=20)
        first = tide.client.submit(Greet(), entity="o1")
        second = tide.client.submit(Greet(), entity="o1")
        tide.drain_until_idle()

        assert [tide.job(one).state for one in (first, second)] == [State.SUCCEEDED] * 2
        assert tide.job(first).finished_at <= tide.job(second).finished_at


def test_outcomes_that_are_throttled_again_and_again_make_no_poison():
    runs = []
    registry = JobRegistry(job(Greet, retry=Retry(max_attempts=2))(lambda args, ctx: runs.append(ctx.attempt)))
    with Harness(registry) as tide:
        tide.faults.throttle("conclude", times=9)
        submitted = tide.client.submit(Greet())
        tide.drain_until_idle()

        assert tide.job(submitted).state is State.SUCCEEDED
        assert runs == [1]


def test_no_job_runs_on_the_last_receive_of_its_message(world):
    """If that worker died, SQS would put the message into the DLQ, though the job has tries left."""
    submitted = world.submit()
    for _ in range(limits.MAX_RECEIVES - 1):
        (delivery,) = world.queues.receive("default")
        world.queues.hide("default", [(delivery.receipt, 0)])

    world.invoke()

    parked = world.job(submitted)
    assert (parked.state, parked.reason, parked.attempt) == (State.SCHEDULED, "receives_used", 0)
    assert (world.runs, world.queues.count("default")) == ([], 0)
    world.settle()
    assert (world.state(submitted), world.runs) == (State.SUCCEEDED, [(submitted.ref.id, 1, 1)])


def test_a_job_of_a_fifo_lane_runs_on_its_last_receive():
    """It can't be parked, because its successors would overtake it."""
    registry = JobRegistry(job(Greet, lane="orders")(lambda args, ctx: None), lanes=(Lane("orders", fifo=True),))
    with Harness(registry) as tide:
        tide.faults.throttle("claim", times=limits.MAX_FIFO_RECEIVES - 1)
        submitted = tide.client.submit(Greet(), entity="o1")
        tide.drain_until_idle()

        assert tide.job(submitted).state is State.SUCCEEDED
