"""From what a program wants to commit to what the outbox will hold, checked before anything is written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.event import Event
from tidemill.domain.fact import Fact, data_of
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.listed_events import check_listed
from tidemill.domain.names import check_entity, check_sequence, check_tenant, check_trace
from tidemill.domain.outbox import Outbound, OutboundFact, OutboundJob, size_of, source_of
from tidemill.domain.ports import Clock, Parcel, Payloads
from tidemill.domain.registry import JobRegistry
from tidemill.service.submission import DEFAULT_TENANT, Submission, check, check_hops

_NO_OUTBOX: Final = "the registry has no outbox. Fix: JobRegistry(..., events=[...]) or JobRegistry(..., outbox=True)"


@dataclass(frozen=True, slots=True)
class Publication:
    """One fact that somebody wants published.

    Arguments:
        event: what happened, of a type that the registry lists.
        tenant: whose it is. `subject`: what it is about, such as `order/7`; at most 128 printable ASCII characters
            without spaces. `sequence`: its number among the facts of its subject, 0 to 2^53 - 1.
        correlation_id: carried through everything that one request causes; by default the fact's id.
        causation_id: what caused it. `traceparent`: W3C trace context. `hops`: how many jobs caused each other before
            it. What a running job publishes has these four from it, unless they are given.
    """

    event: Event
    tenant: str = DEFAULT_TENANT
    subject: str | None = None
    sequence: int | None = None
    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    hops: int | None = None

    def caused_by(self, envelope: Envelope) -> Publication:
        """The same, with what it does not say itself from the job of this envelope."""
        return replace(
            self,
            hops=envelope.hops + 1 if self.hops is None else self.hops,
            correlation_id=envelope.correlation_id if self.correlation_id is None else self.correlation_id,
            causation_id=envelope.ref.id if self.causation_id is None else self.causation_id,
            traceparent=envelope.traceparent if self.traceparent is None else self.traceparent,
        )


@dataclass(frozen=True, slots=True)
class Composer:
    """Makes what the outbox holds. `stack`: whose facts they are."""

    registry: JobRegistry
    payloads: Payloads
    clock: Clock
    random: Random
    stack: str

    def compose(self, things: Sequence[object]) -> list[Outbound]:
        """What the outbox will hold of these: arguments, Submissions, events and Publications.

        Raises:
            InputError: one of them can't be, or they are too many or too large for one transaction.
            UnavailableError: large arguments could not be stored.
        """
        if not 1 <= len(things) <= limits.MAX_OUTBOUNDS:
            problem = f"must be 1 to {limits.MAX_OUTBOUNDS} jobs and facts, not {len(things)}"
            raise InputError.at("outbox", problem, "length")
        made = [self._one(thing) for thing in things]
        check_size(sum(size_of(outbound) for outbound, _ in made))
        self.store([parcel for _, parcel in made if parcel is not None])
        return [outbound for outbound, _ in made]

    def job(self, submission: Submission) -> tuple[OutboundJob, Parcel | None]:
        """A submit, and its arguments if they are too large to travel, which are not stored yet.

        Raises:
            InputError: a field is bad, or the lane keeps an order.
        """
        self._check_outbox()
        self._check_unordered(submission)
        now_ms = self.clock.now_ms()
        order = check(submission, self.registry, now_ms, self.random)
        stored = order.envelope.stored
        parcel = None if stored is None else Parcel(order.ref, stored.name, order.args)
        return OutboundJob(order.envelope, order.lane, now_ms, order.on_final, order.durable_args), parcel

    def fact(self, publication: Publication, fact_id: str | None = None) -> OutboundFact:
        """A fact; `fact_id` by default a new one.

        Raises:
            InputError: the type is not listed, the data is too large, or a field is bad.
        """
        self._check_outbox()
        now_ms = self.clock.now_ms()
        event, asked = check_listed(publication.event, self.registry.events), publication
        fact_id = fact_id or time_ordered_id(now_ms, self.random.getrandbits(74))
        fact = Fact(
            id=fact_id,
            type=event.event_type,
            data=data_of(event),
            tenant=check_tenant(asked.tenant),
            at=now_ms,
            correlation_id=check_trace(asked.correlation_id, "correlation_id") or fact_id,
            version=event.contract_version,
            causation_id=check_trace(asked.causation_id, "causation_id"),
            subject=None if asked.subject is None else check_entity(asked.subject, "subject"),
            sequence=None if asked.sequence is None else check_sequence(asked.sequence),
            traceparent=check_trace(asked.traceparent, "traceparent"),
            hops=check_hops(asked.hops),
        )
        return OutboundFact.of(fact, source_of(self.stack))

    def store(self, parcels: Sequence[Parcel]) -> None:
        """Put large arguments where their messages will say that they are, before anything names them.

        Raises:
            UnavailableError: one could not be stored.
        """
        for error in self.payloads.put_all(parcels) if parcels else ():
            if error is not None:
                raise error

    def _one(self, thing: object) -> tuple[Outbound, Parcel | None]:
        match thing:
            case Submission():
                return self.job(thing)
            case JobArgs():
                return self.job(Submission(thing))
            case Publication():
                return self.fact(thing), None
            case Event():
                return self.fact(Publication(thing)), None
            case _:
                problem = f"must be arguments, a Submission, an Event or a Publication, not {type(thing).__name__}"
                raise InputError.at("outbox", problem, "type")

    def _check_outbox(self) -> None:
        if not self.registry.has_outbox:
            raise no_outbox()

    def _check_unordered(self, submission: Submission) -> None:
        if submission.lane is None and not hasattr(submission.args, "job_kind"):
            return
        name = submission.lane or self.registry.resolve(submission.args.job_kind).lane
        lane = self.registry.lanes.get(name)
        if lane is not None and lane.fifo:
            raise InputError.at(
                "lane",
                f"{name!r} is FIFO, and what the relay sends has no order. Fix: commit a job of a standard lane that "
                "submits this one, with its `sequence`",
                "fifo_lane",
            )


def no_outbox() -> InputError:
    """Why nothing can be committed with this registry."""
    return InputError.at("outbox", _NO_OUTBOX, "no_outbox")


def check_size(size: int) -> None:
    """Raise InputError if what one transaction writes to the outbox is larger than it may be."""
    if size > limits.MAX_OUTBOUND_BYTES:
        problem = f"would be {size:,} bytes in one transaction, the limit is {limits.MAX_OUTBOUND_BYTES:,}"
        raise InputError.at("outbox", f"{problem}. Fix: commit fewer, or pass keys of data in S3", "too_large")
