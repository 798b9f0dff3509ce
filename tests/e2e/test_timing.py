"""Time inside a job, on a deployed worker: hard and soft timeouts, hand-over, and the request to stop."""

import pytest
from trials.lasting import Unmoved, Wander
from trials.quick import Quick
from trials.timing import Careful, CarefulAsync, Deaf, Doze, Overrun, Stroll

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import HardTimeout, SoftTimeoutError, State
from tidemill.domain.limits import HARD_GRACE, RECORDING_TIME
from tidemill.local.process import ProcessIdentity

pytestmark = pytest.mark.slow
HARD, SOFT = (f"{error.__module__}.{error.__qualname__}" for error in (HardTimeout, SoftTimeoutError))
ROWS = 60
# A tenth of eight seconds is not enough for the next row: each invocation counts about 28 of them.
INVOCATIONS = 3


def test_hard_is_hard_for_code_that_ignores_everything(ground, measured):
    diary = ground.diary("stuck")
    path = str(diary.path)
    neighbours = [Quick(diary=path, name=f"neighbour {number}") for number in range(3)]

    stuck, *others = ground.submit_as_batch("stuck", [Overrun(diary=path), *neighbours])

    assert [ground.ended(ref).attempt for ref in others] == [1, 1, 1]
    assert {ground.job(ref).state for ref in others} == {State.SUCCEEDED}
    dead = ground.ended(stuck)
    assert (dead.state, dead.reason, dead.attempt, dead.crashes) == (State.DEAD, "attempts_exhausted", 2, 0)
    failures = ground.client.failures(stuck.id)
    assert [(failure.attempt, failure.failure.type) for failure in failures] == [(1, HARD), (2, HARD)]
    assert wait_until(lambda: stuck in ground.in_dlq("stuck"), PATIENCE_S)

    starts = diary.lines("started")
    ends = [[line for line in diary.lines("goes on") if line["attempt"] == attempt][-1] for attempt in (1, 2)]
    assert len(starts) == 2
    after_ms = [end["at_ms"] - start["ends_ms"] for start, end in zip(starts, ends, strict=True)]
    measured(f"stuck code ran on for {' and '.join(f'{ms:,}' for ms in after_ms)} ms after its hard timeout")
    assert all(0 < ms <= (HARD_GRACE + RECORDING_TIME).total_seconds() * 1000 for ms in after_ms)
    pids = [line["pid"] for line in starts]
    assert {line["pid"] for line in diary.lines("ran")} == {pids[0]}
    assert [ProcessIdentity.of(pid) for pid in pids] == [None, None]

    ground.ended(ground.client.submit(Quick(diary=path, name="next"), lane="stuck").job.ref)
    (after,) = diary.lines("ran", "next")
    assert after["pid"] not in pids


def test_of_jobs_that_ignore_their_soft_timeout_only_one_in_c_ends_its_process(ground):
    diary = ground.diary("deaf")
    path = str(diary.path)
    # The neighbour goes on when the two have been given up, after 3 s and 1 s of grace.
    batch = [
        Deaf(diary=path, name="deaf"),
        Doze(diary=path, name="doze"),
        Stroll(diary=path, name="neighbour", lasts=5),
    ]

    deaf, doze, neighbour = (ground.ended(ref) for ref in ground.submit_as_batch("stuck", batch))

    for job in (deaf, doze):
        assert (job.state, job.attempt, job.crashes) == (State.DEAD, 1, 0)
        assert [failure.failure.type for failure in ground.client.failures(job.ref.id)] == [HARD]
    assert [line["error"] for line in diary.lines("heard")] == ["SoftTimeoutError"]
    assert (neighbour.state, neighbour.attempt, neighbour.fence) == (State.SUCCEEDED, 1, 1)
    (pid,) = {line["pid"] for line in diary.lines("started")}
    assert wait_until(lambda: ProcessIdentity.of(pid) is None, PATIENCE_S)
    assert wait_until(lambda: {deaf.ref, doze.ref} <= set(ground.in_dlq("stuck")), PATIENCE_S)

    ground.ended(ground.client.submit(Quick(diary=path, name="next"), lane="stuck").job.ref)
    (after,) = diary.lines("ran", "next")
    assert after["pid"] != pid


