"""The errors of waits and answers; their places in the tree are in `tidemill.domain.errors`."""

from __future__ import annotations

from tidemill.domain.errors import TidemillError


class WaitTimeoutError(TidemillError):
    """Nobody answered the job in time. Raised in the job where it waits, on every attempt alike.

    An answer that comes later is refused. Uncaught, it ends the job as dead with reason `wait_timed_out`.

    Attributes:
        ended_at: when the job gave up, Unix milliseconds.
    """

    code = "wait_timed_out"

    def __init__(self, job_id: str, name: str, ended_at: int) -> None:
        super().__init__(
            f"nobody answered {name!r} of job {job_id} in time. Fix: catch this in the job and decide without, or "
            f"redrive the job from step {name!r}, which asks anew"
        )
        self.job_id = job_id
        self.name = name
        self.ended_at = ended_at


class AnswerRefusedError(TidemillError):
    """A job takes this answer no more; nothing was written."""

    code = "answer_refused"


class AnsweredError(AnswerRefusedError):
    """The job has another answer: `by` gave it at `at` (Unix milliseconds), by these `means`."""

    code = "answered"

    def __init__(self, job_id: str, name: str, by: str, at: int, means: str) -> None:
        super().__init__(
            f"{name!r} of job {job_id} was answered otherwise, by {by}. Fix: look at the job; what was decided stands"
        )
        self.job_id = job_id
        self.name = name
        self.by = by
        self.at = at
        self.means = means


class AnswerLateError(AnswerRefusedError):
    """The time for this answer is over since `ended_at` (Unix milliseconds), None if that is not known."""

    code = "answer_late"

    def __init__(self, job_id: str, name: str, problem: str, ended_at: int | None = None) -> None:
        super().__init__(f"{name!r} of job {job_id} can't be answered: {problem}. Fix: look at the job, and ask for it")
        self.job_id = job_id
        self.name = name
        self.ended_at = ended_at


class AnswerTokenError(TidemillError):
    """A token that was not made here, or was changed. Nothing of any job was read."""

    code = "answer_token"

    def __init__(self) -> None:
        super().__init__("this is no token that was made here. Fix: use the whole link as it was sent, or ask for one")
