"""Large arguments and results: the claim check from submit to result, and whatever may happen to stored bytes."""

import json
from dataclasses import dataclass, field

import pytest

from tests.builders import Greet, a_delivery, a_send_id, moved
from tests.unit.service.conftest import raising, returning
from tidemill import Submission, days, hours, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.errors import InputError, IntegrityError, KeyConflictError, PayloadGoneError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.lifecycle import State
from tidemill.service.submitter import Receipt
from tidemill.testing.memory import MemoryPayloads

LARGE = Greet(name="x" * limits.MAX_ARGS_BYTES)
OTHER = Greet(name="y" * limits.MAX_ARGS_BYTES)
DOWN = UnavailableError("get_payload", "SlowDown")


@dataclass
class Watched(MemoryPayloads):
    """Remembers what was asked of it, and fails as often as it is told to."""

    asked: list[str] = field(default_factory=list)
    failures: dict[str, list[Exception]] = field(default_factory=dict)
    keeps: list = field(default_factory=list)

    def _ask(self, verb):
        self.asked.append(verb)
        if self.failures.get(verb):
            raise self.failures[verb].pop(0)

    def put(self, ref, name, data, keep=None):
        self._ask("put")
        self.keeps.append(keep)
        return super().put(ref, name, data, keep)

    def put_all(self, parcels):
        def put(parcel):
            try:
                self.put(parcel.ref, parcel.name, parcel.data)
            except UnavailableError as error:
                return error

        return [put(parcel) for parcel in parcels]

    def get(self, ref, stored):
        self._ask("get")
        return super().get(ref, stored)

    def renew(self, ref, stored):
        self._ask("renew")
        super().renew(ref, stored)

    def discard(self, receipts):
        self._ask("discard")
        super().discard(receipts)


@pytest.fixture
def payloads(world):
    watched = world.payloads = Watched()
    world.build(*world.ports)
    return watched


def seen(values):
    return lambda args, ctx: values.append(args)


