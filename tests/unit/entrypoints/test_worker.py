"""The handler of a worker: a process that a job has spent ends, after everything else."""

from __future__ import annotations

import _thread
import signal
from types import SimpleNamespace

import pytest

from tests.unit.entrypoints.conftest import RECORDING_MS, a_record
from tidemill import JobRegistry
from tidemill.domain.lifecycle import State
from tidemill.entrypoints import bootstrap, observability, worker


class Ears:
    """Telemetry that notes when it is flushed."""

    def __init__(self, happened):
        self.happened = happened

    def correlate(self, request_id):
        assert request_id == "request"

    def flush(self):
        self.happened.append("flushed")


@pytest.fixture
def handled(make_worker, monkeypatch):
    """Invokes the shipped handler over a worker in memory. Answers the worker, the invocation and what happened."""
    inner, happened = make_worker(), []
    lanes = SimpleNamespace(lane="default", stack="test")
    program = SimpleNamespace(settings=lanes, executor=lambda *_: inner.executor, clock=inner.clock)
    monkeypatch.setattr(bootstrap.Program, "from_env", lambda _: program)
    monkeypatch.setattr(observability, "PowertoolsTelemetry", lambda *_: Ears(happened))
    monkeypatch.setattr(worker, "end_process", lambda code: happened.append(f"ended with {code}"))
    handler = worker.worker_handler(JobRegistry())

    def invoke():
        context = SimpleNamespace(aws_request_id="request", get_remaining_time_in_millis=lambda: 5_000 + RECORDING_MS)
        return handler({"Records": [a_record(one) for one in inner.queues.receive("default", 10)]}, context)

    return inner, invoke, happened


def test_a_process_whose_jobs_all_ended_goes_on(handled):
    inner, invoke, happened = handled
    inner.submit("eve", "bob")

    assert invoke() == {"batchItemFailures": []}
    assert happened == ["flushed"]


def test_a_process_with_a_job_that_goes_on_ends_when_all_is_recorded_settled_and_said(handled):
    inner, invoke, happened = handled
    inner.submit("eve", "stuck")

    invoke()

    assert happened == ["flushed", "ended with 75"]
    assert inner.queues.count("default") == 1


def test_a_batch_that_fails_as_a_whole_after_a_job_was_left_behind_ends_the_process_too(handled, monkeypatch):
    inner, invoke, happened = handled
    inner.submit("stuck")
    monkeypatch.setattr(inner.store, "conclude", lambda _: (_ for _ in ()).throw(RuntimeError("a bug of ours")))

    with pytest.raises(RuntimeError, match="a bug of ours"):
        invoke()

    assert happened == ["flushed", "ended with 75"]


def test_a_job_that_interrupts_the_main_thread_interrupts_nobody(handled):
    inner, invoke, happened = handled
    inner.does["bad"] = lambda _: _thread.interrupt_main()
    bad, good = inner.submit("bad", "eve")
    before = signal.getsignal(signal.SIGINT)

    assert invoke() == {"batchItemFailures": []}

    assert inner.states() == {bad: State.SUCCEEDED, good: State.SUCCEEDED}
    assert happened == ["flushed"]
    assert signal.getsignal(signal.SIGINT) is before
