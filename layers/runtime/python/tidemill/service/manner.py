"""How a dead job runs again, and which of its effects would happen again. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from tidemill.domain.errors import InputError
from tidemill.domain.memory import EVERYTHING, Memory, check_step_name


class Mode(StrEnum):
    """What becomes of the steps that the job remembers."""

    # All are kept: the job goes on where it died. Its own message, byte for byte.
    RESUME = "resume"
    # All are forgotten, and the cursor: every effect happens again, under new step keys.
    RESTART = "restart"
    # Those before one step are kept; that one and all after it happen again.
    FROM_STEP = "from_step"


@dataclass(frozen=True, slots=True)
class Manner:
    """A mode, and the step that FROM_STEP begins with."""

    mode: Mode = Mode.RESUME
    step: str | None = None

    @property
    def forget(self) -> str | None:
        """What the next generation is to forget; see Wish."""
        return EVERYTHING if self.mode is Mode.RESTART else self.step

    def __str__(self) -> str:
        return self.mode if self.step is None else f"{self.mode} {self.step}"


RESUME: Final = Manner()


def manner_of(mode: str | None, step: str | None) -> Manner:
    """The manner that a caller asks for: a step alone means FROM_STEP, nothing means RESUME.

    Raises:
        InputError: there is no such mode, or mode and step don't fit each other; the field is named.
    """
    if mode is not None and mode not in set(Mode):
        raise InputError.at("mode", f"must be one of {', '.join(Mode)}, not {mode!r:.40}", "mode")
    chosen = Mode(mode) if mode is not None else Mode.RESUME if step is None else Mode.FROM_STEP
    if step is None:
        if chosen is Mode.FROM_STEP:
            raise InputError.at("from_step", "is missing: name the step to begin with", "missing")
        return Manner(chosen)
    if chosen is not Mode.FROM_STEP:
        raise InputError.at("from_step", f"means nothing to {chosen}; leave one of the two out", "extra")
    try:
        return Manner(Mode.FROM_STEP, check_step_name(step))
    except InputError as error:
        raise InputError.at("from_step", error.violations[0].problem, "format") from None


@dataclass(frozen=True, slots=True)
class Effects:
    """What a job that died has done, in the order it did it.

    Attributes:
        kept: steps that would not happen again. `again`: steps that would.

    Steps that it never finished happen in any manner; nobody but its code knows their names.
    """

    kept: tuple[str, ...] = ()
    again: tuple[str, ...] = ()


def effects_of(memory: Memory | None, manner: Manner) -> Effects:
    """What running again in this manner means for the remembered steps.

    Raises:
        InputError: nothing remembers the step to begin with; the field is `from_step`.
    """
    done = [] if memory is None else sorted(memory.steps.values(), key=lambda step: step.number)
    names = tuple(step.name for step in done)
    if manner.mode is Mode.FROM_STEP and manner.step not in names:
        known = f"it remembers {', '.join(names)}" if names else "it remembers none; redrive it in mode resume"
        raise InputError.at("from_step", f"the job remembers no step {manner.step!r}; {known}", "unknown_step")
    # A resume of a restart that never came to its first step still owes it.
    owed = memory.owed.forget if memory is not None and memory.owed is not None else None
    left = {} if memory is None else memory.forgetting(manner.forget or owed).steps
    return Effects(tuple(name for name in names if name in left), tuple(name for name in names if name not in left))
