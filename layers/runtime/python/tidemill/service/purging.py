"""Deleting messages from a DLQ for good. The records of their jobs stay as evidence, with arguments and errors."""

from __future__ import annotations

from dataclasses import dataclass

from tidemill.domain.job import Job
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import DeadLetterQueue, JobReader
from tidemill.service.dead_filter import Filter
from tidemill.service.letters import ref_in
from tidemill.service.reception import receive
from tidemill.service.refusal import is_refusal


@dataclass(frozen=True, slots=True)
class Purgeable:
    """What a purge of one lane would delete.

    Attributes:
        messages: their ids, each with the record of its job.
        refusals: how many of them are plain messages that were refused, which nothing can bring back afterwards.
        kept: messages that the filter may mean and that stay: no record says yet that their job is over. The
            janitor's census records such deaths within minutes.
        unseen: about how many messages were not looked at: there are more than the search takes, or, in a FIFO lane,
            they are behind others of their entity. A purge leaves them where they are.
    """

    lane: str
    messages: dict[str, Job]
    refusals: int
    kept: int
    unseen: int = 0


@dataclass(frozen=True, slots=True)
class Purging:
    """Looks before it deletes."""

    reader: JobReader
    dead_letters: DeadLetterQueue

    def look(self, lane: str, wanted: Filter, search: int) -> Purgeable:
        """What of the first `search` messages of a lane's DLQ the filter means.

        Raises:
            UnavailableError: AWS did not answer.
        """
        found = receive(self.dead_letters.peek(lane, search))
        records = self.reader.find([ref_in(message) for message in found]) if found else []
        messages: dict[str, Job] = {}
        kept = 0
        for message, job in zip(found, records, strict=True):
            if job is None or not _is_evidence(job):
                kept += wanted.tenant in (None, ref_in(message).tenant)
            elif wanted.matches(job):
                messages[message.delivery.message_id] = job
        # After the look: what came meanwhile is left, too.
        unseen = max(self.dead_letters.depth(lane) - len(found), 0)
        return Purgeable(lane, messages, sum(map(is_refusal, messages.values())), kept, unseen)

    def purge(self, purgeable: Purgeable, search: int) -> list[Job]:
        """Delete these messages; answers the jobs of those that are gone.

        A message that was put back meanwhile has another id by now, and stays.

        Raises:
            UnavailableError: AWS did not answer; what was deleted before is gone.
        """
        messages = purgeable.messages
        gone = self.dead_letters.purge(
            purgeable.lane, lambda delivery: delivery.message_id in messages, len(messages), search
        )
        return [messages[delivery.message_id] for delivery in gone]


def _is_evidence(job: Job) -> bool:
    """Whether the record tells all that the message could: the job is over, and if it is dead it can run again."""
    return job.state.is_final and (job.state is not State.DEAD or job.owns_args or is_refusal(job))
