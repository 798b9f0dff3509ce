"""The evidence a failed attempt leaves: what went wrong, where, and a fingerprint to group by."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError, TidemillError
from tidemill.domain.hiding import hide
from tidemill.domain.rendering import place_of, text_of, trace_of, type_of

# Ids, counters and addresses differ from job to job and would split one fault into many groups.
_VARIABLE: Final = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+", re.IGNORECASE)

# 500 characters are kept. Before that, arguments are hidden in so many that some are left over when most were hidden.
_SEARCHED_CHARS: Final = 16_384


@dataclass(frozen=True, slots=True)
class Failure:
    """One failed attempt.

    Attributes:
        type: the exception's qualified name.
        message: its text, at most 500 characters.
        trace: the last part of the traceback, at most 2,000 characters.
        fingerprint: equal for failures of the same type at the same place with the same wording.
    """

    type: str
    message: str
    trace: str
    fingerprint: str


def failure_of(kind: str, error: BaseException, hidden: Sequence[str] = ()) -> Failure:
    """The evidence of `error`, raised by a job of `kind`.

    No string of `hidden` (see `strings_of`) is left in the message or the trace: each is shown as `[hidden]`.
    What pydantic's errors quote of their input is left out, whatever `hidden` says.
    """
    name, text = type_of(error), hide(text_of(error), hidden, _SEARCHED_CHARS)
    # All words are cut here and not at the end alone, or the last error's could leave no room for its place.
    trace = hide(trace_of(error, lambda words: _clip(hide(words, hidden, _SEARCHED_CHARS))), hidden)
    kept = _whole(trace[-limits.MAX_TRACEBACK_CHARS :])
    return Failure(_whole(name), _clip(text), kept, fingerprint(kind, name, place_of(error), text))


def refusal_of(kind: str, error: TidemillError, hidden: Sequence[str] = ()) -> Failure:
    """The evidence of a message or result that was refused: its fields, no traceback, no string of `hidden`."""
    violations = error.violations if isinstance(error, InputError) else ()
    where = ",".join(sorted({violation.field for violation in violations}))
    text = _clip(hide(text_of(error), hidden, _SEARCHED_CHARS))
    return Failure(type(error).__name__, text, "", fingerprint(kind, type(error).__name__, where, ""))


def fingerprint(kind: str, error_type: str, place: str, text: str) -> str:
    """64 bits in hex of a failure's kind, type, place and wording without its numbers."""
    wording = _VARIABLE.sub("#", text)[: limits.MAX_ERROR_MESSAGE_CHARS]
    material = f"{kind}\n{error_type}\n{place}\n{wording}"
    return hashlib.sha256(material.encode("utf-8", "replace")).hexdigest()[:16]


def _clip(text: str) -> str:
    longest = limits.MAX_ERROR_MESSAGE_CHARS
    return _whole(text if len(text) <= longest else f"{text[: longest - 1]}…")


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
