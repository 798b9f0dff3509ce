"""What there is in the model of one job: messages, workers, the record, and how much may happen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from tests.builders import MINUTE, NOW, a_raise, an_envelope, some_args
from tidemill import Retry, minutes, seconds
from tidemill.domain import settle
from tidemill.domain.args import fingerprint_of
from tidemill.domain.classify import FailureClass
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job
from tidemill.domain.message import Held
from tidemill.domain.outcome import Attempt, Returned

LANE = "default"
LONG_AGO = NOW - 30 * MINUTE
NEARLY = NOW + MINUTE
FAR = NOW + 20 * MINUTE
RETRY = Retry(max_attempts=2, delays=[seconds(10)])
OUTCOMES: dict[str, Attempt] = {
    "succeeds": Returned(None),
    "fails": a_raise(),
    "fails for good": a_raise(FailureClass.PERMANENT),
    "is deferred": a_raise(FailureClass.RATE_LIMITED, wait=minutes(20)),
}


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much may happen, so that the search ends."""

    submitters: int = 1
    other_args: bool = False
    workers: int = 2
    receives: int = 3
    redrives: int = 1
    sweeps: int = 1
    cancels: int = 0
    outcomes: tuple[str, ...] = tuple(OUTCOMES)
    # SQS may or may not delete a message by an older receipt than its last.
    old_receipts_delete: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """One physical copy. `place`: queue, worker, dlq or gone."""

    send_id: str
    args: int
    sent: int
    place: str = "queue"
    receives: int = 0

    @property
    def held(self) -> Held:
        return Held(self.send_id, LONG_AGO + self.sent)

    @property
    def envelope(self) -> Envelope:
        return envelope_of(self.send_id, self.args)


@dataclass(frozen=True, slots=True)
class Worker:
    """One receive of one message: it claims, runs, then settles."""

    message: int
    receives: int
    sent: int
    step: str = "claims"
    job: Job | None = None
    settlement: settle.Settlement | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Everything at one moment. `problem`: what the last action broke."""

    submitters: tuple[str, ...]
    clock: int = 0
    record: Job | None = None
    messages: tuple[Message, ...] = ()
    workers: tuple[Worker, ...] = ()
    swept: Job | None = None
    sweeps: int = 0
    redrives: int = 0
    cancels: int = 0
    ran: frozenset[int] = frozenset()
    problem: str = ""

    def with_message(self, index: int, **changes: Any) -> World:
        messages = list(self.messages)
        messages[index] = replace(messages[index], **changes)
        return replace(self, messages=tuple(messages))

    def with_worker(self, index: int, worker: Worker | None) -> World:
        workers = [*self.workers[:index], *([worker] if worker else []), *self.workers[index + 1 :]]
        return replace(self, workers=tuple(sorted(workers, key=by_receive)))


Step = tuple[str, World]


def by_receive(worker: Worker) -> tuple[int, int, int]:
    return worker.message, worker.sent, worker.receives


@cache
def envelope_of(send_id: str, args: int) -> Envelope:
    canonical = some_args(name="ada", times=args)
    return an_envelope(send_id=send_id, args=canonical, fingerprint=fingerprint_of(canonical), key="k")


def timeless(record: Job | None) -> Job | None:
    """The record with its times reduced to now, nearly and far, and without what no decision reads."""
    if record is None:
        return None
    at = record.claimable_at
    return replace(
        record,
        claimable_at=None if at is None else 0 if at < NOW else NEARLY if at <= NEARLY else FAR,
        ttl_s=0,
        started_at=None,
        finished_at=None,
        keep_until=None,
        wait_ms=0,
        deferrals=0,
        reason=None,
        error=None,
        result=None,
    )


def fits(message: Message, record: Job) -> bool:
    return message.envelope.fingerprint == record.fingerprint


def alive(world: World) -> bool:
    record = world.record
    return record is not None and any(m.place != "gone" and fits(m, record) for m in world.messages)
