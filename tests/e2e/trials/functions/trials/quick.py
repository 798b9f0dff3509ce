"""A job of good conduct: the neighbour of the others."""

from tidemill import JobContext, job, seconds
from trials.diary import Trial


class Quick(Trial, kind="trial.quick"):
    """Nothing more."""


# The heartbeat brings it back together with the poison beside it, if that has killed both.
@job(Quick, timeout=seconds(3), heartbeat=seconds(10))
def do_at_once(args: Quick, context: JobContext) -> int:
    """Have one effect, and answer in which attempt it came through."""
    context.step("effect", args.note, "effect")
    args.note("ran", attempt=context.attempt)
    return context.attempt
