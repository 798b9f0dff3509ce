"""The one tree of errors.

::

    TidemillError
    |-- DefinitionError        a job, lane or registry that can't be built
    |-- SettingsError          the environment of a function is incomplete or ill-formed
    |-- InputError             bad input from a caller; nothing was written
    |   |-- UnknownKindError
    |   |-- InvalidArgsError
    |   |   `-- UpcastError    (this one and the next: domain/version_errors.py) an upcaster failed
    |   |-- NewerVersionError  arguments or data of a version that this code does not know yet
    |   |-- MalformedMessageError
    |   |-- PlainMessageError  a message of another system on a FIFO lane
    |   |-- StepError          a step, result or cursor that can't be remembered
    |   `-- UnknownEventError  (this one and the next four: domain/store_errors.py) not one of its stream's events
    |-- AppendConflictError    somebody else appended to the stream first
    |-- AppendedBeforeError    the key of an append was used before
    |-- ProjectionNotFoundError
    |-- RebuildError           a rebuild can't begin or end as asked
    |-- KeyConflictError       the idempotency key belongs to a job with other arguments
    |-- JobFinalError          the key's job is final and its kind refuses a rerun
    |-- JobNotFoundError
    |-- BatchNotFoundError     (domain/batch_errors.py)
    |-- JobStateError          the job's state does not allow the verb
    |-- ScheduleNotFoundError
    |-- ScheduleExistsError    another schedule has the name
    |-- StaleVersionError      the schedule was changed since the version that the caller knows
    |-- TooManySchedulesError  the tenant has as many as one may have
    |-- SagaNotFoundError      (this one and the next: domain/saga_errors.py)
    |-- SagaStateError         the saga's state does not allow the verb
    |-- JobFailedError         (domain/reply_errors.py) a job that somebody waited for ended otherwise than well
    |-- JobUnfinishedError     a job that somebody waited for goes on
    |-- NothingMatchedError    a filter of the DLQ desk matches no dead job and no message
    |-- FenceLostError         the attempt's job now belongs to another worker, or to nobody
    |-- CodeChangedError       remembered steps are of another version of the code
    |-- WaitTimeoutError       nobody answered the job in time
    |-- AnswerRefusedError     a job takes this answer no more: AnsweredError (it has another one), AnswerLateError
    |-- AnswerTokenError       a token that nobody here has made
    |-- EndpointNotFoundError  (this one and the next five: domain/webhook_errors.py)
    |-- EndpointExistsError    the tenant has an endpoint of this name
    |-- RotationError          the secret before still signs
    |-- WebhookSignatureError  a received webhook can't be believed
    |-- ForbiddenAddressError  a receiver's name leads to an address that is not public
    |-- UnreachableError       a receiver did not answer
    |-- PayloadGoneError       stored bytes are past their retention
    |-- IntegrityError         a stored thing is not what its writer said
    |   `-- StreamBrokenError  a stream does not hold what was appended (domain/store_errors.py)
    `-- UnavailableError       AWS did not answer or throttled; the call may be repeated
        |-- UnansweredError    the same of a job that somebody waits for
        `-- BatchUnfinishedError  not every child of a batch was submitted

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
    """A variable of the env contract is missing or ill-formed. Raised at cold start, or where it is first needed."""

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


class PlainMessageError(InputError):
    """A plain message was sent to the queue of a FIFO lane, which takes envelopes only."""

    code = "plain_on_fifo"

    def __init__(self, lane: str) -> None:
        super().__init__(
            Violation(
                "body",
                f"is no envelope, and lane {lane!r} is FIFO: a plain message can't be made a job and keep its place. "
                "Fix: submit it through the API or a client, or send it to a standard lane's queue with "
                f'"lane": "{lane}" and its entity',
                "plain_on_fifo",
            )
        )


class StepError(InputError):
    """A job asked to remember what can't be remembered: nothing was recorded by this call."""

    code = "step"


class KeyConflictError(TidemillError):
    """The idempotency key was used before with other arguments. Use another key or the same arguments."""

    code = "key_conflict"

    def __init__(self, key: str, job_id: str, *, batch: bool = False) -> None:
        owner = (
            f"batch {job_id}, which asks for something else" if batch else f"job {job_id}, which has other arguments"
        )
        fix = "start the same flow" if batch else "submit the same arguments"
        super().__init__(f"key {key!r} already belongs to {owner}. Fix: {fix} or choose another key")
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


class NothingMatchedError(TidemillError):
    """A filter of the DLQ desk matches nothing; nothing was changed."""

    code = "nothing_matched"

    def __init__(self, what: str, chosen: str) -> None:
        super().__init__(
            f"no {what} matches {chosen}; nothing was changed. Fix: see what there is with `tidemill dlq ls`, "
            "and leave parts of the filter out"
        )
        self.chosen = chosen


class FenceLostError(TidemillError):
    """This attempt no longer holds its job: its lease ended, or its timeout passed. Nothing it does is recorded."""

    code = "fence_lost"

    def __init__(self, job_id: str, fence: int) -> None:
        super().__init__(
            f"attempt {fence} of job {job_id} lost its lease: the job belongs to another worker now, or is over. "
            "Fix: let this error pass; give the job a longer timeout or a heartbeat if it happens often"
        )
        self.job_id = job_id
        self.fence = fence


class CodeChangedError(TidemillError):
    """A job with remembered steps met another version of the code, and its kind does not go on from them.

    `reason` is what the dead job carries: `code_changed` or `steps_changed`. Caught or not, it ends the job.
    """

    code = "code_changed"

    def __init__(self, reason: str, problem: str) -> None:
        super().__init__(
            f"{problem}. Fix: redrive the job so that it forgets its steps (restart, or from the first step that "
            "changed), or deploy the code that recorded them"
        )
        self.reason = reason


class PayloadGoneError(TidemillError):
    """The stored bytes of a large argument or result were deleted, or can't be told from such.

    Arguments:
        denied: S3 refused the reader. To one that may not list the bucket, it says so of what is gone, too.
        step: whose result they are.
    """

    code = "payload_gone"

    def __init__(self, job_id: str, name: str, *, denied: bool = False, step: str | None = None) -> None:
        problem = "are gone: their retention is over, or they were deleted"
        # Submitted again, the job would do all of its steps again.
        fix = "submit the job again" if step is None else f"redrive the job from step {step!r}, which is done again"
        if denied:
            problem = "are gone, or this role may not read the payload bucket: S3 does not tell which"
            fix = f"check the role; if it is as deployed, {fix}"
        super().__init__(f"the stored bytes {name} of job {job_id} {problem}. Fix: {fix}")
        self.job_id = job_id
        self.name = name
        self.denied = denied


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
