"""Letting dead jobs run again: one, or many at a stated pace."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import JobStateError, TidemillError, UnavailableError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.limits import CLOCK_SKEW
from tidemill.domain.memory import Memory
from tidemill.domain.message import Delivery
from tidemill.domain.ports import DeadLetterQueue, JobReader, Payloads
from tidemill.service.letters import Letters
from tidemill.service.manner import RESUME, Manner, Mode, effects_of
from tidemill.service.pacing import MAX_STEP, Pace
from tidemill.service.redrivable import check_redrivable
from tidemill.service.refusal import is_refusal
from tidemill.service.resending import Resending

# How many messages of a DLQ are looked through for one job, before it is sent from the table instead.
ONE_SEARCH: Final = 500
# A person or a program looks at so many messages of one DLQ at the most: what one walk through a queue meets.
SEARCH: Final = 10_000


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
class NotRedriven:
    """What stays dead, and why."""

    ref: JobRef
    error: TidemillError


Result: TypeAlias = Redriven | NotRedriven


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms many jobs are redriven.

    Arguments:
        search: how many messages of a DLQ are looked through, each time.
        pace: how fast; at once without one.
        has_time: asked before each step whether so many seconds may go by first; once it says no, the others stay
            as they are.
    """

    search: int
    pace: Pace | None = None
    has_time: Callable[[float], bool] = lambda _: True

    def step(self, left: int) -> int:
        """Wait until more may be done; answers how many of `left`, and 0 where there is no time for it."""
        if not left or not self.has_time(self.pace.wait_s() if self.pace else 0):
            return 0
        return self.pace.step(left) if self.pace else left

    def passed(self, count: int) -> None:
        """So many were done."""
        if self.pace:
            self.pace.passed(count)


