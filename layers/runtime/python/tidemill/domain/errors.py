"""The one tree of errors.

::

    TidemillError
    |-- DefinitionError        a job, lane or registry that can't be built
    |-- SettingsError          the environment of a function is incomplete or ill-formed
    |-- InputError             bad input from a caller; nothing was written
    |   |-- UnknownKindError
    |   |-- InvalidArgsError
    |   `-- MalformedMessageError
    |-- KeyConflictError       the idempotency key belongs to a job with other arguments
    |-- JobFinalError          the key's job is final and its kind refuses a rerun
    |-- JobNotFoundError
    |-- JobStateError          the job's state does not allow the verb
    |-- IntegrityError         a stored thing is not what its writer said
    `-- UnavailableError       AWS did not answer or throttled; the call may be repeated

A message says what happened, where, and the fix. The data is on the error, and `retryable` says
whether the same call may succeed later without change.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class TidemillError(Exception):
    """Base of every error that Tidemill raises."""

    code: ClassVar[str] = "error"
    retryable: ClassVar[bool] = False


class DefinitionError(TidemillError):
    """A job, lane or registry was declared with values that can't work. Raised while it is built."""

    code = "definition"


class SettingsError(TidemillError):
    """A variable of the env contract is missing or ill-formed. Raised at cold start."""

    code = "settings"

    def __init__(self, variable: str, problem: str) -> None:
        super().__init__(
            f"environment variable {variable} {problem}. Fix: deploy with TidemillPipeline, which sets it, "
            "or take the output of `tidemill local env`"
        )
        self.variable = variable


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing wrong with an input: where (`args.width`, `delay`, ...), what, and a stable code."""

    field: str
    problem: str
    code: str = "invalid"

    def __str__(self) -> str:
        return f"{self.field}: {self.problem}"


class InputError(TidemillError):
    """Input from outside was refused before anything was written. `violations` names each field."""

    code = "invalid_input"

    def __init__(self, *violations: Violation) -> None:
        super().__init__("; ".join(str(violation) for violation in violations))
        self.violations = violations

    @classmethod
    def at(cls, field: str, problem: str, code: str = "invalid") -> InputError:
        """An error with a single violation."""
        return cls(Violation(field, problem, code))


class UnknownKindError(InputError):
    """No job of this kind is registered."""

    code = "unknown_kind"


class InvalidArgsError(InputError):
    """The arguments do not fit the kind's model."""

    code = "invalid_args"


class MalformedMessageError(InputError):
    """A queue message is no envelope and no plain `{"kind", "args"}` message either."""

    code = "malformed_message"


class KeyConflictError(TidemillError):
    """The idempotency key was used before with other arguments. Use another key or the same arguments."""

    code = "key_conflict"

    def __init__(self, key: str, job_id: str) -> None:
        super().__init__(
            f"key {key!r} already belongs to job {job_id}, which has other arguments. "
            "Fix: submit the same arguments or choose another key"
        )
        self.key = key
        self.job_id = job_id


class JobFinalError(TidemillError):
    """The key's first job is over and its kind says `on_final=refuse`."""

    code = "job_final"

    def __init__(self, key: str, job_id: str, state: str) -> None:
        super().__init__(
            f"key {key!r} belongs to job {job_id}, which is {state}, and its kind refuses a rerun. "
            "Fix: choose another key, or redrive the job"
        )
        self.key = key
        self.job_id = job_id
        self.state = state


class JobNotFoundError(TidemillError):
    """No such job for this tenant: never submitted, or past its retention."""

    code = "job_not_found"

    def __init__(self, tenant: str, job_id: str) -> None:
        super().__init__(f"tenant {tenant!r} has no job {job_id!r}. Fix: check the id, the tenant and the retention")
        self.tenant = tenant
        self.job_id = job_id


class JobStateError(TidemillError):
    """The job's state does not allow the verb, e.g. cancelling what already runs."""

    code = "job_state"

    def __init__(self, verb: str, job_id: str, state: str, fix: str) -> None:
        super().__init__(f"job {job_id} is {state}: it can't be {verb}. Fix: {fix}")
        self.verb = verb
        self.job_id = job_id
        self.state = state


class IntegrityError(TidemillError):
    """Stored bytes do not match what their writer recorded."""

    code = "integrity"


class UnavailableError(TidemillError):
    """AWS throttled, timed out or failed; nothing is known to be wrong with the request."""

    code = "unavailable"
    retryable = True

    def __init__(self, operation: str, cause: str) -> None:
        super().__init__(f"{operation} is unavailable ({cause}). Fix: repeat the call with the same key or id")
        self.operation = operation
        self.cause = cause
