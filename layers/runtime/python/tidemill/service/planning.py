"""A flow, checked whole before anything is written: every job of it as an order, every batch of it as a record."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from random import Random
from typing import Final

from tidemill.domain import limits
from tidemill.domain.args import JobArgs
from tidemill.domain.batch import ON_FAILURE, THEN, BatchRef, Member
from tidemill.domain.batch_ended import BatchEnded
from tidemill.domain.batch_record import BatchRecord, Kept
from tidemill.domain.completion import Completion
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.due import moment_ms
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import InputError, Violation
from tidemill.domain.job import JobRef
from tidemill.domain.registry import JobRegistry
from tidemill.service.flow import Batch, Chain, Flow, Graph, Shape, shape_of
from tidemill.service.submission import DEFAULT_TENANT, Order, Submission, check

# One call reports so many bad children, so that a list of ten thousand is readable.
_MOST_VIOLATIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Plan:
    """One batch of a flow.

    Attributes:
        orders: the jobs among its children, by index. `inner`: the batches among them.
        callbacks: by their names. `told`: those whose arguments are a BatchEnded.
        timed: the jobs that start at a time, and not after a delay, with that time as it was asked for.
    """

    record: BatchRecord
    orders: dict[int, Order]
    inner: dict[int, Plan]
    callbacks: dict[str, Order]
    told: frozenset[str]
    timed: Mapping[JobRef, int]

    def walk(self) -> Iterator[Plan]:
        """This one and all within it, the outer before the inner."""
        yield self
        for plan in self.inner.values():
            yield from plan.walk()

    @property
    def kept(self) -> list[Kept]:
        """The jobs that the table holds for the batch."""
        children = {str(index): order for index, order in self.orders.items()} if self.record.kept else {}
        return [
            _kept(name, order, wants_ending=name in self.told, at_a_time=order.ref in self.timed)
            for name, order in {**children, **self.callbacks}.items()
        ]

    @property
    def jobs(self) -> int:
        """How many jobs the flow has, its callbacks not counted."""
        return sum(len(plan.orders) for plan in self.walk())


@dataclass
class Planner:
    """Makes the plan of one flow. Times are Unix milliseconds.

    Arguments:
        inherit: gives a job what it has from the one that submits it; None outside of a job.
    """

    registry: JobRegistry
    tenant: str
    now_ms: int
    random: Random
    inherit: Callable[[Submission], Submission] | None = None
    _jobs: int = 0
    _waiting: int = 0
    _timed: dict[JobRef, int] = field(default_factory=dict)
    _violations: list[Violation] = field(default_factory=list)
    _overdue: list[Violation] = field(default_factory=list)

    def plan(self, flow: object, ref: BatchRef, key: str | None) -> Plan:
        """The plan of the whole flow.

        Raises:
            InputError: something is bad; up to ten places are named.
        """
        if not isinstance(flow, Batch | Chain | Graph):
            raise InputError.at("flow", f"must be a Batch, Chain or Graph, not {type(flow).__name__}", "type")
        plan = self._plan(flow, ref, key, None, "", waits=False, depth=1)
        if self._violations:
            raise InputError(*self._violations[:_MOST_VIOLATIONS])
        return plan

    def refuse_overdue(self) -> None:
        """Refuse a flow that was planned and that there is none of yet; a repeat of one in time is answered as ever.

        Raises:
            InputError: a job was to start at a moment that has passed; up to ten places are named.
        """
        if self._overdue:
            raise InputError(*self._overdue[:_MOST_VIOLATIONS])

    def _plan(
        self, flow: Flow, ref: BatchRef, key: str | None, parent: Member | None, path: str, *, waits: bool, depth: int
    ) -> Plan:
        if depth > limits.MAX_BATCH_DEPTH:
            problem = f"is nested {depth} deep; {limits.MAX_BATCH_DEPTH} is the most"
            raise InputError.at(path.rstrip(".") or "flow", problem, "depth")
        try:
            shape = shape_of(flow)
            _check_shape(shape)
        except InputError as error:
            raise InputError(*_under(path, error)) from None
        blank = BatchRecord(
            ref=ref,
            size=len(shape.children),
            fingerprint="",
            created_at=self.now_ms,
            completion=shape.completion,
            ttl_s=self.now_ms // 1000 + int(limits.MEMORY_HORIZON.total_seconds()),
            key=key,
            edges=shape.edges,
            kept=bool(shape.edges) or waits,
            parent=parent,
            then=shape.then is not None,
            on_failure=shape.on_failure is not None,
            check_at=None if waits else self.now_ms + milliseconds(limits.BATCH_CHECK),
        )
        return self._filled(shape, blank, path, waits=waits, depth=depth)

    def _filled(self, shape: Shape, blank: BatchRecord, path: str, *, waits: bool, depth: int) -> Plan:
        orders: dict[int, Order] = {}
        inner: dict[int, Plan] = {}
        for index, child in enumerate(shape.children):
            where = f"{path}{shape.where[index]}"
            later = waits or bool(shape.edges and shape.edges[index])
            if isinstance(child, Batch | Chain | Graph):
                place, member = blank.ref.inner(index), blank.member(index)
                inner[index] = self._plan(child, place, None, member, f"{where}.", waits=later, depth=depth + 1)
            elif (order := self._order(child, where, blank, index, blank.member(index))) is not None:
                orders[index] = order
            self._count_job(where, waits=waits)
        callbacks = {
            name: order
            for name, child in ((THEN, shape.then), (ON_FAILURE, shape.on_failure))
            if child is not None and (order := self._order(child, f"{path}{name}", blank, name, None)) is not None
        }
        record = replace(
            blank, inner=frozenset(inner), fingerprint=_fingerprint(blank, orders, inner, callbacks, self._timed)
        )
        told = frozenset(name for name in callbacks if _wants_ending(getattr(shape, name)))
        return Plan(record, orders, inner, callbacks, told, self._timed)

    def _count_job(self, where: str, *, waits: bool) -> None:
        self._jobs += 1
        self._waiting += waits
        if self._jobs > limits.MAX_BATCH_CHILDREN:
            problem = (
                f"is one more than {limits.MAX_BATCH_CHILDREN:,} children, all levels together. Fix: start several "
                "batches, or let each child be a job that does more of the work"
            )
            raise InputError.at(where, problem, "children")
        if self._waiting > limits.MAX_WAITING_CHILDREN:
            problem = (
                f"is one more than {limits.MAX_WAITING_CHILDREN:,} children of batches that wait for another node. "
                "Fix: let the node be a job that starts the batch"
            )
            raise InputError.at(where, problem, "waiting_children")

    def _order(
        self, child: object, where: str, batch: BatchRecord, name: int | str, member: Member | None
    ) -> Order | None:
        try:
            asked = _submission(child, batch)
            if self.inherit is not None:
                asked = self.inherit(asked)
            order = check(replace(asked, tenant=self.tenant), self.registry, self.now_ms, self.random)
        except InputError as error:
            self._violations += _under(f"{where}.", error)
            return None
        envelope = replace(
            order.envelope,
            ref=batch.ref.child(name),
            member=member,
            correlation_id=asked.correlation_id or batch.ref.id,
        )
        if asked.run_at is not None:
            self._timed[envelope.ref] = moment_ms(asked.run_at)
        if order.overdue is not None:
            self._overdue += _under(f"{where}.", order.overdue)
        return replace(order, envelope=envelope, is_repeatable=True, overdue=None)


def _submission(child: object, batch: BatchRecord) -> Submission:
    asked = Submission(child) if isinstance(child, JobArgs) else child
    if not isinstance(asked, Submission):
        raise InputError.at("job", f"must be arguments, a Submission or a flow, not {type(child).__name__}", "type")
    if asked.tenant not in (DEFAULT_TENANT, batch.ref.tenant):
        raise InputError.at("tenant", f"is {asked.tenant!r}, and the batch is {batch.ref.tenant!r}'s", "tenant")
    for field_ in ("key", "job_id"):
        if getattr(asked, field_) is not None:
            problem = "can't be chosen for a job of a batch: the batch and the place in it decide. Fix: key the batch"
            raise InputError.at(field_, problem, "batch")
    return asked


def _check_shape(shape: Shape) -> None:
    size = len(shape.children)
    if not isinstance(shape.completion, Completion):
        raise InputError.at("completion", "must be ALL, FIRST, at_least(n) or tolerate(n)", "type")
    shape.completion.check(size)
    if shape.edges and size > limits.CHILDREN_PER_SHARD:
        problem = f"are {size:,}, of which some wait for others; {limits.CHILDREN_PER_SHARD} is the most. "
        raise InputError.at("nodes", f"{problem}Fix: put those that don't wait for each other into a Batch", "nodes")


def _under(path: str, error: InputError) -> list[Violation]:
    return [replace(violation, field=f"{path}{violation.field}") for violation in error.violations]


def _wants_ending(child: object) -> bool:
    return isinstance(child.args if isinstance(child, Submission) else child, BatchEnded)


def _kept(name: str, order: Order, *, wants_ending: bool, at_a_time: bool) -> Kept:
    envelope, asked_at = order.envelope, order.envelope.submitted_at
    lasts = None if envelope.expires_at is None else envelope.expires_at - asked_at
    delay, due_at = (0, order.due_ms) if at_a_time else (order.due_ms - asked_at, 0)
    return Kept(name, envelope, order.lane, delay, lasts, wants_ending, due_at)


def _fingerprint(
    record: BatchRecord,
    orders: dict[int, Order],
    inner: dict[int, Plan],
    callbacks: dict[str, Order],
    timed: Mapping[JobRef, int],
) -> str:
    """Of all that was asked for, so that another flow under the same key is told from this one."""
    rule = record.completion
    asked = [
        record.size,
        record.edges,
        [rule.needed, rule.tolerated, rule.early],
        {str(index): _asked(order, timed.get(order.ref)) for index, order in orders.items()},
        {str(index): plan.record.fingerprint for index, plan in inner.items()},
        {name: _asked(order, timed.get(order.ref)) for name, order in callbacks.items()},
    ]
    return fingerprint_of(json.dumps(asked, sort_keys=True).encode())


def _asked(order: Order, at_ms: int | None) -> Sequence[object]:
    envelope = order.envelope
    start = ("at", at_ms) if at_ms is not None else ("in", order.due_ms - envelope.submitted_at)
    return (envelope.kind, envelope.fingerprint, order.lane, start, envelope.entity, envelope.sequence)
