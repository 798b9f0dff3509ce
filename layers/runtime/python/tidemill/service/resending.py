"""A dead job's next generation, sent from the table: the way back whose message is not the old one.

The record is the acceptance. In this order, and after a crash between any two:

1. The envelope of the next generation is kept. Nothing reads it but 2: the job is dead as before, in its DLQ too.
2. The record becomes `scheduled`, due at once, in the next generation and with the envelope's fingerprint; what that
   generation is to forget is noted in the same transaction, so that whatever copy of its message runs it knows. From
   here the janitor's sweep sends the job if nobody else does.
3. The message is sent. Crash: the sweep sends another one, which finds the job claimed or over and is acked.
4. The record becomes `queued`. Crash before it: the same.
5. The caller deletes the old message from the DLQ. Crash before it: whoever puts that message back finds the job
   over, or busy with another message, and it is acked; one with other arguments than the record's always is.

Sent first and recorded after, as a submit is, an edited job could be lost: a worker that meets its message before
the record has the new fingerprint takes it for the loser of a key, and acks it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from random import Random

from tidemill.domain.conclusion import message_ttl_s, revived
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import JobStateError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.ports import Clock, JobQueue, JobStore, Refused, Send, Unwritten


@dataclass(frozen=True, slots=True)
class Resending:
    """Opens next generations."""

    store: JobStore
    queue: JobQueue
    clock: Clock
    random: Random

    def resend(self, job: Job, envelope: Envelope, forget: str | None) -> None:
        """Let the dead `job` run again with the arguments of `envelope`, without the steps that `forget` names.

        Once this returns, the job runs, whatever crashes.

        Raises:
            JobStateError: somebody else moved it meanwhile; nothing was changed.
            UnavailableError: AWS did not answer; if the job is still dead, the call may be repeated.
        """
        now_ms = self.clock.now_ms()
        fresh = replace(
            envelope,
            send_id=time_ordered_id(now_ms, self.random.getrandbits(74)),
            generation=job.generation + 1,
            # It did start in its time, or it would have expired; now it runs because an operator wants it to.
            not_before=None,
            expires_at=None,
        )
        ttl_s = max(job.ttl_s, message_ttl_s(now_ms))
        scheduled = replace(
            job.reopened(State.SCHEDULED, 0, ttl_s, owns_args=True), fingerprint=fresh.fingerprint, expires_at=None
        )
        error = self.store.keep([fresh], [ttl_s])[0]
        if error is not None:
            raise error
        self._record(job, scheduled, forget)
        if self.queue.send(job.lane, [Send(fresh)])[0] is None:
            # Refused or unwritten, the sweep's copy is one too many, and is acked.
            self.store.move(Verb.REVIVE, scheduled, revived(scheduled, now_ms))

    def _record(self, job: Job, scheduled: Job, forget: str | None) -> None:
        answer = self.store.move(Verb.RESCHEDULE, job, scheduled, forget=forget)
        if isinstance(answer, Unwritten):
            raise answer.error
        if isinstance(answer, Refused):
            state = "gone" if answer.job is None else answer.job.state
            raise JobStateError("redriven", job.ref.id, state, "somebody else moved it meanwhile; look again")
