"""What jobs wait for, in memory: the reference implementation of `JobWaits`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import Verb
from tidemill.domain.ports import Written
from tidemill.domain.telling import told
from tidemill.domain.waiting import Wait
from tidemill.testing.store import MemoryStore

# Where links lead that are made in tests: nowhere (RFC 2606).
API_URL: Final = "https://api.example.org"


@dataclass
class MemoryWaits:
    """`JobWaits` in a dictionary, which is that of the `MemoryStore` whose jobs these are. Not for threads."""

    store: MemoryStore
    keys: dict[int, bytes] = field(default_factory=dict)

    def wait_of(self, ref: JobRef, name: str) -> Wait | None:
        """See JobWaits."""
        return self.store.waits.get(ref, {}).get(name)

    def waits_of(self, ref: JobRef) -> list[Wait]:
        """See JobWaits."""
        return [wait for _, wait in sorted(self.store.waits.get(ref, {}).items())]

    def ask(self, ref: JobRef, before: Wait | None, wait: Wait, ttl_s: int) -> Wait | None:  # noqa: ARG002 - kept on
        """See JobWaits."""
        if self._is_as_read(ref, before, wait.name):
            self._keep(ref, wait)
        return self.wait_of(ref, wait.name)

    def give_up(self, ref: JobRef, wait: Wait, now_ms: int, ttl_s: int) -> Wait | None:  # noqa: ARG002 - kept on
        """See JobWaits."""
        if self._is_as_read(ref, wait, wait.name):
            self._keep(ref, wait.timed_out(now_ms))
        return self.wait_of(ref, wait.name)

    def answer(self, job: Job, before: Wait | None, after: Wait, now_ms: int, ttl_s: int) -> bool:  # noqa: ARG002 - kept on
        """See JobWaits."""
        if not self._is_as_read(job.ref, before, after.name) or not self._tell(told(job, now_ms), job):
            return False
        self._keep(job.ref, after)
        return True

    def key_of(self, period: int) -> bytes | None:
        """See JobWaits."""
        return self.keys.get(period)

    def keep_key(self, period: int, key: bytes, ttl_s: int) -> bytes:  # noqa: ARG002 - kept on
        """See JobWaits."""
        return self.keys.setdefault(period, key)

    def _tell(self, move: tuple[Verb, Job] | None, job: Job) -> bool:
        if move is not None:
            return isinstance(self.store.move(move[0], job, move[1]), Written)
        return self.store.stands(job)

    def _is_as_read(self, ref: JobRef, read: Wait | None, name: str) -> bool:
        current = self.wait_of(ref, name)
        if current is None or read is None:
            return current is read
        return current.generation == read.generation and (current.is_open or not read.is_open)

    def _keep(self, ref: JobRef, wait: Wait) -> None:
        self.store.waits.setdefault(ref, {})[wait.name] = wait
