"""What jobs remember, and large payloads, in dictionaries: the reference implementations of two ports."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from tidemill.domain.errors import FenceLostError, PayloadGoneError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.memory import Memory, Remembered
from tidemill.domain.payload import Stored, check_name
from tidemill.domain.ports import Clock, Parcel


@dataclass
class MemoryOfJobs:
    """`JobMemory` in a dictionary, which is that of the `MemoryStore` whose jobs these are. Not for threads.

    Arguments:
        clock: by which what is over is collected, to the second; DynamoDB takes days. Without one nothing is.
    """

    memories: dict[JobRef, Memory] = field(default_factory=dict)
    clock: Clock | None = None
    _until_s: dict[JobRef, int] = field(default_factory=dict)

    def open(self, job: Job, ttl_s: int, code: str) -> Memory:
        """See JobMemory."""
        memory = self.look(job.ref) or Memory()
        if memory.fence > job.fence:
            raise FenceLostError(job.ref.id, job.fence)
        if memory.fence == job.fence:
            # This attempt has opened it before, and heard no answer.
            return memory
        opened = replace(memory, fence=job.fence, code=memory.code or code)
        self.memories[job.ref] = opened
        self._until_s[job.ref] = ttl_s
        return opened

    def remember(self, job: Job, step: Remembered, asked: Mapping[str, str]) -> None:
        """See JobMemory."""
        self.memories[job.ref] = self._mine(job).remembering(step, asked)

    def forget(self, job: Job, memory: Memory) -> None:
        """See JobMemory."""
        mine = self._mine(job)
        self.memories[job.ref] = replace(memory, fence=mine.fence, wish=mine.wish)

    def checkpoint(self, job: Job, cursor: str, hand_overs: int) -> None:
        """See JobMemory."""
        self.memories[job.ref] = replace(self._mine(job), cursor=cursor, hand_overs=hand_overs)

    def look(self, ref: JobRef) -> Memory | None:
        """See JobMemory."""
        if self.clock is not None and self._until_s.get(ref, math.inf) <= self.clock.now_ms() / 1000:
            self.memories.pop(ref, None)
        return self.memories.get(ref)

    def _mine(self, job: Job) -> Memory:
        memory = self.look(job.ref)
        if memory is None or memory.fence != job.fence:
            raise FenceLostError(job.ref.id, job.fence)
        return memory


@dataclass
class MemoryPayloads:
    """`Payloads` in a dictionary, where nothing ages. Remove an entry to let its retention be over."""

    kept: dict[tuple[JobRef, str], bytes] = field(default_factory=dict)

    def put(self, ref: JobRef, name: str, data: bytes, keep: timedelta | None = None) -> Stored:  # noqa: ARG002
        """See Payloads."""
        self.kept[ref, check_name(name)] = data
        return Stored.of(name, data)

    def put_all(self, parcels: Sequence[Parcel]) -> list[UnavailableError | None]:
        """See Payloads."""
        for parcel in parcels:
            self.put(parcel.ref, parcel.name, parcel.data)
        return [None] * len(parcels)

    def get(self, ref: JobRef, stored: Stored) -> bytes:
        """See Payloads."""
        data = self.kept.get((ref, check_name(stored.name)))
        if data is None:
            raise PayloadGoneError(ref.id, stored.name)
        return stored.check(data)

    def renew(self, ref: JobRef, stored: Stored) -> None:
        """See Payloads."""
        if (ref, stored.name) not in self.kept:
            raise PayloadGoneError(ref.id, stored.name)

    def discard(self, receipts: Sequence[tuple[JobRef, Stored]]) -> None:
        """See Payloads."""
        for ref, stored in receipts:
            self.kept.pop((ref, stored.name), None)
