"""The errors that Tidemill raises, for `except`.

Each derives from `TidemillError`, says what happened, where and the fix, and holds its data as
attributes; `retryable` says whether the same call may succeed later without change. What a job
raises to steer its own retries (`PermanentError`, `TransientError`, `RateLimitedError`) is in
`tidemill` itself.
"""

from tidemill.connect import ConnectError, StackNotFoundError, StackOutputsError
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
    SagaNotFoundError,
    SagaStateError,
    SettingsError,
    StepError,
    TidemillError,
    UnavailableError,
    UnknownKindError,
    Violation,
)

__all__ = (
    "CodeChangedError",
    "ConnectError",
    "DefinitionError",
    "FenceLostError",
    "InputError",
    "IntegrityError",
    "InvalidArgsError",
    "JobFinalError",
    "JobNotFoundError",
    "JobStateError",
    "KeyConflictError",
    "MalformedMessageError",
    "NothingMatchedError",
    "PayloadGoneError",
    "PlainMessageError",
    "SagaNotFoundError",
    "SagaStateError",
    "SettingsError",
    "StackNotFoundError",
    "StackOutputsError",
    "StepError",
    "TidemillError",
    "UnavailableError",
    "UnknownKindError",
    "Violation",
)
