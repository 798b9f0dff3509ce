"""Asking objects of the job's own code, which may raise whatever they are asked."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from tidemill.domain.interrupt import WorkerDied

_Answer = TypeVar("_Answer")


def asked(question: Callable[[], _Answer], otherwise: _Answer) -> _Answer:
    """What `question` answers, or `otherwise` if it raises anything at all.

    For questions alone: a property, a `__str__` or a `__class__` of an exception. A job is never called through this.
    """
    try:
        return question()
    except WorkerDied:
        raise
    except BaseException:  # noqa: BLE001 - a job's exception must not end the batch that asks it what it is
        return otherwise
