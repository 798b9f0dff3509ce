"""The errors that Tidemill raises, for `except`.

Each derives from `TidemillError`, says what happened, where and the fix, and holds its data as
attributes; `retryable` says whether the same call may succeed later without change. What a job
raises to steer its own retries (`PermanentError`, `TransientError`, `RateLimitedError`) is in
`tidemill` itself.
"""

from tidemill.connect import ConnectError, StackNotFoundError, StackOutputsError
from tidemill.domain.answer_errors import (
    AnsweredError,
    AnswerLateError,
    AnswerRefusedError,
    AnswerTokenError,
    WaitTimeoutError,
)
from tidemill.domain.batch_errors import BatchNotFoundError, BatchUnfinishedError
from tidemill.domain.errors import (
    CodeChangedError,
    DefinitionError,
    FenceLostError,
    InputError,
    IntegrityError,
    InvalidArgsError,
    JobFinalError,
    JobNotFoundError,
    JobStateError,
    KeyConflictError,
    MalformedMessageError,
    NothingMatchedError,
    PayloadGoneError,
    PlainMessageError,
    SettingsError,
    StepError,
    TidemillError,
    UnavailableError,
    UnknownKindError,
    Violation,
)
from tidemill.domain.replay_errors import ArchiveError, ReplayExistsError, ReplayNotFoundError, ReplayOverError
from tidemill.domain.reply_errors import JobFailedError, JobUnfinishedError, UnansweredError
from tidemill.domain.saga_errors import SagaNotFoundError, SagaStateError
from tidemill.domain.schedule_errors import (
    ScheduleExistsError,
    ScheduleNotFoundError,
    StaleVersionError,
    TooManySchedulesError,
)
from tidemill.domain.store_errors import (
    AppendConflictError,
    AppendedBeforeError,
    ProjectionNotFoundError,
    RebuildError,
    StreamBrokenError,
    UnknownEventError,
)
from tidemill.domain.version_errors import NewerVersionError, UpcastError
from tidemill.domain.webhook_errors import (
    EndpointExistsError,
    EndpointNotFoundError,
    RotationError,
    WebhookSignatureError,
)

__all__ = (
    "AnswerLateError",
    "AnswerRefusedError",
    "AnswerTokenError",
    "AnsweredError",
    "AppendConflictError",
    "AppendedBeforeError",
    "ArchiveError",
    "BatchNotFoundError",
    "BatchUnfinishedError",
    "CodeChangedError",
    "ConnectError",
    "DefinitionError",
    "EndpointExistsError",
    "EndpointNotFoundError",
    "FenceLostError",
    "InputError",
    "IntegrityError",
    "InvalidArgsError",
    "JobFailedError",
    "JobFinalError",
    "JobNotFoundError",
    "JobStateError",
    "JobUnfinishedError",
    "KeyConflictError",
    "MalformedMessageError",
    "NewerVersionError",
    "NothingMatchedError",
    "PayloadGoneError",
    "PlainMessageError",
    "ProjectionNotFoundError",
    "RebuildError",
    "ReplayExistsError",
    "ReplayNotFoundError",
    "ReplayOverError",
    "RotationError",
    "SagaNotFoundError",
    "SagaStateError",
    "ScheduleExistsError",
    "ScheduleNotFoundError",
    "SettingsError",
    "StackNotFoundError",
    "StackOutputsError",
    "StaleVersionError",
    "StepError",
    "StreamBrokenError",
    "TidemillError",
    "TooManySchedulesError",
    "UnansweredError",
    "UnavailableError",
    "UnknownEventError",
    "UnknownKindError",
    "UpcastError",
    "Violation",
    "WaitTimeoutError",
    "WebhookSignatureError",
)
