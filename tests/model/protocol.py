"""The protocol of one job as a state machine around the shipped decisions, small enough to try every schedule.

A state is the record, every physical copy of the message, the workers, the submitters and the sweep. Each
action is one thing that can happen next; whatever is decided in it, is decided by the code that ships. Time
has three values: now, nearly (a sweep sends it already), and far.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from random import Random
from typing import Any

from tests.builders import MINUTE, NOW, REF, Greet, Telemetry, a_send_id
from tests.model.world import (
    FAR,
    LANE,
    NEARLY,
    OUTCOMES,
    RETRY,
    Bounds,
    Message,
    Step,
    Worker,
    World,
    by_receive,
    envelope_of,
    fits,
    timeless,
)
from tidemill import JobRegistry, Retention, job
from tidemill.domain import conclusion, decide, limits, settle
from tidemill.domain.duration import milliseconds
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb, allows
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Conclusion, Written
from tidemill.service.census import Census
from tidemill.service.claiming import Claimed, Claiming
from tidemill.service.performing import EventLoopThread, Performer
from tidemill.service.reception import Enveloped
from tidemill.testing.clock import FrozenClock
from tidemill.testing.store import MemoryStore


class Protocol:
    """All that can happen next in a world."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self.registry = JobRegistry(job(Greet, retry=RETRY)(lambda args, ctx: None))
        self.random = Random(1)  # noqa: S311 - never drawn from
        self.performer = Performer(self.registry, FrozenClock(NOW), NOW + 2 * MINUTE, EventLoopThread())

    def start(self) -> World:
        return World(("sends",) * self.bounds.submitters)

    def steps(self, world: World) -> Iterator[Step]:
        yield from self._submit(world)
        yield from self._time(world)
        yield from self._queue(world)
        for index, worker in enumerate(world.workers):
            yield f"worker of m{worker.message} dies", world.with_worker(index, None)
            match worker.step:
                case "claims":
                    yield from self._claim(world, index, worker)
                case "runs":
                    yield from self._run(world, index, worker)
                case _:
                    yield from self._settle(world, index, worker)
        yield from self._sweep(world)
        yield from self._operate(world)

    def _submit(self, world: World) -> Iterator[Step]:
        for number, step in enumerate(world.submitters):
            args = number if self.bounds.other_args else 0
            after = [*world.submitters]
            if step == "sends":
                after[number] = "puts"
                message = Message(a_send_id(number), args, world.clock + 1)
                yield (
                    f"s{number} sends",
                    replace(
                        world,
                        submitters=tuple(after),
                        clock=world.clock + 1,
                        messages=(*world.messages, message),
                    ),
                )
            elif step == "puts":
                after[number] = "done"
                done = replace(world, submitters=tuple(after))
                yield f"s{number} dies", done
                store = self._store(world)
                store.insert([envelope_of(a_send_id(number), args).record(LANE, State.QUEUED, 0)])
                yield f"s{number} puts", self._stored(done, store)

    def _time(self, world: World) -> Iterator[Step]:
        record = world.record
        if record is None or not record.claimable_at:
            return
        parked = record.state is State.SCHEDULED
        if record.claimable_at == FAR and parked:
            yield "it is nearly due", replace(world, record=replace(record, claimable_at=NEARLY))
        else:
            what = "the lease ends" if record.state is State.RUNNING else "it is due"
            yield what, replace(world, record=replace(record, claimable_at=0))

    def _queue(self, world: World) -> Iterator[Step]:
        for index, message in enumerate(world.messages):
            # The visibility timeout outlasts a worker that has not claimed, and the lease one that has concluded.
            busy = any(worker.message == index and worker.step != "runs" for worker in world.workers)
            if message.place == "worker" and not busy:
                yield f"m{index} is visible again", world.with_message(index, place="queue")
            if message.place != "queue":
                continue
            if message.receives >= self.bounds.receives:
                yield f"m{index} goes to the dlq", world.with_message(index, place="dlq")
            elif len(world.workers) < self.bounds.workers:
                received = world.with_message(index, place="worker", receives=message.receives + 1)
                worker = Worker(index, message.receives + 1, message.sent)
                workers = tuple(sorted((*received.workers, worker), key=by_receive))
                yield f"m{index} is received", replace(received, workers=workers)

    def _claim(self, world: World, index: int, worker: Worker) -> Iterator[Step]:
        received = self._received(world, worker)
        label = f"worker of m{worker.message} claims"
        store = self._store(world)
        (outcome,) = self._claiming(store, worker).claim([received])
        if isinstance(outcome, Claimed):
            job = timeless(outcome.job)
            after = world.with_worker(index, replace(worker, step="runs", job=job))
        else:
            after = world.with_worker(index, replace(worker, step="settles", settlement=outcome.settlement))
        after = self._stored(after, store)
        yield label, replace(after, problem=_claim_problem(world, after, received))
        dying = self._store(world)
        dying.move = _die  # type: ignore[method-assign]
        try:
            self._claiming(dying, worker).claim([received])
        except _Died:
            yield f"{label} and dies before the revival", self._stored(world.with_worker(index, None), dying)

    def _run(self, world: World, index: int, worker: Worker) -> Iterator[Step]:
        assert worker.job is not None
        received = self._received(world, worker)
        definition = self.registry.resolve(Greet.job_kind)
        gate = self.performer._gate(Claimed(received, worker.job), definition)
        attempts = {"is stopped": gate} if gate else {name: OUTCOMES[name] for name in self.bounds.outcomes}
        for name, attempt in attempts.items():
            verdict = decide.decide(
                worker.job,
                attempt,
                retry=RETRY,
                retention=Retention(),
                receives=worker.receives,
                now_ms=NOW,
                random=lambda: 0.5,
            )
            store = self._store(world)
            (answer,) = store.conclude([Conclusion(worker.job, verdict, received.envelope, NOW)])
            written = isinstance(answer, Written)
            settlement = settle.settle(verdict) if written else settle.settle_fenced_out(_record_of(answer))
            after = self._stored(world, store)
            after = after.with_worker(index, replace(worker, step="settles", job=None, settlement=settlement))
            if name in OUTCOMES:
                after = replace(after, ran=after.ran | {worker.job.generation})
            held = world.record is not None and world.record.fence == worker.job.fence
            problem = "a worker without the fence concluded" if written and not held else ""
            yield f"job of m{worker.message} {name}", replace(after, problem=problem)

    def _settle(self, world: World, index: int, worker: Worker) -> Iterator[Step]:
        message = world.messages[worker.message]
        after = world.with_worker(index, None)
        acked = isinstance(worker.settlement, settle.Ack)
        newest = (message.receives, message.sent) == (worker.receives, worker.sent)
        if message.place in {"worker", "queue"} and (newest or (acked and self.bounds.old_receipts_delete)):
            after = after.with_message(worker.message, place="gone" if acked else "queue")
        yield f"m{worker.message} is settled", after

    def _sweep(self, world: World) -> Iterator[Step]:
        record = world.record
        if world.swept is not None:
            store = self._store(world)
            store.move(Verb.REVIVE, world.swept, conclusion.revived(world.swept, NOW))
            yield "the sweep marks", replace(self._stored(world, store), swept=None)
            yield "the sweep dies", replace(world, swept=None)
        elif _is_sweepable(record) and world.sweeps < self.bounds.sweeps:
            args = next(message.args for message in world.messages if fits(message, record))
            message = Message(a_send_id(100 + world.sweeps), args, world.clock + 1)
            yield (
                "the sweep sends",
                replace(
                    world,
                    clock=world.clock + 1,
                    swept=record,
                    sweeps=world.sweeps + 1,
                    messages=(*world.messages, message),
                ),
            )

    def _operate(self, world: World) -> Iterator[Step]:
        for index, message in enumerate(world.messages):
            if message.place != "dlq":
                continue
            if world.redrives < self.bounds.redrives:
                back = world.with_message(index, place="queue", receives=0, sent=world.clock + 1)
                yield f"m{index} is redriven", replace(back, clock=world.clock + 1, redrives=world.redrives + 1)
            store = self._store(world)
            found = Enveloped(_delivery(message), message.envelope)
            if self._census(store)._report(LANE, found, world.record):
                yield f"the census reports m{index}", self._stored(world, store)
        record = world.record
        if record is not None and world.cancels < self.bounds.cancels and allows(Verb.CANCEL, record.state):
            store = self._store(world)
            store.move(Verb.CANCEL, record, conclusion.cancelled(record, NOW, NOW))
            yield "it is cancelled", replace(self._stored(world, store), cancels=world.cancels + 1)

    # --- the shipped parts, fitted in -------------------------------------------------------------

    def _store(self, world: World) -> MemoryStore:
        return MemoryStore(jobs={REF: world.record} if world.record else {})

    def _stored(self, world: World, store: MemoryStore) -> World:
        return replace(world, record=timeless(store.jobs.get(REF)))

    def _received(self, world: World, worker: Worker) -> Enveloped:
        message = replace(world.messages[worker.message], receives=worker.receives, sent=worker.sent)
        return Enveloped(_delivery(message), message.envelope)

    def _claiming(self, store: MemoryStore, worker: Worker) -> Claiming:
        return Claiming(store, LANE, f"m{worker.message}/{worker.sent}", NOW, FAR)

    def _census(self, store: MemoryStore) -> Census:
        late = FrozenClock(NOW + milliseconds(limits.SWEEP_PERIOD) * 2 + 1000)
        ports: Any = (store, store, None)
        return Census(self.registry, *ports, (LANE,), late, Telemetry())


class _Died(BaseException):
    """The worker is gone."""


def _die(*_: object) -> Any:
    raise _Died


def _delivery(message: Message) -> Delivery:
    return Delivery(message.send_id, "receipt", "", message.held.sent_at, message.receives)


def _record_of(answer: Any) -> Job | None:
    return answer.job


def _is_sweepable(record: Job | None) -> bool:
    return record is not None and record.state is State.SCHEDULED and record.claimable_at != FAR


def _claim_problem(before: World, after: World, received: Enveloped) -> str:
    record, now = before.record, after.record
    assert now is not None
    claimed = record is None or now.fence > record.fence
    if claimed and now.fingerprint != received.envelope.fingerprint:
        return "refused arguments were claimed"
    if record is None or record.state is not State.DEAD or record.held is None:
        return ""
    redriven = received.held.send_id == record.held.send_id and received.held.sent_at > record.held.sent_at
    if redriven and now.generation != record.generation + 1 and record.fingerprint == received.envelope.fingerprint:
        return "a redriven dead job does not run again"
    return ""
