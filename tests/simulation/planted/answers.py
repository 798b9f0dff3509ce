"""Bugs in waiting for answers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from tests.simulation.planted.plant import Planted, always
from tidemill.aws import change, waits
from tidemill.domain.lifecycle import Guard
from tidemill.service.answering import Answerer
from tidemill.service.awaiting import Inquirer


def _unasked(conditions: Any) -> Any:
    """A job parks whatever was answered meanwhile."""

    def planted(guard: Guard, before: Any) -> Any:
        return conditions(Guard.UNDISTURBED if guard is Guard.UNANSWERED else guard, before)

    return planted


def _over_what_stands_there(put_arguments: Any) -> Any:
    return lambda *given: {"Item": put_arguments(*given)["Item"]}


def _until_it_gives_up(judged: Any) -> Any:
    """An answer is in time as long as the job has not noticed its timeout."""

    def planted(self: Any, job: Any, name: str, reply: Any, given: Any) -> Any:
        return judged(self, job, name, reply, replace(given, at=0))

    return planted


def _of_any_generation(judged: Any) -> Any:
    def planted(self: Any, job: Any, name: str, reply: Any, given: Any) -> Any:
        return judged(self, job, name, replace(reply, generation=None), given)

    return planted


def _forgets_nothing(standing: Any) -> Any:
    """What stands there counts, whatever the job was to forget."""

    def planted(self: Any, question: Any) -> Any:
        return self.waits.wait_of(self.job.ref, question.name) or standing(self, question)

    return planted


PLANTED: Final = (
    Planted(
        "an answer wakes nobody",
        "I28",
        "answers",
        "an answer is written beside the record of its job, which is not made due",
        ((waits, "told", always(None)),),
    ),
    Planted(
        "parked past an answer",
        "I28",
        "answers",
        "a job begins to wait whatever was answered since it looked",
        ((change, "_conditions", _unasked),),
    ),
    Planted(
        "the last outcome counts",
        "I28",
        "answers",
        "the outcome of a wait is written over another one",
        ((waits, "_put_arguments", _over_what_stands_there),),
    ),
    Planted(
        "late answers taken",
        "I28",
        "answers",
        "an answer that comes after the timeout is taken until the job has noticed it",
        ((Answerer, "_judged", _until_it_gives_up),),
    ),
    Planted(
        "a token for every generation",
        "I28",
        "answers",
        "a token answers whatever generation its job is in",
        ((Answerer, "_judged", _of_any_generation),),
    ),
    Planted(
        "old answers for a new start",
        "I28",
        "answers",
        "a job that was restarted gets the answers of the generation before",
        ((Inquirer, "_standing", _forgets_nothing),),
    ),
)