@pytest.mark.parametrize("sort", [Careful, CarefulAsync])
def test_a_soft_timeout_lets_the_job_tidy_up(ground, sort):
    diary = ground.diary(sort.job_kind)

    ref = ground.client.submit(sort(diary=str(diary.path))).job.ref

    job = ground.ended(ref)
    assert (job.state, job.attempt, job.crashes, job.result) == (State.SUCCEEDED, 2, 0, "2")
    (failure,) = ground.client.failures(ref.id)
    assert (failure.attempt, failure.failure.type) == (1, SOFT)
    assert [line["word"] for line in diary.lines()] == ["started", "tidied up", "started"]
    started, tidied, _ = diary.lines()
    assert started["pid"] == tidied["pid"]
    # The worker's second began a little before the job's first line.
    assert 900 <= tidied["at_ms"] - started["at_ms"] < 8_000


def test_a_lasting_job_is_handed_over_and_can_be_watched(ground, measured):
    diary = ground.diary("handed over")
    link = ground.api.post(
        "/jobs", {"kind": "trial.count-rows", "args": {"diary": str(diary.path), "rows": ROWS}}
    ).body["link"]
    seen = []

    def is_over() -> bool:
        seen.append(ground.api.get(link).body)
        return seen[-1]["state"] == "succeeded"

    assert wait_until(is_over, PATIENCE_S), seen[-1]

    starts = diary.lines("started")
    assert len(starts) >= INVOCATIONS
    assert [line["row"] for line in diary.lines("row")] == list(range(ROWS))
    cursors = [line["cursor"] for line in starts]
    assert cursors[0] == 0
    assert cursors == sorted(set(cursors))
    assert {line["attempt"] for line in starts} == {1}
    shown = [view["progress"]["done"] for view in seen if view["progress"]]
    assert shown == sorted(shown)
    assert len(set(shown)) >= 2
    assert {view["progress"]["total"] for view in seen if view["progress"]} == {ROWS}
    last = seen[-1]
    assert (last["attempt"], last["crashes"], last["result"], last["progress"]) == (1, 0, ROWS, None)
    measured(f"{ROWS} rows in {len(starts)} invocations, from rows {cursors}; progress seen at {sorted(set(shown))}")


def test_a_running_job_is_cancelled_over_http(ground, measured):
    diary = ground.diary("cancelled")
    ref = ground.client.submit(Wander(diary=str(diary.path))).job.ref
    assert diary.has("goes on")

    asked = ground.api.delete(f"/jobs/{ref.id}")

    assert (asked.status, asked.body["state"], asked.body["cancel_asked"]) == (202, "running", True)
    job = ground.ended(ref)
    assert (job.state, job.attempt) == (State.CANCELLED, 1)
    (tidied,) = diary.lines("tidied up")
    assert diary.lines()[-1] == tidied
    again = ground.api.delete(f"/jobs/{ref.id}")
    assert (again.status, again.body["state"]) == (200, "cancelled")
    measured(f"a job that was asked to stop went on for {len(diary.lines('goes on'))} quarters of a second in all")


def test_how_a_killed_job_ends_is_not_recorded_and_what_it_did_is_remembered(ground, gate):
    diary = ground.diary("unmoved")
    ref = ground.client.submit(Unmoved(diary=str(diary.path), gate=str(gate))).job.ref
    assert diary.has("started")

    killed = ground.client.kill(ref.id)

    assert (killed.state, killed.attempt) == (State.CANCELLED, 1)
    gate.touch()
    assert diary.has("returns")
    assert wait_until(lambda: ground.is_empty("lasting"), PATIENCE_S)
    assert ground.job(ref) == killed
    # It takes its step if it has not looked yet: within five seconds of its claim it does not.
    memory = ground.program.memory.look(ref)
    assert [line["word"] for line in diary.lines("effect")] == ([] if memory is None else list(memory.steps))
    assert len(diary.lines("effect")) + len(diary.lines("lost its fence")) == 1
