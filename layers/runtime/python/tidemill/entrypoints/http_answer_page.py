"""What somebody sees who follows the link of a question: the form, what became of it, or why it can't be answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from tidemill.domain.answer_errors import AnsweredError, AnswerLateError, AnswerTokenError
from tidemill.domain.answer_form import AnswerForm
from tidemill.domain.answer_token import Grant
from tidemill.domain.errors import InputError, JobNotFoundError, JobStateError, UnavailableError, Violation
from tidemill.domain.job import Job
from tidemill.domain.waiting import Given, Wait
from tidemill.entrypoints.http_form import form_html
from tidemill.entrypoints.http_page import facts, heading, page, paragraph
from tidemill.entrypoints.http_problems import RequestError, refusal_of
from tidemill.service.view import seen_by_tenant

_ASK_AGAIN: Final = "If it still has to be decided, ask whoever sent you the link."
# What people are told, in their words; programs get the problem document.
_REFUSED: Final[Mapping[type[Exception], tuple[str, str]]] = {
    AnswerTokenError: (
        "This link does not work",
        "It is not complete, was changed, or is no longer valid. Use the whole link as it was sent to you.",
    ),
    AnswerLateError: ("It is too late to answer", f"The time for this answer is over. {_ASK_AGAIN}"),
    JobStateError: ("There is nothing to answer any more", f"What asked for this is over. {_ASK_AGAIN}"),
    JobNotFoundError: ("There is nothing to answer any more", f"What asked for this is gone. {_ASK_AGAIN}"),
    UnavailableError: (
        "This did not work just now",
        "Try again in a moment. To send the same answer twice does no harm: it counts once.",
    ),
    InputError: ("The answer was not taken", "Something in it does not fit. Go back and look at it once more."),
    RequestError: ("This request can't be answered", "Open the link as it was sent to you."),
    Exception: ("Something went wrong on our side", "Try again later. Nothing is known to be wrong with your answer."),
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A question that a token lets somebody answer. `wait` is None before the job has asked."""

    grant: Grant
    job: Job
    wait: Wait | None
    form: AnswerForm

    @property
    def title(self) -> str:
        """What is asked, in one line."""
        return (self.wait.asks if self.wait else "") or f"{self.job.kind} asks for: {self.grant.name}"

    def check_open(self, now_ms: int) -> None:
        """Refuse a question that takes no answer any more. One that has an answer is for the page to show.

        Raises:
            AnswerLateError: its time is over.
            JobStateError: the job is.
        """
        ref, wait = self.job.ref, self.wait
        if wait is not None and (wait.timed_out_at is not None or (wait.is_open and wait.is_late(now_ms))):
            raise AnswerLateError(ref.id, self.grant.name, "its time is over", wait.ends_at)
        if self.job.state.is_final and (wait is None or wait.is_open):
            raise JobStateError("answered", ref.id, self.job.state, "nothing waits for it any more; look at the job")


def question_page(asked: Asked, entries: Mapping[str, str], wrong: Sequence[Violation] = ()) -> str:
    """The form. See `form_html`."""
    ends_at = min(asked.grant.expires_at, (asked.wait.ends_at if asked.wait else None) or asked.grant.expires_at)
    to = f", of {asked.grant.to}" if asked.grant.to else ""
    return page(
        f"Not taken: {asked.title}" if wrong else asked.title,
        heading(asked.title),
        paragraph(f"Asked by {asked.job.kind}{to}."),
        form_html(asked.form, entries, wrong),
        facts([("Answer until", moment(ends_at)), ("Job", asked.job.ref.id)]),
    )


def given_page(asked: Asked, given: Given, *, is_shown: bool) -> str:
    """What was answered, by whom and when. `is_shown`: whoever looks may see the answer itself."""
    told = asked.form.told(json.loads(given.value)) if is_shown else []
    decided = [*told, ("Answered by", seen_by_tenant(given.by)), ("At", moment(given.at))]
    about = [("Asked by", asked.job.kind), ("Job", asked.job.ref.id)]
    return page(
        f"Answered: {asked.title}", heading("This is answered"), paragraph(asked.title), facts([*decided, *about])
    )


def refusal_page(error: Exception) -> str:
    """Why there is nothing to see, or to answer."""
    if isinstance(error, AnsweredError):
        rows = [("Answered by", error.by), ("At", moment(error.at))]
        said = "This was answered otherwise before. What was decided first stands."
        return page("Answered before", heading("Your answer was not taken"), paragraph(said), facts(rows))
    title, said = next((_REFUSED[cls] for cls in type(error).__mro__ if cls in _REFUSED), _REFUSED[Exception])
    rows = [("Status", f"{refusal_of(error).status}")]
    return page(title, heading(title), paragraph(said), facts(rows))


def moment(at_ms: int) -> str:
    """A time in Unix milliseconds, for people who may be anywhere."""
    return f"{datetime.fromtimestamp(at_ms // 1000, UTC):%Y-%m-%d %H:%M} UTC"