class TestArguments:
    def test_small_ones_never_go_there(self, world, payloads):
        job = world.submit(Greet(name="x" * 1_000))
        world.does = [returning("y" * 100_000)]
        world.invoke()

        assert world.client.result(job.ref.id) == "y" * 100_000
        assert payloads.asked == []

    def test_large_ones_reach_the_job_whole_and_are_deleted_when_it_succeeded(self, world, payloads):
        got = []
        job = world.submit(LARGE)
        assert len(world.bodies()[0]) < 1_000
        assert list(payloads.kept) == [(job.ref, f"args/{job.fingerprint}")]

        world.does = [seen(got)]
        world.invoke()

        assert got == [LARGE]
        assert world.state(job) is State.SUCCEEDED
        assert payloads.asked == ["put", "get", "discard"]
        assert payloads.kept == {}

    def test_the_largest_are_taken_and_one_byte_more_is_refused_with_the_number(self, world, payloads):
        overhead = len(Greet(name="").canonical())
        world.submit(Greet(name="x" * (limits.MAX_PAYLOAD_BYTES - overhead)))

        with pytest.raises(InputError, match=r"5242881 bytes, the limit is 5242880. Fix: "):
            world.submit(Greet(name="x" * (limits.MAX_PAYLOAD_BYTES - overhead + 1)))

        assert payloads.asked == ["put"]

    def test_they_are_stored_before_anything_is_sent(self, world, payloads):
        payloads.failures["put"] = [DOWN]

        with pytest.raises(UnavailableError):
            world.submit(LARGE)

        assert (world.bodies(), world.store.jobs) == ([], {})

    def test_in_bulk_each_job_has_its_own_answer(self, world, payloads):
        payloads.failures["put"] = [DOWN]
        small = Greet(name="small")

        results = world.client.submit_many([Submission(LARGE), Submission(small), Submission(OTHER)])

        assert [type(result) for result in results] == [UnavailableError, Receipt, Receipt]
        assert len(world.bodies()) == 2
        got = []
        world.does = [seen(got)] * 2
        world.invoke()
        assert got == [small, OTHER]

    def test_a_repeat_of_a_key_needs_no_store(self, world, payloads):
        first = world.submit(LARGE, key="k")

        again = world.submit(LARGE, key="k")

        assert (again.ref, payloads.asked) == (first.ref, ["put"])
        with pytest.raises(KeyConflictError):
            world.submit(OTHER, key="k")
        assert payloads.asked == ["put"]

    def test_parked_for_a_month_they_are_still_there(self, world, payloads):
        got = []
        job = world.submit(LARGE, delay=days(30))
        assert world.client.args_text(job) == LARGE.canonical().decode()

        world.clock.advance(days(30))
        world.does = [seen(got)]
        world.settle()

        assert (got, world.state(job)) == ([LARGE], State.SUCCEEDED)

    def test_a_plain_message_is_stored_too(self, world, payloads):
        got = []
        body = json.dumps({"kind": "test.greet", "args": {"name": "x" * 900_000}})
        world.queues.put("default", body)
        world.invoke()
        assert payloads.asked == ["put"]

        world.does = [seen(got)]
        world.invoke()

        assert got == [Greet(name="x" * 900_000)]

    def test_a_plain_message_that_can_not_be_stored_stays(self, world, payloads):
        payloads.failures["put"] = [DOWN]
        world.queues.put("default", json.dumps({"kind": "test.greet", "args": {"name": "x" * 900_000}}))

        world.invoke()
        assert (world.queues.count("default"), world.store.jobs) == (1, {})

        world.settle()
        assert [job.state for job in world.store.jobs.values()] == [State.SUCCEEDED]

    def test_they_stay_for_the_next_attempt(self, world, payloads):
        got = []
        job = world.submit(LARGE)
        world.does = [raising(RuntimeError("once")), seen(got)]

        world.settle()

        assert (world.state(job), got) == (State.SUCCEEDED, [LARGE])
        assert payloads.asked == ["put", "get", "get", "discard"]

    @pytest.mark.parametrize("via", ["desk", "console"])
    def test_a_dead_job_is_redriven_with_them(self, world, payloads, via):
        got = []
        job = world.kill(args=LARGE)
        assert world.client.args_text(job) == LARGE.canonical().decode()
        payloads.asked.clear()
        world.clock.advance(days(3))

        if via == "desk":
            world.desk.redrive(job.ref)
        else:
            moved(world.queues, "default", lambda _: True, 10, 10)
        world.does = [seen(got)]
        world.settle()

        assert (world.state(job), got) == (State.SUCCEEDED, [LARGE])
        assert payloads.asked == (["renew"] if via == "desk" else []) + ["get", "discard"]

    def test_a_rerun_stores_them_anew(self, world, payloads):
        first = world.submit(LARGE, key="k", delay=minutes(1))
        world.client.cancel(first.ref.id)
        payloads.kept.clear()
        got = []
        world.does = [seen(got)]

        world.submit(LARGE, key="k")
        world.settle()

        assert (world.state(first), got) == (State.SUCCEEDED, [LARGE])


class TestHarm:
    def test_s3_is_down_and_the_job_waits_without_spending_an_attempt(self, world, payloads):
        job = world.submit(LARGE)
        payloads.failures["get"] = [DOWN] * 40
        waits = []

        for _ in range(40):
            world.clock.advance(minutes(10))
            world.janitor.sweep()
            world.invoke()
            waits.append(world.job(job).wait_ms)

        now = world.job(job)
        assert (now.attempt, now.reason, now.error) == (0, "payload_unavailable", None)
        assert waits[:3] == [5_000, 10_000, 20_000]
        assert max(waits) == 300_000
        assert world.runs == []
        assert "payload_unavailable" in world.telemetry.events("alert")
        world.settle()
        assert (world.state(job), world.job(job).attempt) == (State.SUCCEEDED, 1)

    def test_gone_bytes_are_the_jobs_death_with_its_reason(self, world, payloads):
        job = world.submit(LARGE)
        payloads.kept.clear()

        world.invoke()

        assert (world.state(job), world.job(job).reason, world.runs) == (State.DEAD, "payload_gone", [])
        (failed,) = world.client.failures(job.ref.id)
        assert failed.failure.type == "PayloadGoneError"
        assert "Fix: submit the job again" in failed.failure.message

    @pytest.mark.parametrize("tampered", [b"", b"{}", b'{"name":"evil","times":1}', LARGE.canonical() + b" "])
    def test_tampered_bytes_never_reach_the_job(self, world, payloads, tampered):
        job = world.submit(LARGE)
        payloads.kept = dict.fromkeys(payloads.kept, tampered)

        world.invoke()

        assert (world.state(job), world.job(job).reason, world.runs) == (State.DEAD, "integrity", [])
        assert "evil" not in str(world.client.failures(job.ref.id))

    def test_a_forged_message_reads_no_other_jobs_arguments(self, world, payloads):
        victim = world.submit(LARGE, tenant="victim")
        document = json.loads(world.bodies()[0])

        # The victim's own envelope and receipt, but for the tenant: it is looked for among the thief's bytes.
        world.work([a_delivery(json.dumps({**document, "tenant": "thief", "send_id": a_send_id(99)}))])

        job = world.job(JobRef("thief", victim.ref.id))
        assert (job.state, job.reason) == (State.DEAD, "payload_gone")
        assert world.runs == []

    def test_a_redrive_of_gone_bytes_says_so_and_changes_nothing(self, world, payloads):
        job = world.kill(args=LARGE)
        payloads.kept.clear()

        with pytest.raises(PayloadGoneError):
            world.desk.redrive(job.ref)

        assert world.job(job) == job

    def test_a_slow_store_leaves_the_job_no_less_than_its_timeout(self, world, payloads):
        job = world.submit(LARGE)
        get = payloads.get

        def slow(ref, stored):
            world.clock.advance(seconds(30))
            return get(ref, stored)

        payloads.get = slow
        world.invoke()

        assert (world.state(job), world.job(job).attempt, world.runs) == (State.RETRYING, 0, [])


