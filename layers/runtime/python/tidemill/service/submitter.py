"""Submitting: send first, then record. One path for one job and for ten thousand.

SendMessage is the acceptance; the record makes it visible at once. A crash between the two loses
nothing, because the worker's claim creates a record that is missing. Where the delay is longer than a
queue can hold, the record itself is the acceptance. Arguments that are too large to travel are stored before
either: a crash leaves bytes that no message names, which end with their retention.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import TypeAlias

from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.definition import OnFinal
from tidemill.domain.errors import InputError, JobFinalError, KeyConflictError, TidemillError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.memory import forgotten_by_rerun
from tidemill.domain.ports import (
    Answer,
    Clock,
    EntityOrder,
    JobQueue,
    JobReader,
    JobStore,
    Parcel,
    Payloads,
    Refused,
    Send,
    Unwritten,
    Written,
)
from tidemill.domain.registry import JobRegistry
from tidemill.service.numbering import held_back, numbered
from tidemill.service.submission import Order, Submission, check
from tidemill.service.succession import entity_until_s


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a submitter gets back.

    Attributes:
        job: the record as it stands: the new job, or the first one of a repeated key.
        created: whether this submit made it (a new job, or a new generation of a final one).
    """

    job: Job
    created: bool

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self.job.ref.id


SubmitResult: TypeAlias = Receipt | TidemillError


@dataclass(frozen=True, slots=True)
class _Plan:
    """An order, and the final record that it is to open anew, if there is one."""

    order: Order
    previous: Job | None


