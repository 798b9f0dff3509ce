"""Fences under small numbers: without it, every crash would make a new world of one that is as another was."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

from tests.model.known import Book, Known
from tidemill.domain import limits
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Memory
from tidemill.domain.ports import Refused, Written

# The last concluded fence gets this number; below it is room for those of workers that lost their lease.
BASE = 6


class Frozen(dict[str, Any]):
    """The steps of a memory, which nothing changes."""

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))


def frozen(memory: Any) -> Any:
    """A memory that can be compared with others fast. Hand-overs are not counted."""
    if not isinstance(memory, Memory):
        return memory
    return replace(memory, steps=Frozen(memory.steps), asked=Frozen(memory.asked), hand_overs=0)


def renumbered(book: Book, memo: dict[Any, Any], world: Any) -> Any:
    """The world with its fences as small as they can be, in the same order, and without what makes no difference.

    Nothing that a worker without the fence believes of the record reaches anybody, but that it is to stop. Whose a
    claim was is asked only by one who does not know whether it went through.
    """
    job: Job = world.record.value
    older = {fence for fence in _fences(world) if fence < job.fence}
    # More crashes than are poison are as many as are.
    excess = max(0, job.crashes - limits.MAX_CRASHES)
    top = BASE + job.fence - job.concluded - excess
    numbers = {fence: top - place for place, fence in enumerate(sorted(older, reverse=True), 1)}
    numbers[job.fence] = top
    numbers[0] = 0
    asks = any(worker.job is None for worker in world.workers)
    naming = _Naming(tuple(sorted(numbers.items())), job.fence if job.state is State.RUNNING else 0, excess)

    def again(known: Known | None, **changes: Any) -> Known | None:
        if known is None:
            return None
        name = (known, naming, *changes.items())
        found = memo.get(name)
        if found is None:
            value = _map(known.value, numbers, naming)
            found = memo[name] = book.of(replace(value, **changes) if changes else value)
        return found  # type: ignore[no-any-return]

    workers = [
        worker._replace(
            name=worker.name if worker.job is None else -1,
            job=again(worker.job),
            opened=again(worker.opened),
            process=again(worker.process),
        )
        for worker in world.workers
    ]
    record = again(world.record) if asks else again(world.record, owner=None)
    return world._replace(
        record=record,
        memory=again(world.memory),
        workers=tuple(sorted(workers, key=_order)),
        opener=numbers[world.opener],
        crashes=world.crashes - excess,
    )


class _Naming(NamedTuple):
    """The fences' new numbers, the holder's old one, and how many crashes too many there were."""

    numbers: tuple[tuple[int, int], ...]
    holder: int
    excess: int


def _order(worker: Any) -> tuple[int, ...]:
    knowns = (worker.job, worker.opened, worker.process)
    return worker.name, worker.at, *(known.number if known else -1 for known in knowns), worker.end is not None


def _fences(world: Any) -> set[int]:
    found = {world.opener}
    if world.memory is not None:
        found.add(world.memory.value.fence)
    for worker in world.workers:
        for known in (worker.job, worker.opened):
            if known is not None:
                found.add(known.value.fence)
    return found - {0}


def _map(value: Any, numbers: dict[int, int], naming: _Naming) -> Any:
    match value:
        case Job():
            return _job(value, numbers[value.fence], naming)
        case Memory():
            return replace(value, fence=numbers[value.fence])
        case Written(job, before):
            return Written(_map(job, numbers, naming), _map(before, numbers, naming))
        case Refused(job):
            return Refused(_map(job, numbers, naming))
        case tuple():
            mapped = (_map(item, numbers, naming) for item in value)
            return type(value)(*mapped) if hasattr(value, "_fields") else tuple(mapped)
        case _:
            return value


def _job(job: Job, fence: int, naming: _Naming) -> Job:
    if job.state is State.RUNNING and job.fence != naming.holder:
        return replace(job, fence=fence, concluded=fence - 1, attempt=1, owner=None)
    concluded = job.concluded + fence - job.fence + naming.excess
    return replace(job, fence=fence, concluded=concluded, attempt=job.attempt - naming.excess)
