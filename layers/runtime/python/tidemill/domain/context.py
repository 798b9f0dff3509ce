"""What a job's function is told about its own run, and what it can do in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, Protocol, TypeVar, overload

if TYPE_CHECKING:
    from tidemill.domain.waiting import Question

from tidemill.domain.undone import Undone

P = ParamSpec("P")
T = TypeVar("T")


class Lifeline(Protocol):
    """One attempt's hold on its job. `JobContext` says what each of these does."""

    @property
    def cancel_asked(self) -> bool:
        """Whether the job was asked to stop."""

    @property
    def time_left(self) -> timedelta:
        """Until the hard timeout."""

    @property
    def cursor(self) -> Any:
        """The last checkpoint."""

    def step(self, name: str, function: Callable[[], Any], returns: Any) -> Any:
        """Call once, and remember what it returned as `returns`."""

    async def step_async(self, name: str, function: Callable[[], Awaitable[Any]], returns: Any) -> Any:
        """The same for a coroutine function."""

    def step_key(self, name: str) -> str:
        """The idempotency key of a step's effect."""

    def checkpoint(self, cursor: object) -> None:
        """Record the cursor, and hand over if the time is nearly up."""

    def heartbeat(self) -> None:
        """Say that the job lives."""

    def progress(self, done: int, total: int | None, note: str | None) -> None:
        """Show how far it is."""

    def wait_for(self, question: Question) -> Any:
        """Wait for an answer from outside."""

    def answer_token(self, name: str, to: str, lasts: timedelta) -> str:
        """A token that lets somebody answer."""

    def answer_link(self, name: str, to: str, lasts: timedelta) -> str:
        """The address of a page on which somebody can answer."""


