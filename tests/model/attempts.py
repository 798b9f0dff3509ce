"""One attempt at a job of the lease model, as shipped services: the claim, each step, signs of life, the end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

from tests.builders import MINUTE, NOW, Greet, Telemetry, a_raise, a_send_id, an_envelope
from tests.model.parts import ATTEMPTS, FAR, KEY, LANE, LONG_AGO, REF, RETRY, TENANT, Bits
from tests.model.replay import Tape
from tests.schedules import schedules_of
from tidemill import JobRegistry, job, minutes
from tidemill.domain import limits
from tidemill.domain.decide import Waits, decide
from tidemill.domain.definition import OnCodeChange, Retention
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import FenceLostError
from tidemill.domain.interrupt import HandedOver, JobCancelled
from tidemill.domain.job import Job
from tidemill.domain.memory import Memory
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Attempt
from tidemill.domain.ports import Conclusion
from tidemill.service.claiming import Claimed, Claiming
from tidemill.service.client import JobClient
from tidemill.service.event_loop import EventLoopThread
from tidemill.service.lifeline import AttemptLifeline
from tidemill.service.notebook import Notebook
from tidemill.service.performing import Performer
from tidemill.service.reception import Enveloped
from tidemill.service.submitter import Submitter
from tidemill.service.surroundings import Surroundings
from tidemill.service.untold import Untold
from tidemill.testing.batches import MemoryBatches
from tidemill.testing.clock import FrozenClock
from tidemill.testing.memory import MemoryOfJobs, MemoryPayloads
from tidemill.testing.order import MemoryOrder
from tidemill.testing.store import MemoryStore
from tidemill.testing.waits import MemoryWaits

REGISTRY = JobRegistry(job(Greet, retry=RETRY, timeout=minutes(1))(lambda args, ctx: None))
DEFINITION = REGISTRY.resolve(Greet.job_kind)
EXPIRY = NOW + 5 * MINUTE
# An attempt's job has lost its fence, or failed in another way: what becomes of it is decided in the same way.
FENCED_OUT: Attempt = a_raise(reason="fence_lost")
_LOOP = EventLoopThread()
_NEVER = 1 << 50


def envelope_of(*, generation: int, expires: bool) -> Envelope:
    canonical = Greet().canonical()
    return an_envelope(
        ref=REF,
        key=KEY,
        args=canonical,
        send_id=a_send_id(1),
        correlation_id=REF.id,
        generation=generation,
        expires_at=EXPIRY if expires else None,
    )


def received(envelope: Envelope) -> Enveloped:
    return Enveloped(Delivery("m1", "r1", "", LONG_AGO, 1), envelope)


def claim(store: Any, envelope: Envelope, worker: int, now_ms: int) -> Job | None:
    """The job as claimed; None if it was not."""
    (outcome,) = Claiming(store, LANE, f"w{worker}", now_ms, lambda _: FAR).claim([received(envelope)])
    return outcome.job if isinstance(outcome, Claimed) else None


def gate(claimed: Job, memory: Memory | None, envelope: Envelope, now_ms: int) -> Attempt | None:
    """How the attempt ends before the job's function is called; None if it is called."""
    nothing: Any = None
    around = Surroundings(
        REGISTRY,
        nothing,
        MemoryOfJobs({} if memory is None else {REF: memory}),
        nothing,
        FrozenClock(now_ms),
        Telemetry(),
        lambda receipt, wait_s: None,
        _LOOP,
        order=MemoryOrder(),
        waits=MemoryWaits(MemoryStore()),
    )
    return Performer(around, now_ms + 15 * MINUTE)._gate(Claimed(received(envelope), claimed), DEFINITION)


def conclusion_of(claimed: Job, attempt: Attempt, envelope: Envelope) -> Conclusion:
    verdict = decide(
        claimed,
        attempt,
        retry=RETRY,
        retention=Retention(),
        waits=Waits(1, watched=claimed.watched),
        now_ms=NOW,
        random=lambda: 0.5,
    )
    return Conclusion(claimed, verdict, envelope, NOW)


def client(store: Any) -> JobClient:
    nothing: Any = None
    ports: dict[str, Any] = {"order": MemoryOrder(), "payloads": MemoryPayloads()}
    submitter = Submitter(REGISTRY, store, store, nothing, FrozenClock(NOW), Bits(0), **ports)
    return JobClient(
        submitter,
        store,
        store,
        FrozenClock(NOW),
        schedules=schedules_of(submitter),
        batch_store=MemoryBatches(),
        answerer=nothing,
    )


def tenant_and_id() -> tuple[str, str]:
    return REF.id, TENANT


# Steps that the attempt has asked for.
Names: TypeAlias = tuple[str, ...]

# --- what the job's function does, stopped at every call -------------------------------------------


def take_step(tape: Tape, claimed: Job, opened: Memory | None, envelope: Envelope, name: str, asked: Names) -> Any:
    """One `ctx.step`: how it ended, the newest record the attempt knows, and the memory as it has it."""
    lifeline = _lifeline(tape, claimed, opened, asked)
    return _end(lifeline, lambda: lifeline.step(name, lambda: tape.port("effect").happens(name), Any))


def beat(tape: Tape, claimed: Job, opened: Memory | None, envelope: Envelope, name: str, asked: Names) -> Any:
    """A sign of life that is due."""
    lifeline = _lifeline(tape, claimed, opened, asked)
    lifeline._pulsed_at = NOW - milliseconds(limits.PULSE)
    return _end(lifeline, lifeline.heartbeat)


def hand_over(tape: Tape, claimed: Job, opened: Memory | None, envelope: Envelope, name: str, asked: Names) -> Any:
    """A checkpoint with little time left."""
    lifeline = _lifeline(tape, claimed, opened, asked)
    lifeline.hands_over_at = NOW
    return _end(lifeline, lambda: lifeline.checkpoint(name))


RUNS: dict[str, Callable[..., Any]] = {"step": take_step, "beat": beat, "hand over": hand_over}


def _end(lifeline: AttemptLifeline, run: Callable[[], Any]) -> tuple[Attempt | None, Job, Memory | None]:
    ended: Attempt | None = None
    try:
        run()
    except JobCancelled:
        ended = ATTEMPTS["stops"]
    except HandedOver:
        ended = ATTEMPTS["hands over"]
    except FenceLostError:
        ended = FENCED_OUT
    return ended, lifeline.job, lifeline.notebook._opened


def _lifeline(tape: Tape, claimed: Job, opened: Memory | None, asked: Names) -> AttemptLifeline:
    notebook = Notebook(
        tape.port("memory"),
        MemoryPayloads(),
        FrozenClock(NOW),
        Telemetry(),
        claimed,
        OnCodeChange.CONTINUE,
        "",
        0,
        _opened=opened,
        _asked=set(asked),
    )
    asks_nothing: Any = None
    beats = 60 * 1000
    return AttemptLifeline(
        tape.port("store"),
        notebook,
        FrozenClock(NOW),
        lambda wait_s: None,
        claimed,
        _NEVER,
        _NEVER,
        beats,
        inquirer=asks_nothing,
        untold=Untold(asks_nothing),
    )
