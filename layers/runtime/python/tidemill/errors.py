"""The errors that Tidemill raises, for `except`.

Each derives from `TidemillError`, says what happened, where and the fix, and holds its data as
attributes; `retryable` says whether the same call may succeed later without change. What a job
raises to steer its own retries (`PermanentError`, `TransientError`, `RateLimitedError`) is in
`tidemill` itself.
"""

from tidemill.connect import ConnectError, StackNotFoundError, StackOutputsError
from tidemill.domain.errors import (
    BatchNotFoundError,
    BatchUnfinishedError,
    CodeChangedError,
    DefinitionError,
    FenceLostError,
    InputError,
    IntegrityError,
    InvalidArgsError,
    JobFailedError,
    JobFinalError,
    JobNotFoundError,
    JobStateError,
    JobUnfinishedError,
    KeyConflictError,
    MalformedMessageError,
    NothingMatchedError,
    PayloadGoneError,
    PlainMessageError,
    SettingsError,
    StepError,
    TidemillError,
    UnansweredError,
    UnavailableError,
    UnknownKindError,
    Violation,
)
from tidemill.domain.saga_errors import SagaNotFoundError, SagaStateError
from tidemill.domain.schedule_errors import (
    ScheduleExistsError,
    ScheduleNotFoundError,
    StaleVersionError,
    TooManySchedulesError,
)

__all__ = (
    "BatchNotFoundError",
    "BatchUnfinishedError",
    "CodeChangedError",
    "ConnectError",
    "DefinitionError",
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
    "NothingMatchedError",
    "PayloadGoneError",
    "PlainMessageError",
    "SagaNotFoundError",
    "SagaStateError",
    "ScheduleExistsError",
    "ScheduleNotFoundError",
    "SettingsError",
    "StackNotFoundError",
    "StackOutputsError",
    "StaleVersionError",
    "StepError",
    "TidemillError",
    "TooManySchedulesError",
    "UnansweredError",
    "UnavailableError",
    "UnknownKindError",
    "Violation",
)