@dataclass(frozen=True, slots=True)
class JobContext:
    """One attempt of one job. Frozen: a job can't change what the engine believes.

    Made by the engine; `tidemill.testing.context()` makes one for a test that calls a job's function directly.

    Attributes:
        job_id: the job's id, equal on every attempt.
        tenant: whose job it is.
        kind: the kind under which it was submitted (an alias, if it was).
        lane: the lane whose worker runs it.
        attempt: this attempt's number in its generation, from 1. Deferrals give theirs back.
        generation: 1, and one more for each redrive or rerun.
        submitted_at_ms: when the job was accepted, Unix time in milliseconds.
        deadline_ms: when this attempt ends whatever it does, Unix time in milliseconds.
        correlation_id: carried from the submitter through everything the job causes.
        entity: on a FIFO lane, what the job is about; jobs of one entity run in the order they were sent.
        sequence: the job's number among those of its entity. `previous_sequence`: that of the last one of the
            entity that finished, None if there is none: a greater gap than 1 is a lost job, a greater number
            than `sequence` means that this message is stale.
        undoes: in the compensation of a saga's step, what became of the step.
        scheduled_at_ms: the time of its schedule that the job was made for, Unix time in milliseconds; None if no
            schedule made it.
    """

    job_id: str
    tenant: str
    kind: str
    lane: str
    attempt: int
    generation: int
    submitted_at_ms: int
    deadline_ms: int
    correlation_id: str
    lifeline: Lifeline = field(repr=False, compare=False)
    entity: str | None = None
    sequence: int | None = None
    previous_sequence: int | None = None
    undoes: Undone | None = None
    scheduled_at_ms: int | None = None

    @property
    def scheduled_at(self) -> datetime | None:
        """The time of its schedule that the job was made for, in UTC; None if no schedule made it.

        Work on this and not on the clock: a tick may be late, and a retry later still.
        """
        return None if self.scheduled_at_ms is None else datetime.fromtimestamp(self.scheduled_at_ms / 1000, UTC)

    @overload
    def step(
        self, name: str, function: Callable[P, Awaitable[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> Awaitable[T]: ...
    @overload
    def step(self, name: str, function: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T: ...
    def step(self, name: str, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        """Call `function` once for this job and remember what it returned.

        On later attempts, after a hand-over and after a redrive the remembered value is returned and `function`
        is not called. The value is what JSON makes of it, and is read back as the function's annotated return
        type; the first call answers it in the same form, so that no attempt sees another value than the next.

        Once `function` has returned, that is recorded before anything else reaches the job: a timeout waits for it
        (a hard one for a second), and so does a request to stop. A worker that dies after the effect and before the
        record leaves nothing behind: the next attempt calls `function` again. Hand `step_key(name)` to a dependency
        that can recognise a repeated request. A step whose function raised may be tried again at once.

        A job that was killed, cancelled or taken over hears it at the most five seconds late (see `heartbeat`): until
        then it may begin a step, whose effect happens and is recorded.

        Arguments:
            name: 1 to 64 printable ASCII characters, unique within the job; at most 256 steps, failed ones too.
            function: plain or `async def` (then await the step), but not a lambda that calls the latter.

        Raises:
            StepError: the name was used before in this attempt or can't be one, the value is not JSON or
                larger than 5 MiB, or the job has too many steps. It ends the job as dead unless caught.
            CodeChangedError: another version of the code did steps, and the kind does not go on from those (see
                OnCodeChange); `function` was not called. It ends the job as dead, caught or not.
            FenceLostError: the job belongs to another worker by now, or was killed. Nothing was recorded; if
                `function` was called, its effect is left as it is.
            UnavailableError: the record could not be read or written. The effect may have happened.
            JobCancelled: the job was asked to stop, and nothing remembers this step; `function` was not called.
                Raised once in an attempt: the clean-up may use steps.
        """
        from tidemill.domain.returning import is_async, returned_by

        returns = returned_by(function)
        if is_async(function):
            return self.lifeline.step_async(name, lambda: function(*args, **kwargs), returns)
        return self.lifeline.step(name, lambda: function(*args, **kwargs), returns)

    def step_key(self, name: str) -> str:
        """An idempotency key for the effect of a step: equal on every attempt, at most 160 characters.

        A redrive that forgets the step makes a new key, because the effect is wanted again.

        Raises:
            StepError, CodeChangedError, FenceLostError, UnavailableError: as `step`.
        """
        return self.lifeline.step_key(name)

    @property
    def cursor(self) -> Any:
        """What the last checkpoint recorded, None before the first.

        Raises:
            CodeChangedError, FenceLostError, UnavailableError: as `step`.
        """
        return self.lifeline.cursor

    def checkpoint(self, cursor: object) -> None:
        """Record how far the job is, and go on in a next invocation if little time is left for this one.

        With less than a tenth of the time left to the job's soft timeout, or to its timeout if it has none, it does
        not return: the attempt ends, nothing is spent, and the next invocation finds the cursor. Write the loop so
        that it starts from `ctx.cursor`, and checkpoint more often than once in that tenth.

        Arguments:
            cursor: any JSON value of at most 4,096 bytes.

        Raises:
            StepError: the cursor is no JSON or too large, or the job has been handed over 1,000 times.
            FenceLostError: the job belongs to another worker by now; nothing was recorded.
            UnavailableError: it could not be written.
            CodeChangedError: as `step`.
            JobCancelled: the job was asked to stop; the cursor was not recorded. Raised once in an attempt.
        """
        self.lifeline.checkpoint(cursor)

    def heartbeat(self) -> None:
        """Say that the job is alive: its lease and its message's visibility last longer, and a cancel is noticed.

        Calls within five seconds of the last one cost nothing and write nothing.

        Raises:
            FenceLostError: the job belongs to another worker by now, or was killed: stop.
            JobCancelled: the job was asked to stop. Raised once in an attempt, and not before the job has asked for
                all steps that earlier attempts did: it would not know yet what to clean up.
        """
        self.lifeline.heartbeat()

    def progress(self, done: int, total: int | None = None, note: str | None = None) -> None:
        """Show how far the job is. Also a heartbeat; written at most every five seconds.

        Arguments:
            done, total: whole numbers from 0 to 2^53. `note`: at most 40 printable ASCII characters, no quote and
                no backslash.

        Raises:
            InputError: an argument is bad.
            FenceLostError, JobCancelled: as `heartbeat`.
        """
        self.lifeline.progress(done, total, note)

    def wait_for(
        self,
        name: str,
        answer: type[T],
        *,
        timeout: timedelta,
        remind: Sequence[timedelta] = (),
        reminder: Callable[[int], object] | None = None,
        asks: str = "",
    ) -> T:
        """Wait until somebody outside answers, which costs nothing meanwhile: no function runs.

        If the answer is there, it is returned, and remembered like a step: later attempts and redrives see the same.
        If it is not, this attempt ends here and nothing of it is spent; the job runs again from its beginning when it
        is answered, at each reminder, and at the timeout. So do what comes before in steps. An answer that came before
        the job asked is kept and used.

        Arguments:
            name: 1 to 24 characters, declared in `@job(..., answers={name: type})`; no step of the job has it.
            answer: its type, as it is declared.
            timeout: from the first time that the job asks, 1 s to 365 days.
            remind: when `reminder` is called, from the same moment: rising, at most 16, each below the timeout.
            reminder: is called with the number of the reminder, from 1, as a step `<name>/reminder-<number>`. If it
                raises, the attempt fails: let it submit a job that reminds. One that was missed is left out.
            asks: what people are shown of the question, at most 500 characters. It stands in the table, as it is.

        Raises:
            WaitTimeoutError: nobody answered in time. It is remembered too; an answer that comes later is refused.
            StepError: the answer is not declared, or as another type; the name was used before in this attempt; the
                lane is FIFO, where waiting would hold back the job's entity.
            InputError: another argument is bad.
            CodeChangedError, FenceLostError, UnavailableError, JobCancelled: as `step`.
        """
        from tidemill.domain.inquiry import question_of

        answered: T = self.lifeline.wait_for(question_of(name, answer, timeout, remind, reminder, asks))
        return answered

    def answer_token(self, name: str, *, to: str = "", lasts: timedelta = timedelta(days=7)) -> str:
        """A token that lets whoever has it answer `name` of this job, without credentials of AWS.

        It is the last part of the link that `answer_link` makes: GET on `<the API's address>/answers/<token>` shows
        what is asked and POST answers, once: the first answer counts, whoever gives it. It is for this generation of
        the job alone.

        Arguments:
            to: whom it is for, at most 128 printable ASCII characters: that name stands beside the answer. It is
                readable in the token.
            lasts: 1 s to 365 days. It ends with the wait, too.

        Raises:
            StepError: the kind declares no such answer.
            InputError: another argument is bad.
            FenceLostError, UnavailableError: as `step`.
        """
        return self.lifeline.answer_token(name, to, lasts)

    def answer_link(self, name: str, *, to: str = "", lasts: timedelta = timedelta(days=7)) -> str:
        """The link to a page on which whoever has it can answer `name` of this job, without credentials of AWS.

        Send it before the job waits, by mail for one. To open it decides nothing; the form on the page answers, once.
        A program gets JSON there, and may POST it. It holds a token, and what is said of `answer_token` is true of it.

        Arguments:
            to, lasts: as those of `answer_token`.

        Raises:
            SettingsError: the worker was not told where the HTTP API is.
            StepError, InputError, FenceLostError, UnavailableError: as `answer_token`.
        """
        return self.lifeline.answer_link(name, to, lasts)

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody asked to cancel the job, as far as the last sign of life told."""
        return self.lifeline.cancel_asked

    @property
    def time_left(self) -> timedelta:
        """Until this attempt's hard timeout."""
        return self.lifeline.time_left
