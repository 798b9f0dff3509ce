"""What a job's function is told about its own run, and what it can do in it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ParamSpec, TypeVar, overload

from tidemill.domain.lifeline import Lifeline
from tidemill.domain.undone import Undone

if TYPE_CHECKING:
    from tidemill.domain.args import JobArgs
    from tidemill.domain.event import Event
    from tidemill.domain.heard import Heard

P = ParamSpec("P")
T = TypeVar("T")


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
        scheduled_at_ms: the time of the schedule that made the job, Unix time in milliseconds; None if none did.
        heard: the fact that the job was made of; None if no subscription made it.
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
    heard: Heard | None = None

    @property
    def is_stale(self) -> bool:
        """On a FIFO lane, whether a later job of the entity has finished, or this one: what it would write is old."""
        last = self.previous_sequence
        return last is not None and self.sequence is not None and last >= self.sequence

    @property
    def scheduled_at(self) -> datetime | None:
        """The time of its schedule, or of its trigger, that the job was made for, in UTC; None if no schedule made it.

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

        It is the last part of what `answer_link` makes: GET on `<the API's address>/answers/<token>` shows what is
        asked, POST answers. The first answer counts, whoever gives it. It is for this generation of the job alone.

        Arguments:
            to: whom it is for, at most 128 printable ASCII characters, readable in the token and beside the answer.
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
        A program gets JSON there, and may POST it. It holds a token: arguments, limits and errors are `answer_token`'s.

        Raises:
            SettingsError: the worker was not told where the HTTP API is.
        """
        return self.lifeline.answer_link(name, to, lasts)

    def publish(self, event: Event, *, subject: str | None = None, sequence: int | None = None) -> str:
        """Publish a fact if, and once, this job has succeeded; answers the fact's id.

        Nothing happens before: the fact is written in one transaction with the job's success, and the relay puts it on
        the bus afterwards, at least once. An attempt that fails, is retried, hands over, waits or loses its job
        publishes nothing. Each fact costs two write units a kilobyte, and one when it was sent.

        Arguments:
            event: of a type that the registry lists. `subject`: what it is about, such as `order/7`.
            sequence: its number among the facts of its subject, 0 to 2^53 - 1.

        Raises:
            InputError: the type is not listed, an argument is bad, the data is over 128 KiB, or the job would commit
                over 90 facts and jobs, or over 3 MiB.
            StepError: it is asked for within a step, which later attempts leave out.
            FenceLostError: the job belongs to another worker by now.
        """
        return self.lifeline.publish(event, subject, sequence)

    def submit(
        self,
        args: JobArgs,
        *,
        key: str | None = None,
        tenant: str | None = None,
        lane: str | None = None,
        delay: timedelta | None = None,
        run_at: datetime | None = None,
        expires_in: timedelta | None = None,
    ) -> str:
        """Submit a job if, and once, this one has succeeded; answers its id. As `publish`, and at its cost.

        The options are those of `Submission`; by default it is of this job's tenant. Where the job is to exist whatever
        becomes of this one, use the client.

        Raises:
            InputError, StepError, FenceLostError: as `publish`; or the lane is FIFO, whose order the relay can't keep.
            UnavailableError: large arguments could not be stored.
        """
        given = {"key": key, "tenant": tenant, "lane": lane, "delay": delay, "run_at": run_at, "expires_in": expires_in}
        return self.lifeline.submit(args, {name: value for name, value in given.items() if value is not None})

    @property
    def cancel_asked(self) -> bool:
        """Whether somebody asked to cancel the job, as far as the last sign of life told."""
        return self.lifeline.cancel_asked

    @property
    def time_left(self) -> timedelta:
        """Until this attempt's hard timeout."""
        return self.lifeline.time_left
