"""The main job on the deployed stack, from outside: submitted, run, recorded, dead, redriven."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest

from examples.demo.stage import STACK, Stage, job_of_message, stage_of
from examples.demo.watch import wait_until
from jobs.flaky import Flaky
from jobs.fragile import Fragile
from jobs.ping import Ping
from tests.e2e.ground import at_rest, sweep
from tidemill import Submission, seconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.service.reception import Enveloped, receive
from tidemill.service.submission import check

pytestmark = pytest.mark.slow
# A function's first process takes seconds to start, and every other test may want the same processor.
PATIENCE_S = 60


@pytest.fixture(scope="module")
def stage(cloud) -> Stage:
    stage = stage_of(cloud)
    # The first job of a lane waits for its worker's process; no test below is about that.
    for lane in ("default", "bulk"):
        ended(stage, stage.client.submit(Ping(message="warm"), lane=lane).job.ref)
    return stage


@pytest.fixture
def cli(cloud, repository: Path) -> Callable[..., dict]:
    """Run `tidemill ... --json` as a user does, in a process of its own."""

    def run(*words: str) -> dict:
        done = subprocess.run(
            [str(Path(sys.executable).with_name("tidemill")), *words, "--json"],
            cwd=repository,
            env=cloud.environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=PATIENCE_S,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return run


def ended(stage: Stage, ref: JobRef) -> Job:
    """The job once it is over."""
    record: list[Job | None] = [None]

    def is_over() -> bool:
        record[:] = stage.jobs([ref])
        return record[0] is not None and record[0].state.is_final

    assert wait_until(is_over, PATIENCE_S), record
    return record[0]


def in_dlq(stage: Stage, lane: str) -> list[JobRef]:
    messages = receive(stage.program.dead_letters.peek(lane, 100))
    return [message.envelope.ref for message in messages if isinstance(message, Enveloped)]


def envelope_for(stage: Stage, ping: Ping) -> Envelope:
    program = stage.program
    return check(Submission(ping), program.registry, program.clock.now_ms(), program.random).envelope


def by_http(stage: Stage, cli, message: str) -> JobRef:
    answer = stage.api.post("/jobs", {"kind": "demo.ping", "args": {"message": message}})
    assert answer.status == 202, answer
    return JobRef("default", answer.body["id"])


def by_sqs(stage: Stage, cli, message: str) -> JobRef:
    (message_id,) = stage.send("default", {"kind": "demo.ping", "args": {"message": message}})
    return job_of_message("demo.ping", message_id)


def by_client(stage: Stage, cli, message: str) -> JobRef:
    return stage.client.submit(Ping(message=message)).job.ref


def by_cli(stage: Stage, cli, message: str) -> JobRef:
    return JobRef("default", cli("submit", "demo.ping", json.dumps({"message": message}))["id"])


@pytest.mark.parametrize("submit", [by_http, by_sqs, by_client, by_cli])
def test_a_job_submitted_from_outside_runs_once_and_its_result_stays(stage, cli, submit):
    message = f"hello {submit.__name__}"

    job = ended(stage, submit(stage, cli, message))

    assert (job.state, job.attempt, job.fence) == (State.SUCCEEDED, 1, 1)
    assert stage.client.result(job.ref.id) == message
    assert stage.api.get(f"/jobs/{job.ref.id}").body["result"] == message


def test_a_dead_job_is_in_the_dlq_and_the_operator_brings_it_back(stage, cli):
    key = f"e2e/{uuid4()}"
    ref = stage.client.submit(Fragile(bucket=stage.bucket, key=key)).job.ref
    dead = ended(stage, ref)
    assert (dead.state, dead.reason, dead.generation) == (State.DEAD, "permanent", 1)
    assert "NoSuchKey" in stage.client.failures(ref.id)[0].failure.message
    assert wait_until(lambda: ref in in_dlq(stage, "bulk"), PATIENCE_S)
    assert ref.id in json.dumps(cli("dlq", "ls", "--lane", "bulk"))

    stage.put(key, b"here it is", "text/plain")
    cli("dlq", "redrive", ref.id, "--yes")

    assert wait_until(lambda: stage.client.get(ref.id).state is State.SUCCEEDED, PATIENCE_S)
    again = stage.client.get(ref.id)
    assert (again.generation, again.attempt, again.result) == (2, 1, "10")
    assert ref not in in_dlq(stage, "bulk")


def test_a_dead_job_that_is_redriven_too_early_dies_again_and_can_be_redriven_again(stage):
    key = f"e2e/{uuid4()}"
    ref = stage.client.submit(Fragile(bucket=stage.bucket, key=key)).job.ref
    ended(stage, ref)
    assert wait_until(lambda: ref in in_dlq(stage, "bulk"), PATIENCE_S)

    assert stage.program.desk.redrive(ref).via == "dlq"
    assert wait_until(lambda: stage.client.get(ref.id).generation == 2, PATIENCE_S)
    assert ended(stage, ref).state is State.DEAD
    assert wait_until(lambda: ref in in_dlq(stage, "bulk"), PATIENCE_S)

    stage.put(key, b"now", "text/plain")
    assert stage.program.desk.redrive(ref).via == "dlq"
    assert wait_until(lambda: stage.client.get(ref.id).state is State.SUCCEEDED, PATIENCE_S)
    assert stage.client.get(ref.id).generation == 3
    assert [failure.generation for failure in stage.client.failures(ref.id)] == [1, 2]


def test_three_deliveries_of_one_message_run_once(stage, cloud):
    envelope = envelope_for(stage, Ping(message="again"))
    url = stage.program.settings.lanes["default"].queue_url

    def deliver():
        stage.program.clients.sqs.send_message(QueueUrl=url, MessageBody=envelope.encode())

    # Two in one batch. Apart, one that met the other at work would be hidden until the end of its lease.
    with at_rest(cloud, stage.program, "default"):
        deliver()
        deliver()
    job = ended(stage, envelope.ref)
    deliver()

    assert wait_until(lambda: is_empty(stage, url), PATIENCE_S)
    after = stage.client.get(envelope.ref.id)
    assert (after.state, after.attempt, after.fence, after.generation) == (State.SUCCEEDED, 1, 1, 1)
    assert after == job
    assert envelope.ref not in in_dlq(stage, "default")


def is_empty(stage: Stage, url: str) -> bool:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = stage.program.clients.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return all(found[name] == "0" for name in names)


def test_a_bad_message_goes_to_the_dlq_and_its_neighbours_run(stage):
    messages: list[object] = ["a", "b", 3, "d", "e"]
    ids = stage.send("default", *[{"kind": "demo.ping", "args": {"message": message}} for message in messages])
    refs = [job_of_message("demo.ping", message_id) for message_id in ids]

    jobs = [ended(stage, ref) for ref in refs]

    assert [job.state for job in jobs] == [State.SUCCEEDED] * 2 + [State.DEAD] + [State.SUCCEEDED] * 2
    assert (jobs[2].reason, jobs[2].attempt) == ("invalid_args", 0)
    assert "args.message" in stage.client.failures(refs[2].id)[0].failure.message
    dlq = stage.program.dead_letters
    assert wait_until(lambda: ids[2] in [found.message_id for found in dlq.peek("default", 100)], PATIENCE_S)


def test_a_job_that_fails_twice_leaves_its_evidence_and_succeeds(stage):
    job = ended(stage, stage.client.submit(Flaky(failures=2)).job.ref)

    assert (job.state, job.attempt, job.result) == (State.SUCCEEDED, 3, "3")
    assert [failure.attempt for failure in stage.client.failures(job.ref.id)] == [1, 2]


def test_a_delayed_job_starts_on_time_and_never_early(stage):
    receipt = stage.client.submit(Ping(message="later"), delay=seconds(2))
    assert receipt.job.claimable_at == receipt.job.created_at + 2_000

    job = ended(stage, receipt.job.ref)

    late_ms = job.started_at - receipt.job.claimable_at
    # SQS counts whole seconds, and polls; the rest is a machine that is busy with other tests.
    assert 0 <= late_ms <= 5_000


def test_a_cancelled_job_never_runs(stage):
    ref = stage.client.submit(Ping(message="never"), delay=seconds(2)).job.ref
    stage.client.cancel(ref.id)
    witness = stage.client.submit(Ping(message="after"), delay=seconds(3)).job.ref

    ended(stage, witness)

    job = stage.client.get(ref.id)
    assert (job.state, job.attempt, job.started_at) == (State.CANCELLED, 0, None)


def test_one_key_is_one_job_whichever_way_it_comes_in(stage, cli):
    key = f"e2e:{uuid4()}"
    document = {"kind": "demo.ping", "args": {"message": "once"}, "key": key}
    first = stage.api.post("/jobs", document)

    again = stage.api.post("/jobs", document)
    receipt = stage.client.submit(Ping(message="once"), key=key)
    printed = cli("submit", "demo.ping", '{"message": "once"}', "--key", key)
    stage.send("default", document)

    assert (first.status, again.status, receipt.created) == (202, 200, False)
    ids = {first.body["id"], again.body["id"], receipt.job_id, printed["id"]}
    assert ids == {keyed_job_id("default", "demo.ping", key)}
    assert ended(stage, receipt.job.ref).fence == 1


def test_a_parked_job_is_revived_by_the_janitor(stage, cloud):
    envelope = envelope_for(stage, Ping(message="parked"))
    now_ms = stage.program.clock.now_ms()
    # What a worker writes when it parks a job: its arguments, then the record that says when it is due.
    parked = envelope.record("default", State.SCHEDULED, now_ms // 1000 + 3600)
    stage.program.store.keep([envelope], [parked.ttl_s])
    stage.program.store.insert([parked])

    sweep(cloud, STACK)

    job = ended(stage, envelope.ref)
    assert (job.state, job.fence, job.result) == (State.SUCCEEDED, 1, '"parked"')
