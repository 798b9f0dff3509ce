"""One attempt's waits for answers from outside: looked up, asked, reminded of, given up, and remembered as steps."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from tidemill.domain.answer_errors import WaitTimeoutError
from tidemill.domain.answer_token import Grant
from tidemill.domain.errors import InputError, SettingsError, StepError
from tidemill.domain.interrupt import Awaiting
from tidemill.domain.job import Job
from tidemill.domain.memory import Remembered
from tidemill.domain.names import check_answerer
from tidemill.domain.ports import Clock, JobWaits
from tidemill.domain.returning import read_back
from tidemill.domain.waiting import Question, Wait
from tidemill.service.notebook import Notebook
from tidemill.service.tokens import AnswerTokens

_FIELD: Final = "wait_for"
# What is remembered of a wait: one of these and the answer, or when the job gave up.
_ANSWER: Final = "answer"
_TIMED_OUT: Final = "timed_out"


class Steps(Protocol):
    """The attempt's way to do a step and to record an outcome."""

    def step(self, name: str, function: Callable[[], Any], returns: Any) -> Any:
        """Do the step, or answer what is remembered of it."""

    def remember(self, name: str, outcome: dict[str, Any]) -> Any:
        """Record it, and answer it as later attempts will see it."""


@dataclass(frozen=True, slots=True)
class Inquirer:
    """Asks for one attempt of one job.

    Arguments:
        notebook: what the job remembers; an outcome is recorded there under the wait's name.
        answers: what the kind takes, by name. `in_order`: the job runs in a FIFO lane.
        keep_ms: how long a wait is kept from its last write on, milliseconds.
        api_url: where the HTTP API answers, "" where there is none.
    """

    waits: JobWaits
    notebook: Notebook
    clock: Clock
    job: Job
    answers: Mapping[str, Any]
    in_order: bool
    keep_ms: int
    api_url: str = ""

    def check(self, question: Question) -> None:
        """Refuse a question that this job can't ask, or whose answers nobody would know how to check.

        Raises:
            StepError: the lane is FIFO, or the kind does not declare this answer, or another type for it.
        """
        name = question.name
        if self.in_order:
            raise StepError.at(
                _FIELD,
                f"lane {self.job.lane!r} is FIFO: while the job waits, all later jobs of its entity would wait too. "
                "Fix: run it in a standard lane",
                "fifo_lane",
            )
        if name not in self.answers:
            raise self._undeclared(name)
        if self.answers[name] != question.returns:
            raise StepError.at(
                _FIELD,
                f"the answer {name!r} is declared as {self.answers[name]!r}, not as {question.returns!r}. "
                "Fix: wait for the type that is declared",
                "type",
            )

    def answer(self, question: Question, found: Remembered | None, steps: Steps) -> Any:
        """The answer, if it is there.

        Arguments:
            found: the outcome, if the job remembers it.

        Raises:
            Awaiting: it is not there yet; nothing of the attempt goes on.
            WaitTimeoutError: nobody gave one in time.
            StepError: it does not fit the type any more.
            FenceLostError, UnavailableError: it could not be read or recorded.
        """
        if found is not None:
            return self._told(question, self.notebook.read(found))
        wait = self._standing(question)
        if wait.is_open and wait.is_late(self.clock.now_ms()):
            # Whoever comes first counts: the answer, or that there was none.
            wait = self.waits.give_up(self.job.ref, wait, self.clock.now_ms(), self._ttl_s) or wait
        if wait.is_open:
            self._remind(question, wait, steps)
            raise Awaiting(question.name, question.next_at(wait, self.clock.now_ms()))
        return self._told(question, steps.remember(question.name, _outcome(wait)))

    def token(self, name: str, to: str, lasts: object) -> str:
        """See JobContext.answer_token."""
        if name not in self.answers:
            raise self._undeclared(name)
        tokens = AnswerTokens(self.waits, self.clock)
        expires_at = tokens.expiry(lasts)
        return tokens.make(
            Grant(self.job.ref, self.job.generation, name, expires_at, check_answerer(to, "to") if to else "")
        )

    def link(self, name: str, to: str, lasts: object) -> str:
        """See JobContext.answer_link."""
        if not self.api_url:
            problem = f"is empty, so that job {self.job.ref.id} can't make a link: its worker knows no HTTP API"
            raise SettingsError("TIDEMILL_API_URL", problem)
        return f"{self.api_url}/answers/{self.token(name, to, lasts)}"

    def _undeclared(self, name: object) -> InputError:
        return StepError.at(
            _FIELD,
            f"kind {self.job.kind!r} declares no answer {name!r}, so that nobody could give it. "
            f"Fix: @job(..., answers={{{name!r}: ...}})",
            "undeclared",
        )

    def _standing(self, question: Question) -> Wait:
        """The wait that counts: what stands there, unless this generation forgets it."""
        found = self.waits.wait_of(self.job.ref, question.name)
        while found is None or found.generation < self.notebook.forgot:
            asked = question.asked(self.job.generation, self.clock.now_ms())
            found = self.waits.ask(self.job.ref, found, asked, self._ttl_s)
        return found

    def _remind(self, question: Question, wait: Wait, steps: Steps) -> None:
        number, reminder = question.reminder_due(wait.asked_at or 0, self.clock.now_ms()), question.reminder
        if number and reminder is not None:
            steps.step(f"{question.name}/reminder-{number}", lambda: _called(reminder, number), None)

    def _told(self, question: Question, outcome: Any) -> Any:
        match outcome:
            case {"answer": value}:
                return read_back(json.dumps(value), question.returns, question.name)
            case {"timed_out": int(ended_at)}:
                raise WaitTimeoutError(self.job.ref.id, question.name, ended_at)
            case _:
                raise StepError.at(_FIELD, f"{question.name!r} is a step that was done before. Fix: rename one of both")

    @property
    def _ttl_s(self) -> int:
        return (self.clock.now_ms() + self.keep_ms) // 1000 + 1


def _outcome(wait: Wait) -> dict[str, Any]:
    if wait.given is not None:
        return {_ANSWER: json.loads(wait.given.value)}
    return {_TIMED_OUT: wait.timed_out_at}


def _called(reminder: Callable[[int], object], number: int) -> None:
    reminder(number)
