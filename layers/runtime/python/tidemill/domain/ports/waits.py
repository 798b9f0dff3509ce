"""What jobs wait for, and what they were answered."""

from __future__ import annotations

from typing import Protocol

from tidemill.domain.job import Job, JobRef
from tidemill.domain.waiting import Wait


class JobWaits(Protocol):
    """One place for each name that a job waits for, beside its record. Its outcome is written once.

    Every call may raise UnavailableError: AWS did not answer. What was to be written may be, and the same call may be
    repeated.
    """

    def wait_of(self, ref: JobRef, name: str) -> Wait | None:
        """What is known of this wait, read consistently; None if nobody asked or answered."""

    def waits_of(self, ref: JobRef) -> list[Wait]:
        """All that the job asked or was answered, by name, read consistently."""

    def ask(self, ref: JobRef, before: Wait | None, wait: Wait, ttl_s: int) -> Wait | None:
        """Write `wait` if what stands there is still `before`; answers what stands there then.

        Arguments:
            before: None if there was nothing; else of an earlier generation, which is forgotten.
            ttl_s: until when it is kept, Unix seconds.
        """

    def give_up(self, ref: JobRef, wait: Wait, now_ms: int, ttl_s: int) -> Wait | None:
        """Write that nobody answered the open `wait` in time, unless somebody has; answers what stands there then."""

    def answer(self, job: Job, before: Wait | None, after: Wait, now_ms: int, ttl_s: int) -> bool:
        """Write `after`, which is `before` with an answer, and tell the job (see `told`): both or neither.

        Whether it was written: not if the wait is not `before` any more, or the record not `job`.
        """

    def key_of(self, period: int) -> bytes | None:
        """The key that tokens of this period are sealed with; None if nobody has needed it yet."""

    def keep_key(self, period: int, key: bytes, ttl_s: int) -> bytes:
        """Make `key` that of the period until `ttl_s` (Unix seconds), if it has none; answers the one that it has."""
