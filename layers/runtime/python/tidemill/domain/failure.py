"""The evidence a failed attempt leaves: what went wrong, where, and a fingerprint to group by."""

from __future__ import annotations

import hashlib
import re
import traceback
from dataclasses import dataclass
from typing import Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError, TidemillError

# Ids, counters and addresses differ from job to job and would split one fault into many groups.
_VARIABLE: Final = re.compile(r"0x[0-9a-f]+|[0-9a-f]{8,}|\d+", re.IGNORECASE)


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


def failure_of(kind: str, error: BaseException) -> Failure:
    """The evidence of `error`, raised by a job of `kind`."""
    name = _qualified(error)
    text = _text(error)
    trace = "".join(traceback.format_exception(error))[-limits.MAX_TRACEBACK_CHARS :]
    return Failure(name, _clip(text), _whole(trace), fingerprint(kind, name, _place(error), text))


def refusal_of(kind: str, error: TidemillError) -> Failure:
    """The evidence of a message or result that was refused: its fields, no traceback."""
    violations = error.violations if isinstance(error, InputError) else ()
    where = ",".join(sorted({violation.field for violation in violations}))
    return Failure(type(error).__name__, _clip(str(error)), "", fingerprint(kind, type(error).__name__, where, ""))


def fingerprint(kind: str, error_type: str, place: str, text: str) -> str:
    """64 bits in hex of a failure's kind, type, place and wording without its numbers."""
    wording = _VARIABLE.sub("#", text)[: limits.MAX_ERROR_MESSAGE_CHARS]
    material = f"{kind}\n{error_type}\n{place}\n{wording}"
    return hashlib.sha256(material.encode("utf-8", "replace")).hexdigest()[:16]


def _text(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - the text of an exception is made by the job's own code
        return "(its text can't be read)"


def _qualified(error: BaseException) -> str:
    cls = type(error)
    name = cls.__qualname__ if cls.__module__ == "builtins" else f"{cls.__module__}.{cls.__qualname__}"
    return name[:120]


def _place(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    # The function, not the line: an edit above it must not open a new group.
    return frames[-1].name if frames else ""


def _clip(text: str) -> str:
    longest = limits.MAX_ERROR_MESSAGE_CHARS
    return _whole(text if len(text) <= longest else f"{text[: longest - 1]}…")


def _whole(text: str) -> str:
    return text.encode("utf-8", "replace").decode("utf-8")
