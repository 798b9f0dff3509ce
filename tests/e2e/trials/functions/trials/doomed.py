"""A job that dies until somebody looks after it, and the one that is told."""

from typing import Any

from tidemill import DeathNotice, JobContext, PermanentError, job, seconds
from trials.diary import Trial


class Doomed(Trial, kind="trial.doomed"):
    """Nothing more."""


class DoomedDied(DeathNotice, kind="trial.doomed-died"):
    """Nothing more."""


@job(Doomed, timeout=seconds(5), on_dead=DoomedDied)
def doomed(args: Doomed, context: JobContext) -> int:
    """Have an effect, and die in the first generation."""
    context.step("charge", args.note, "charged")
    if context.generation == 1:
        raise PermanentError("the card was refused")
    return context.generation


@job(DoomedDied, timeout=seconds(5))
def doomed_died(args: DoomedDied, _: JobContext) -> dict[str, Any]:
    """Answer what it was told."""
    return args.model_dump()
