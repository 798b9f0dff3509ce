"""What the service layer asks of the outside world, in the verbs of the lifecycle.

Every implementation passes one contract suite (`tests/contract`). A call that touches many jobs
answers per job, in the order asked, and never fails as a whole because of one of them.
"""

from tidemill.domain.ports.batches import BatchStore, DueBatches, Mark
from tidemill.domain.ports.operations import AuditPage, AuditTrail, Clock, Telemetry
from tidemill.domain.ports.outbox import EventBus, Outbox, OutboxPage
from tidemill.domain.ports.queues import DeadLetterQueue, JobQueue, Send
from tidemill.domain.ports.records import (
    Answer,
    AttemptFailure,
    Claim,
    Conclusion,
    JobReader,
    JobStore,
    Page,
    Refused,
    Unwritten,
    Written,
)
from tidemill.domain.ports.remembered import EntityOrder, JobMemory, Parcel, Payloads
from tidemill.domain.ports.sagas import (
    Execution,
    Executions,
    ExecutionStatus,
    HistoryEvent,
    Left,
    Report,
    TaskReports,
    TaskTokens,
)
from tidemill.domain.ports.schedules import Kept, ScheduleAnswer, SchedulePage, ScheduleStore, Stale, VersionPage
from tidemill.domain.ports.waits import JobWaits

__all__ = [
    "Answer",
    "AttemptFailure",
    "AuditPage",
    "AuditTrail",
    "BatchStore",
    "Claim",
    "Clock",
    "Conclusion",
    "DeadLetterQueue",
    "DueBatches",
    "EntityOrder",
    "EventBus",
    "Execution",
    "ExecutionStatus",
    "Executions",
    "HistoryEvent",
    "JobMemory",
    "JobQueue",
    "JobReader",
    "JobStore",
    "JobWaits",
    "Kept",
    "Left",
    "Mark",
    "Outbox",
    "OutboxPage",
    "Page",
    "Parcel",
    "Payloads",
    "Refused",
    "Report",
    "ScheduleAnswer",
    "SchedulePage",
    "ScheduleStore",
    "Send",
    "Stale",
    "TaskReports",
    "TaskTokens",
    "Telemetry",
    "Unwritten",
    "VersionPage",
    "Written",
]
