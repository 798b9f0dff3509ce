"""The queues in SQS. See `tidemill.domain.ports.JobQueue` and `DeadLetterQueue`."""

from __future__ import annotations

from tidemill.aws.dead_letters import SqsDeadLetters
from tidemill.aws.queue import SqsJobQueue

__all__ = ("SqsDeadLetters", "SqsJobQueue")
