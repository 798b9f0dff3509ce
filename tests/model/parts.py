"""What there is in a model of one job and its messages, and the smaller numbers under which it is searched.

Time has three values, by how it stands to what the record waits for (`claimable_at`, which is then FAR, or FARTHER
where somebody moved it): not yet, nearly (a sweep sends it already), and past.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from random import Random
from typing import Any, NamedTuple
from unittest.mock import patch

from tests.builders import MINUTE, NOW, Greet, a_raise
from tests.model.known import Known, by_number
from tidemill import Retry, minutes, seconds
from tidemill.domain import limits
from tidemill.domain.classify import FailureClass
from tidemill.domain.duration import milliseconds
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.message import Delivery
from tidemill.domain.outcome import Attempt, Continued, Returned, Stopped, TooLate, Untouched
from tidemill.domain.ports import Page, Refused, Written
from tidemill.domain.settle import Settlement
from tidemill.domain.waiting import awaited
from tidemill.service import answering

LANE = "default"
TENANT = "acme"
KEY = "k"
REF = JobRef(TENANT, keyed_job_id(TENANT, Greet.job_kind, KEY))
LONG_AGO = NOW - 30 * MINUTE
FAR = NOW + 20 * MINUTE
FARTHER = FAR + 60 * MINUTE
# What the clocks show when the record's time is not yet, nearly, past; and when SQS keeps nothing of that time.
CLOCKS = (NOW, FAR - MINUTE, FAR + 10 * MINUTE)
DAYS_LATER = FAR + milliseconds(limits.SOURCE_RETENTION) + 10 * MINUTE
RETRY = Retry(max_attempts=2, delays=[seconds(10)])

# How an attempt can end, by the verb that it asks for. The verdict may be another one.
OUTCOMES: dict[Verb, dict[str, Attempt]] = {
    Verb.COMPLETE: {"succeeds": Returned(None)},
    Verb.RETRY: {"fails": a_raise(), "hands over": Continued(), "is given back": Untouched()},
    Verb.PARK: {"is deferred": a_raise(FailureClass.RATE_LIMITED, wait=minutes(20))},
    Verb.BURY: {"fails for good": a_raise(FailureClass.PERMANENT)},
    Verb.EXPIRE: {"is too late": TooLate()},
    Verb.STOP: {"stops": Stopped()},
}
ATTEMPTS = {name: attempt for outcomes in OUTCOMES.values() for name, attempt in outcomes.items()}


# The moves after which the record waits for the same time as before.
_SAME_TIME = frozenset({Verb.REVIVE, Verb.RESCUE, Verb.ASK_CANCEL, Verb.TELL, Verb.EXTEND})
# Those after which it does if that time is what it was.
_ANY_TIME = frozenset({Verb.MOVE, Verb.POSTPONE, Verb.SHELVE})


class Message(NamedTuple):
    """One physical copy.

    Attributes:
        sent: the tick at which it was sent, and its name.
        place: `queue`, `worker` (who received it lives), `hidden` until the time that the record waits for, `dlq`,
            or `gone`.
    """

    sent: int
    envelope: Known
    place: str = "queue"
    receives: int = 0

    def delivery(self, receives: int | None = None) -> Delivery:
        count = self.receives if receives is None else receives
        return Delivery(f"m{self.sent}", f"r{self.sent}/{count}", self.envelope.value.encode(), self.sent_at, count)

    @property
    def sent_at(self) -> int:
        return LONG_AGO + self.sent


class Worker(NamedTuple):
    """One receive of one message: it claims (`process`), runs (`job`), then settles."""

    sent: int
    receives: int
    envelope: Known
    process: Known | None = None
    job: Known | None = None
    settlement: Settlement | None = None
    asked: bool = False


class World(NamedTuple):
    """Everything at one moment. `ripe`: how time stands to what the record waits for. `old`: so much later that
    SQS has deleted what was left in the queue.
    """

    left: tuple[int, ...]
    record: Known | None = None
    ripe: int = 0
    old: bool = False
    kept: tuple[Known, ...] = ()
    memory: Known | None = None
    messages: tuple[Message, ...] = ()
    workers: tuple[Worker, ...] = ()
    processes: tuple[Known, ...] = ()
    clock: int = 0
    # The generations whose function was called, and whether a submitter was told that the job is accepted.
    ran: frozenset[int] = frozenset()
    accepted: bool = False
    # What a model remembers beside all that, to hold promises against.
    facts: Any = ()

    @property
    def job(self) -> Job | None:
        return None if self.record is None else self.record.value

    @property
    def now_ms(self) -> int:
        later = FARTHER - FAR if self.job is not None and self.job.claimable_at == FARTHER and self.ripe else 0
        return DAYS_LATER if self.old else CLOCKS[self.ripe] + later

    def of(self, sent: int) -> Message | None:
        return next((message for message in self.messages if message.sent == sent), None)

    def with_message(self, sent: int, **changes: Any) -> World:
        messages = tuple(m._replace(**changes) if m.sent == sent else m for m in self.messages)
        return self._replace(messages=messages)

    def with_worker(self, index: int, worker: Worker | None) -> World:
        workers = [*self.workers[:index], *([worker] if worker else []), *self.workers[index + 1 :]]
        return self._replace(workers=tuple(sorted(workers, key=_by_receive)))

    def without(self, process: Known, *then: Known) -> World:
        others = [other for other in self.processes if other is not process]
        return self._replace(processes=tuple(sorted([*others, *then], key=by_number)))


class Bits(Random):
    """Chance that always says the same, so that ids follow from the step that made them."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number

    def getrandbits(self, k: int, /) -> int:
        return self.number

    def random(self) -> float:
        return 0.5


