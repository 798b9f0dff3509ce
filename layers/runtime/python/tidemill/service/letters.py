"""The messages of some dead jobs, found in a DLQ."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import TidemillError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.message import Delivery
from tidemill.service.reception import Enveloped, Received, receive
from tidemill.service.refusal import is_refusal, refused_ref


def ref_in(message: Received) -> JobRef:
    """Whose job a message carries; for one that carries none, whose record says that it was refused."""
    return message.envelope.ref if isinstance(message, Enveloped) else refused_ref(message)


def is_of(message: Received, job: Job) -> bool:
    """Whether this is the very message that `job` died with.

    Another copy of it, or the loser of a key, would be acked as redundant.
    """
    if ref_in(message) != job.ref:
        return False
    if isinstance(message, Enveloped):
        return job.held is None or message.envelope.send_id == job.held.send_id
    return is_refusal(job)


@dataclass(slots=True)
class Letters:
    """Chooses the message of each wanted job, once.

    Arguments:
        admit: is asked before a message is chosen, and raises what stands against it.

    Attributes:
        wanted: the jobs whose messages were not found yet.
        refused: those whose messages were found and not admitted, and why.
    """

    wanted: dict[JobRef, Job]
    admit: Callable[[Envelope], None]
    refused: dict[JobRef, TidemillError] = field(default_factory=dict)
    _taken: set[JobRef] = field(default_factory=set)

    @classmethod
    def of(cls, jobs: Iterable[Job], admit: Callable[[Envelope], None] = lambda _: None) -> Letters:
        """The letters of these jobs."""
        return cls({job.ref: job for job in jobs}, admit)

    def takes(self, delivery: Delivery) -> bool:
        """Whether this is one of them, and the first of its job since `found`."""
        (message,) = receive([delivery])
        ref = ref_in(message)
        job = self.wanted.get(ref)
        if job is None or ref in self._taken or not is_of(message, job):
            return False
        if isinstance(message, Enveloped) and not self._admits(message.envelope):
            return False
        self._taken.add(ref)
        return True

    def found(self, deliveries: Iterable[Delivery]) -> list[Job]:
        """The jobs of messages that were taken out of the DLQ, which are no longer wanted.

        Those that `takes` chose beyond that are wanted still: the queue did not take them, or a limit was reached.
        """
        self._taken.clear()
        return [self.wanted.pop(ref) for message in receive(deliveries) if (ref := ref_in(message)) in self.wanted]

    def _admits(self, envelope: Envelope) -> bool:
        try:
            self.admit(envelope)
        except TidemillError as error:
            self.refused[envelope.ref] = error
            del self.wanted[envelope.ref]
            return False
        return True
