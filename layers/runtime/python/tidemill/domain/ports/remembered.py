"""What is kept beside the records: what jobs remember, large payloads, the order of entities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol

from tidemill.domain.entity import Entity
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.memory import Memory, Remembered
from tidemill.domain.payload import Stored


class JobMemory(Protocol):
    """What jobs remember: one place a job, written only by the attempt that opened it last."""

    def open(self, job: Job, ttl_s: int, code: str) -> Memory:
        """Make this attempt the only writer, and answer what is remembered.

        What an earlier attempt wrote until now is seen; what it writes from now on is refused.

        Arguments:
            ttl_s: until when it is kept, Unix seconds.
            code: of this attempt. It stays with the memory if none is there yet.

        Raises:
            FenceLostError: a later attempt has opened it.
            UnavailableError: AWS did not answer; nothing is known to be written.
        """

    def remember(self, job: Job, step: Remembered, asked: Mapping[str, str]) -> None:
        """Record one finished step, and which others were asked for and are not recorded. See Memory.asked.

        Raises:
            FenceLostError: a later attempt has opened the memory; nothing was written.
            UnavailableError: AWS did not answer. The step may or may not be recorded.
        """

    def forget(self, job: Job, memory: Memory) -> None:
        """Replace what is remembered by `memory`, which remembers less. A wish that came meanwhile stays.

        Raises:
            FenceLostError, UnavailableError: as `remember`.
        """

    def checkpoint(self, job: Job, cursor: str, hand_overs: int) -> None:
        """Record the cursor.

        Raises:
            FenceLostError, UnavailableError: as `remember`.
        """

    def look(self, ref: JobRef) -> Memory | None:
        """What is remembered, without opening it; None if the job never did.

        Raises:
            UnavailableError: AWS did not answer.
        """


@dataclass(frozen=True, slots=True)
class Parcel:
    """Bytes to be kept under `name` among a job's own."""

    ref: JobRef
    name: str
    data: bytes


class Payloads(Protocol):
    """Bytes too large for a message or an item: the claim check."""

    def put(self, ref: JobRef, name: str, data: bytes, keep: timedelta | None = None) -> Stored:
        """Keep `data` under `name` among the job's own; the same name again replaces it.

        Arguments:
            keep: for how long it is needed; None for as long as anything may name it.

        Raises:
            UnavailableError: it is not kept.
        """

    def put_all(self, parcels: Sequence[Parcel]) -> list[UnavailableError | None]:
        """Keep each parcel for as long as anything may name it; None where it is kept."""

    def get(self, ref: JobRef, stored: Stored) -> bytes:
        """The bytes. What is old has its retention begin anew, so that nothing that still runs outlives it.

        Raises:
            PayloadGoneError: they are past their retention.
            IntegrityError: they are not what was kept.
            UnavailableError: AWS did not answer.
        """

    def renew(self, ref: JobRef, stored: Stored) -> None:
        """Let the retention of the bytes begin anew.

        Raises:
            PayloadGoneError: they are past their retention.
            UnavailableError: AWS did not answer; they are kept as long as before.
        """

    def discard(self, receipts: Sequence[tuple[JobRef, Stored]]) -> None:
        """Delete what nothing will read again.

        A failure is harmless, because all that is kept ends some day; nothing is raised.
        """


class EntityOrder(Protocol):
    """The numbers of the entities of FIFO lanes: which were given to jobs, and which job finished last."""

    def number(self, wanted: Sequence[tuple[Entity, int]], until_s: int) -> list[int | UnavailableError]:
        """Take the next so many numbers for each entity; answers the first of them. Numbers begin at 1.

        No number is ever given twice. Numbers of which the answer was lost are given to nobody.

        Arguments:
            until_s: Unix seconds; from then on the entity may be forgotten, and begins anew.
        """

    def last_finished(self, entity: Entity) -> int | None:
        """The highest number that finished, None before the first.

        Raises:
            UnavailableError: AWS did not answer.
        """

    def finish(self, entity: Entity, sequence: int, until_s: int) -> None:
        """Note that the job of this number finished. Noting it again, or one below the highest, changes nothing.

        Raises:
            UnavailableError: it is not known to be noted.
        """