def timeless(value: Any) -> Any:
    """What the store answered or holds, with times reduced to past and FAR and without what no decision reads."""
    match value:
        case Job():
            return _timeless(value)
        case Written(job, before):
            return Written(timeless(job), timeless(before))
        case Refused(job):
            return Refused(timeless(job))
        case Page(jobs, cursor):
            return Page(tuple(map(timeless, jobs)), cursor)
        case list():
            return tuple(map(timeless, value))
        case _:
            return value


@cache
def _timeless(job: Job) -> Job:
    at = job.claimable_at
    return replace(
        job,
        claimable_at=None if at is None else _reduced(at, job.state),
        owner=job.owner if job.state is State.RUNNING else None,
        ttl_s=0,
        created_at=0,
        # A claim is made at one of the clocks' times; days later is later than any.
        started_at=None if job.started_at is None else NOW,
        finished_at=None,
        keep_until=None,
        wait_ms=0,
        deferrals=0,
        # Of the reasons only this one is read again.
        reason=job.reason if awaited(job) else None,
        error=None,
        result=None,
        correlation_id=None,
    )


def is_far(at: int | None) -> bool:
    """Whether a record that is claimable at `at` waits for a time that is to come."""
    return at in (FAR, FARTHER)


def begins(taken: list[tuple[Verb, State]], was: Job | None, job: Job | None) -> bool:
    """Whether the record waits for another time than before."""
    if was is None:
        return job is not None
    same = job is not None and job.claimable_at == was.claimable_at
    return any(verb not in _SAME_TIME and not (same and verb in _ANY_TIME) for verb, _ in taken)


def _reduced(at: int, state: State) -> int:
    if at <= NOW:
        return 0
    # Nobody moves a lease or a retry.
    return FARTHER if at >= FARTHER and state in (State.SCHEDULED, State.QUEUED) else FAR


@contextmanager
def smaller(crashes: int = 2, receives: int = 3) -> Iterator[None]:
    """The same rules at smaller numbers: so many crashes are poison, so many receives the most, two tries to answer."""
    with (
        patch.object(limits, "MAX_CRASHES", crashes),
        patch.object(limits, "MAX_RECEIVES", receives),
        patch.object(answering, "_TRIES", 2),
    ):
        yield


def _by_receive(worker: Worker) -> tuple[int, int]:
    return worker.sent, worker.receives
