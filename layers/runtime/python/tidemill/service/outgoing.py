"""What one attempt of a job wants to tell once it has succeeded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from threading import Lock
from typing import Any, TypeVar

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.errors import InputError
from tidemill.domain.event import Event
from tidemill.domain.ids import caused_id
from tidemill.domain.job import Job
from tidemill.domain.outbox import Outbound, OutboundFact, OutboundJob, size_of
from tidemill.service.causing import Cause
from tidemill.service.composing import Composer, Publication, check_size
from tidemill.service.submission import Submission

Made = TypeVar("Made", OutboundJob, OutboundFact)


@dataclass
class Outgoing:
    """Facts and jobs of one attempt. Safe for threads.

    Their ids follow from the job's, its generation and their number: of two attempts that both believe to have
    succeeded, one is recorded, and what it tells is told under ids that are its own for good.
    """

    composer: Composer
    job: Job
    cause: Cause
    _held: list[Outbound] = field(default_factory=list)
    _size: int = 0
    _lock: Lock = field(default_factory=Lock)

    @property
    def outbounds(self) -> tuple[Outbound, ...]:
        """All of it, in the order in which it was asked for."""
        with self._lock:
            return tuple(self._held)

    def publish(self, event: Event, subject: str | None, sequence: int | None) -> str:
        """See JobContext."""
        asked = Publication(event, self.job.ref.tenant, subject, sequence).caused_by(self.cause.envelope)
        return self._hold(lambda number: self.composer.fact(asked, self._id(f"fact/{number}"))).id

    def submit(self, args: JobArgs, options: Mapping[str, Any]) -> str:
        """See JobContext."""
        asked = Submission(args, **{"tenant": self.job.ref.tenant, **options})
        return self._hold(lambda number: self._job(asked, number)).ref.id

    def _job(self, asked: Submission, number: int) -> OutboundJob:
        if asked.key is None:
            asked = replace(asked, job_id=self._id(f"job/{number}"))
        made, parcel = self.composer.job(self.cause.inherited(asked))
        self.cause.count(1)
        self.composer.store([] if parcel is None else [parcel])
        return replace(made, envelope=made.envelope.resend(self._id(f"send/{number}")))

    def _hold(self, make: Callable[[int], Made]) -> Made:
        with self._lock:
            if len(self._held) == limits.MAX_OUTBOUNDS:
                problem = f"would be over {limits.MAX_OUTBOUNDS} facts and jobs that one job commits with its success"
                fix = "Fix: submit the others with the client, or publish one fact that says all of it"
                raise InputError.at("outbox", f"{problem}. {fix}", "length")
            made = make(len(self._held) + 1)
            check_size(self._size + size_of(made))
            self._size += size_of(made)
            self._held.append(made)
            return made

    def _id(self, what: str) -> str:
        return caused_id(self.job.ref.id, self.job.generation, what)