class TestResults:
    VALUE = "r" * limits.MAX_RESULT_BYTES

    def test_a_large_one_is_stored_before_the_record_and_read_back(self, world, payloads):
        job = world.submit()
        world.does = [returning(self.VALUE)]

        world.invoke()

        done = world.job(job)
        assert (done.state, done.result, done.has_result_item) == (State.SUCCEEDED, None, True)
        assert list(payloads.kept) == [(job.ref, "result/1")]
        assert payloads.keeps == [days(7)]
        assert world.client.result(job.ref.id) == self.VALUE

    def test_the_largest(self, world, payloads):
        job = world.submit()
        world.does = [returning("r" * (limits.MAX_PAYLOAD_BYTES - 2))]

        world.invoke()

        assert len(world.client.result(job.ref.id)) == limits.MAX_PAYLOAD_BYTES - 2

    def test_the_store_is_tried_again(self, world, payloads):
        job = world.submit()
        world.does = [returning(self.VALUE)]
        payloads.failures["put"] = [DOWN, DOWN]

        world.invoke()

        assert (world.state(job), world.job(job).attempt, payloads.asked) == (State.SUCCEEDED, 1, ["put"] * 3)

    def test_a_store_that_stays_down_fails_the_attempt_and_not_the_job(self, world, payloads):
        job = world.submit()
        world.does = [returning(self.VALUE)] * 2
        payloads.failures["put"] = [DOWN] * 3

        world.invoke()

        assert (world.state(job), world.job(job).reason) == (State.RETRYING, "result_unavailable")
        world.settle()
        assert (world.state(job), len(world.runs)) == (State.SUCCEEDED, 2)

    def test_a_zombies_result_does_not_replace_its_successors(self, world, payloads):
        job = world.submit()
        zombie_deliveries = world.queues.receive("default")
        zombie, batch = world.begin(zombie_deliveries)
        world.clock.advance(hours(1))
        world.does = [returning("new" + self.VALUE)]
        world.settle()
        assert world.client.result(job.ref.id).startswith("new")

        world.does = [returning("old" + self.VALUE)]
        batch.perform(zombie_deliveries[0].message_id)
        zombie.finish(batch)

        assert world.client.result(job.ref.id).startswith("new")

    @pytest.mark.parametrize(("harm", "error"), [("gone", PayloadGoneError), ("changed", IntegrityError)])
    def test_a_harmed_result_is_never_handed_out(self, world, payloads, harm, error):
        job = world.submit()
        world.does = [returning(self.VALUE)]
        world.invoke()
        payloads.kept = {} if harm == "gone" else dict.fromkeys(payloads.kept, b'"evil"')

        with pytest.raises(error):
            world.client.result(job.ref.id)
        assert world.client.get(job.ref.id).state is State.SUCCEEDED


def test_a_step_whose_stored_result_is_gone_ends_the_job_with_that_reason(world, payloads):
    def work(args, ctx):
        ctx.step("big", lambda: "s" * 5_000)
        raise RuntimeError("later")

    job = world.submit()
    world.does = [work, work]
    world.invoke()
    payloads.kept.clear()

    world.clock.advance(minutes(1))
    world.invoke()

    assert (world.state(job), world.job(job).reason) == (State.DEAD, "payload_gone")
