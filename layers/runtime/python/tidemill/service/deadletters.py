"""The DLQ desk: what is dead, why, and how it runs again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from random import Random
from typing import Final

from tidemill.domain.conclusion import message_ttl_s
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.message import Delivery
from tidemill.domain.ports import Clock, DeadLetterQueue, JobQueue, JobReader, JobStore, Send
from tidemill.service.reception import Enveloped, Foreign, Unreadable, receive
from tidemill.service.refusal import is_refusal, message_job_id

# How many messages of a DLQ are looked through for one job before it is sent from the table instead.
_SEARCH: Final = 500


@dataclass(frozen=True, slots=True)
class Redriven:
    """What will run again.

    Attributes:
        via: `dlq` (the job's message is back on its lane), `table` (the job was sent anew), or `message`
            (a plain message that had been refused is back on its lane: it becomes a new job, and the record
            of its refusal stays).
    """

    ref: JobRef
    via: str


@dataclass(frozen=True, slots=True)
class DeadLetterDesk:
    """Looks after the DLQs of all lanes."""

    store: JobStore
    reader: JobReader
    queue: JobQueue
    dead_letters: DeadLetterQueue
    lanes: tuple[str, ...]
    clock: Clock
    random: Random

    def depths(self) -> Mapping[str, int]:
        """About how many messages each lane's DLQ holds."""
        return {lane: self.dead_letters.depth(lane) for lane in self.lanes}

    def envelope(self, job: Job) -> Envelope | None:
        """The stored envelope of a dead job, with its arguments."""
        return self.reader.envelope_of(job)

    def redrive(self, ref: JobRef) -> Redriven:
        """Let one dead job run again as its next generation.

        Its message goes back from the DLQ to the lane byte for byte, as the console's redrive does.
        If it is no longer there, the job is sent from the table.

        Raises:
            JobNotFoundError: there is no such job.
            JobStateError: it is not dead, or neither queue nor table has its arguments.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        job = self.reader.find([ref])[0]
        if job is None:
            raise JobNotFoundError(ref.tenant, ref.id)
        if job.state is not State.DEAD:
            raise JobStateError("redriven", ref.id, job.state, "only dead jobs are redriven")
        if self.dead_letters.move(job.lane, lambda delivery: _is_of(delivery, job), 1, _SEARCH):
            return Redriven(ref, "message" if is_refusal(job) else "dlq")
        self._send_from_table(job)
        return Redriven(ref, "table")

    def redrive_lane(self, lane: str, limit: int, chosen: Callable[[Delivery], bool] = lambda _: True) -> int:
        """Put up to `limit` messages of a lane's DLQ back; answers how many.

        Raises:
            InputError: there is no such lane.
        """
        if lane not in self.lanes:
            raise InputError.at("lane", f"no lane {lane!r}; known: {', '.join(self.lanes)}", "unknown_lane")
        return len(self.dead_letters.move(lane, chosen, limit, limit))

    def _send_from_table(self, job: Job) -> None:
        envelope = self.reader.envelope_of(job)
        if envelope is None:
            fix = "its message and its arguments are gone; submit it again"
            if is_refusal(job):
                fix = "its plain message is not in the DLQ; if it was redriven, it has become a job of its own"
            raise JobStateError("redriven", job.ref.id, job.state, fix)
        now_ms = self.clock.now_ms()
        fresh = envelope.resend(time_ordered_id(now_ms, self.random.getrandbits(74)))
        error = self.queue.send(job.lane, [Send(replace(fresh, generation=job.generation + 1))])[0]
        if error is not None:
            raise error
        # Only to show it at once: the message itself opens the next generation when a worker meets it.
        self.store.move(Verb.REOPEN, job, job.reopened(State.QUEUED, 0, max(job.ttl_s, message_ttl_s(now_ms))))


def _is_of(delivery: Delivery, job: Job) -> bool:
    match receive([delivery])[0]:
        case Enveloped(envelope=envelope):
            # Another copy of the message, or the loser of a key, would be acked as redundant.
            return envelope.ref == job.ref and (job.held is None or envelope.send_id == job.held.send_id)
        case Foreign() | Unreadable():
            return message_job_id(job.ref.tenant, job.kind, delivery) == job.ref.id
