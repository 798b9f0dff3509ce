"""What the service layer asks of the outside world, in the verbs of the lifecycle.

Every implementation passes one contract suite (`tests/contract`). A call that touches many jobs
answers per job, in the order asked, and never fails as a whole because of one of them.
"""

from tidemill.domain.ports.batches import BatchStore, DueBatches, Mark
from tidemill.domain.ports.events import Beside, EventStore, ScanPage, Snapshot, StreamPage
from tidemill.domain.ports.lines import HaltedPage, LinePage, LineStore
from tidemill.domain.ports.operations import AuditPage, AuditTrail, Clock, Telemetry
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
    Event,
    Execution,
    Executions,
    ExecutionStatus,
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
    "Beside",
    "Claim",
    "Clock",
    "Conclusion",
    "DeadLetterQueue",
    "DueBatches",
    "EntityOrder",
    "Event",
    "EventStore",
    "Execution",
    "ExecutionStatus",
    "Executions",
    "HaltedPage",
    "JobMemory",
    "JobQueue",
    "JobReader",
    "JobStore",
    "JobWaits",
    "Kept",
    "LinePage",
    "LineStore",
    "Mark",
    "Page",
    "Parcel",
    "Payloads",
    "Refused",
    "Report",
    "ScanPage",
    "ScheduleAnswer",
    "SchedulePage",
    "ScheduleStore",
    "Send",
    "Snapshot",
    "Stale",
    "StreamPage",
    "TaskReports",
    "TaskTokens",
    "Telemetry",
    "Unwritten",
    "VersionPage",
    "Written",
]