@dataclass(frozen=True, slots=True)
class Redriving:
    """Puts messages back and sends jobs from the table.

    Arguments:
        recall: what a job remembers.
    """

    reader: JobReader
    dead_letters: DeadLetterQueue
    payloads: Payloads
    resending: Resending
    recall: Callable[[JobRef], Memory | None]

    def one(self, job: Job, manner: Manner) -> Redriven:
        """Let one dead job run again.

        Raises:
            InputError: it remembers no such step.
            JobStateError: somebody moved it meanwhile, or neither queue nor table has its arguments.
            PayloadGoneError: its large arguments are past their retention.
            UnavailableError: AWS did not answer; the call may be repeated.
        """
        (result,) = self.many([job], manner, Terms(ONE_SEARCH))
        if isinstance(result, NotRedriven):
            raise result.error
        return result

    def many(self, jobs: Sequence[Job], manner: Manner, terms: Terms) -> Iterator[Result]:
        """Let these dead jobs run again, lane by lane; one that can't does not stop the others."""
        refused = {job.ref: error for job in jobs if (error := self._refusal(job)) is not None}
        yield from (NotRedriven(ref, error) for ref, error in refused.items())
        able = [job for job in jobs if job.ref not in refused]
        for lane in dict.fromkeys(job.lane for job in able):
            mine = [job for job in able if job.lane == lane]
            if manner.mode is Mode.RESUME:
                yield from self._resume(lane, mine, terms)
            else:
                yield from self._send_all(lane, mine, manner, terms)

    def edited(self, job: Job, envelope: Envelope, manner: Manner) -> Redriven:
        """Let a dead job run again with the arguments of `envelope`.

        Raises:
            JobStateError: see `check_redrivable`; or, as UnavailableError, Resending.resend.
        """
        check_redrivable(job, self.resending.queue.has_lane)
        self.resending.resend(job, envelope, manner.forget)
        self._drop(job.lane, [job], ONE_SEARCH)
        return Redriven(job.ref, "table")

    def whole_lane(self, lane: str, pace: Pace) -> Iterator[int]:
        """Put all messages of a lane's DLQ back; yields how many each step moved.

        A job that dies again at once comes back to the DLQ: its message, the same byte for byte, is left there.

        Raises:
            UnavailableError: AWS did not answer; what was moved before stays moved.
        """
        seen: set[bytes] = set()
        # A plain message may say the same as one that was put back. What was sent long before did not die again.
        since = self.resending.clock.now_ms() - milliseconds(CLOCK_SKEW)
        found = True

        def is_first(delivery: Delivery) -> bool:
            return delivery.sent_at < since or _digest(delivery) not in seen

        while found:
            found = False
            walk = self.dead_letters.move(lane, is_first, lambda: pace.step(MAX_STEP), SEARCH)
            for moved in walk:
                found = True
                seen.update(map(_digest, moved))
                pace.passed(len(moved))
                yield len(moved)

    def _refusal(self, job: Job) -> JobStateError | None:
        try:
            check_redrivable(job, self.resending.queue.has_lane)
        except JobStateError as error:
            return error
        return None

    def _resume(self, lane: str, jobs: Sequence[Job], terms: Terms) -> Iterator[Result]:
        """Byte for byte where the DLQ has the message, from the table where it has not."""
        letters = Letters.of(jobs, self._renew)
        try:
            for job in self._put_back(lane, letters, terms):
                yield Redriven(job.ref, "message" if is_refusal(job) else "dlq")
        except UnavailableError as error:
            letters.refused.update(dict.fromkeys(letters.wanted, error))
            letters.wanted.clear()
        for ref, reason in letters.refused.items():
            yield NotRedriven(ref, reason)
        yield from self._send_each(list(letters.wanted.values()), RESUME, terms)

    def _put_back(self, lane: str, letters: Letters, terms: Terms) -> Iterator[Job]:
        found = True
        while letters.wanted and found:
            found = False
            walk = self.dead_letters.move(lane, letters.takes, lambda: terms.step(len(letters.wanted)), terms.search)
            for moved in walk:
                found = True
                terms.passed(len(moved))
                yield from letters.found(moved)

    def _send_all(self, lane: str, jobs: Sequence[Job], manner: Manner, terms: Terms) -> Iterator[Result]:
        by_ref = {job.ref: job for job in jobs}
        sent: list[Job] = []
        try:
            for result in self._send_each(jobs, manner, terms):
                if isinstance(result, Redriven):
                    sent.append(by_ref[result.ref])
                yield result
        finally:
            # In one walk for all of them. Nothing but the DLQ's depth depends on it; see `resending`.
            self._drop(lane, sent, terms.search)

    def _send_each(self, jobs: Sequence[Job], manner: Manner, terms: Terms) -> Iterator[Result]:
        for job in jobs:
            if not terms.step(1):
                return
            yield self._send(job, manner)
            terms.passed(1)

    def _send(self, job: Job, manner: Manner) -> Result:
        try:
            if manner.mode is Mode.FROM_STEP:
                effects_of(self.recall(job.ref), manner)
            self.resending.resend(job, self._envelope(job), manner.forget)
        except TidemillError as error:
            return NotRedriven(job.ref, error)
        return Redriven(job.ref, "table")

    def _envelope(self, job: Job) -> Envelope:
        envelope = self.reader.envelope_of(job)
        if envelope is None:
            fix = "its message and its arguments are gone; submit it again"
            if is_refusal(job):
                fix = "its plain message is not in the DLQ; if it was redriven, it has become a job of its own"
            raise JobStateError("redriven", job.ref.id, job.state, fix)
        self._renew(envelope)
        return envelope

    def _renew(self, envelope: Envelope) -> None:
        """Large arguments must outlive the message that names them."""
        if envelope.stored is not None:
            self.payloads.renew(envelope.ref, envelope.stored)

    def _drop(self, lane: str, jobs: Sequence[Job], search: int) -> None:
        """Delete the messages that these jobs died with: they run under another one now."""
        if not jobs:
            return
        letters = Letters.of(jobs)
        try:
            self.dead_letters.purge(lane, letters.takes, len(jobs), search)
        except UnavailableError:
            # What is left there does nothing when it is put back.
            return


def _digest(delivery: Delivery) -> bytes:
    return hashlib.sha256(delivery.body.encode()).digest()