@dataclass(frozen=True, slots=True)
class Submitter:
    """Accepts jobs."""

    registry: JobRegistry
    store: JobStore
    reader: JobReader
    queue: JobQueue
    clock: Clock
    random: Random
    order: EntityOrder = field(kw_only=True)
    payloads: Payloads = field(kw_only=True)

    def submit(self, submissions: Sequence[Submission]) -> list[SubmitResult]:
        """Accept each job or say why not, in the order given. Never raises for one of them.

        A result is a Receipt, an InputError, KeyConflictError or JobFinalError (nothing was written),
        or an UnavailableError: the answer of AWS was lost, so the job may or may not exist, and the
        same call with the same key or job id is safe.
        """
        now_ms = self.clock.now_ms()
        return self.accept([self._check(submission, now_ms) for submission in submissions])

    def accept(self, orders: Sequence[Order | TidemillError]) -> list[SubmitResult]:
        """The same for submissions that are checked already; an error among them is its own answer."""
        now_ms = self.clock.now_ms()
        results: dict[int, SubmitResult] = {i: item for i, item in enumerate(orders) if isinstance(item, TidemillError)}
        checked = {i: item for i, item in enumerate(orders) if isinstance(item, Order)}
        first = _first_of_each(checked)
        plans = self._compare(first, results)
        self._accept(plans, now_ms, results)
        repeats = {i: order for i, order in checked.items() if i not in first}
        results.update(self._answer_repeats(repeats, {order.ref: results[i] for i, order in first.items()}))
        return [results[i] for i in range(len(orders))]

    def _answer_repeats(
        self, repeats: dict[int, Order], firsts: Mapping[JobRef, SubmitResult]
    ) -> dict[int, SubmitResult]:
        """Answer the later ones of equal ids in one call by the job that the first one made or met."""
        met = {order.ref for order in repeats.values() if isinstance(firsts[order.ref], KeyConflictError)}
        standing = dict(zip(met, self.reader.find(list(met)), strict=True)) if met else {}
        return {i: _repeat(order, firsts[order.ref], standing.get(order.ref)) for i, order in repeats.items()}

    def _check(self, submission: Submission, now_ms: int) -> Order | TidemillError:
        try:
            return check(submission, self.registry, now_ms, self.random)
        except TidemillError as error:
            return error

    def _compare(self, orders: dict[int, Order], results: dict[int, SubmitResult]) -> dict[int, _Plan]:
        """Answer what existing jobs decide; plan the rest."""
        # Only an id that was chosen or derived can exist already.
        known = {i: order for i, order in orders.items() if order.is_repeatable}
        found = (
            dict(zip(known, self.reader.find([order.ref for order in known.values()]), strict=True)) if known else {}
        )
        plans: dict[int, _Plan] = {}
        for i, order in orders.items():
            decided = decide_repeat(order, found.get(i))
            if isinstance(decided, Order) and decided.overdue is not None:
                results[i] = decided.overdue
            elif isinstance(decided, Order):
                plans[i] = _Plan(decided, found.get(i))
            else:
                results[i] = decided
        return plans

    def _accept(self, plans: dict[int, _Plan], now_ms: int, results: dict[int, SubmitResult]) -> None:
        plans = self._store(plans, results)
        queued = {i: plan for i, plan in plans.items() if not plan.order.outlasts_queue(now_ms)}
        parked = {i: plan for i, plan in plans.items() if i not in queued}
        sent = self._send(self._number(self._keep_durable(queued, results), now_ms, results), now_ms, results)
        kept = self._keep(parked, results)
        self._record({**sent, **kept}, now_ms, results)

    def _store(self, plans: dict[int, _Plan], results: dict[int, SubmitResult]) -> dict[int, _Plan]:
        """Put large arguments where their messages will say that they are, before anything names them."""
        parcels = {
            i: Parcel(plan.order.ref, stored.name, plan.order.args)
            for i, plan in plans.items()
            if (stored := plan.order.envelope.stored) is not None
        }
        if not parcels:
            return plans
        errors = self.payloads.put_all(list(parcels.values()))
        failed = {i: error for i, error in zip(parcels, errors, strict=True) if error is not None}
        results.update(failed)
        results.update(held_back({i: plan.order for i, plan in plans.items()}, failed))
        return {i: plan for i, plan in plans.items() if i not in results}

    def _number(self, plans: dict[int, _Plan], now_ms: int, results: dict[int, SubmitResult]) -> dict[int, _Plan]:
        """Only what is sent at once can be in order: nothing in a FIFO lane is ever parked."""
        orders = {i: plan.order for i, plan in plans.items()}
        ready, failed = numbered(orders, self.order, entity_until_s(now_ms))
        results.update(failed)
        return {i: replace(plans[i], order=order) for i, order in ready.items()}

    def _send(self, plans: dict[int, _Plan], now_ms: int, results: dict[int, SubmitResult]) -> dict[int, _Plan]:
        accepted: dict[int, _Plan] = {}
        for lane in dict.fromkeys(plan.order.lane for plan in plans.values()):
            mine = {i: plan for i, plan in plans.items() if plan.order.lane == lane}
            # Rounded up: a message that comes before its time would only be hidden again.
            orders = [plan.order for plan in mine.values()]
            sends = [Send(order.envelope, -(-max(order.due_ms - now_ms, 0) // 1000)) for order in orders]
            for (i, plan), error in zip(mine.items(), self.queue.send(lane, sends), strict=True):
                if error is None:
                    accepted[i] = plan
                else:
                    results[i] = error
        return accepted

    def _keep(self, plans: dict[int, _Plan], results: dict[int, SubmitResult]) -> dict[int, _Plan]:
        if not plans:
            return {}
        errors = self.store.keep(
            [plan.order.envelope for plan in plans.values()],
            [message_ttl_s(plan.order.due_ms) for plan in plans.values()],
        )
        results.update({i: error for i, error in zip(plans, errors, strict=True) if error is not None})
        return {i: plan for (i, plan), error in zip(plans.items(), errors, strict=True) if error is None}

    def _keep_durable(self, plans: dict[int, _Plan], results: dict[int, SubmitResult]) -> dict[int, _Plan]:
        """Keep what the table is to have beside its queue, before anybody can meet it there."""
        durable = {i: plan for i, plan in plans.items() if plan.order.durable_args}
        kept = self._keep(durable, results)
        return {i: plan for i, plan in plans.items() if i in kept or i not in durable}

    def _record(self, plans: dict[int, _Plan], now_ms: int, results: dict[int, SubmitResult]) -> None:
        fresh = {i: new_record(plan.order, now_ms) for i, plan in plans.items() if plan.previous is None}
        answers: dict[int, Answer] = {}
        if fresh:
            answers.update(zip(fresh, self.store.insert(list(fresh.values())), strict=True))
        for i, plan in plans.items():
            if plan.previous is not None:
                verb, after = reopening(plan.order, plan.previous, now_ms)
                fresh[i] = after
                answers[i] = self.store.move(verb, plan.previous, after, forget=forgotten_by_rerun(plan.previous))
        for i, plan in plans.items():
            results[i] = _result(plan.order, fresh[i], answers[i])


def decide_repeat(order: Order, first: Job | None) -> Order | SubmitResult:
    """What a submit becomes when its id already has the record `first`: the order to carry out, or the answer."""
    if first is None:
        return order
    key = order.envelope.key or first.ref.id
    if _is_other(first, order):
        return KeyConflictError(key, first.ref.id)
    if not first.state.is_final or first.state is State.SUCCEEDED or order.was_answered_by(first):
        return Receipt(first, created=False)
    if order.on_final is OnFinal.RETURN:
        return Receipt(first, created=False)
    if order.on_final is OnFinal.REFUSE:
        return JobFinalError(key, first.ref.id, first.state)
    return replace(order, envelope=replace(order.envelope, generation=first.generation + 1))


def new_record(order: Order, now_ms: int) -> Job:
    """The record of a job that was just accepted."""
    state = State.SCHEDULED if order.outlasts_queue(now_ms) else State.QUEUED
    record = order.envelope.record(order.lane, state, message_ttl_s(order.due_ms))
    return replace(record, owns_args=record.owns_args or order.durable_args)


def reopening(order: Order, previous: Job, now_ms: int) -> tuple[Verb, Job]:
    """The move that opens the final record `previous` for `order`."""
    parked = order.outlasts_queue(now_ms)
    after = previous.reopened(
        State.SCHEDULED if parked else State.QUEUED,
        order.envelope.not_before or 0,
        max(previous.ttl_s, message_ttl_s(order.due_ms)),
        owns_args=parked or order.durable_args,
    )
    after = replace(after, lane=order.lane, expires_at=order.envelope.expires_at)
    return (Verb.RESCHEDULE if parked else Verb.REOPEN), after


def _result(order: Order, record: Job, answer: Answer) -> SubmitResult:
    match answer:
        case Written(job=job):
            return Receipt(job, created=True)
        case Unwritten(error=error):
            # SQS has the message, so a job of its own is accepted and its claim will create the record. Whether an
            # id that others may ask for is this order's, only a record says.
            return error if record.state is State.SCHEDULED or order.is_repeatable else Receipt(record, created=True)
        case Refused(job=Job() as job):
            if _is_other(job, order):
                return KeyConflictError(order.envelope.key or job.ref.id, job.ref.id)
            return Receipt(job, created=_is_ours(job, order))
        case Refused():
            return Receipt(record, created=True)


def _is_other(job: Job, order: Order) -> bool:
    """Whether the id belongs to a job of another kind or with other arguments."""
    return job.fingerprint != order.envelope.fingerprint or job.kind != order.envelope.kind


def _is_ours(job: Job, order: Order) -> bool:
    """Whether a record that was there first came from our own message, claimed before we could record it."""
    return job.held is not None and job.held.send_id == order.envelope.send_id


def _first_of_each(orders: dict[int, Order]) -> dict[int, Order]:
    first: dict[JobRef, int] = {}
    for i, order in orders.items():
        first.setdefault(order.ref, i)
    return {i: orders[i] for i in first.values()}


def _repeat(order: Order, first: SubmitResult, standing: Job | None) -> SubmitResult:
    """The answer to a later one of two equal ids in one call; `standing` is the job that refused the first."""
    job = first.job if isinstance(first, Receipt) else standing
    if job is None:
        return first
    if _is_other(job, order):
        return KeyConflictError(order.envelope.key or job.ref.id, job.ref.id)
    return Receipt(job, created=False)


def no_submission(index: int, job: object) -> InputError:
    """The answer to what is no submission, among those of one call."""
    return InputError.at(f"jobs[{index}]", f"must be a Submission, not {type(job).__name__}", "type")
