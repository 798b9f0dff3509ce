"""Changes that must not overtake each other."""

from tidemill import JobContext, Retry, TransientError, job, seconds
from trials.diary import Gated, Trial


class Change(Trial, kind="trial.change"):
    """How many attempts fail."""

    failures: int = 0


@job(Change, lane="ordered", timeout=seconds(3), retry=Retry(max_attempts=3, delays=(seconds(1),)))
def change_in_order(args: Change, context: JobContext) -> None:
    """Apply the change, or fail to."""
    args.note("tried", entity=context.entity, sequence=context.sequence, attempt=context.attempt)
    if context.attempt <= args.failures:
        raise TransientError("the other system does not answer")
    args.note("applied", entity=context.entity, sequence=context.sequence, previous=context.previous_sequence)


class Turn(Gated, kind="trial.turn"):
    """Nothing more."""


@job(Turn, lane="ordered", timeout=seconds(3), retry=Retry(max_attempts=25, delays=(seconds(1),)))
def take_turn(args: Turn, context: JobContext) -> tuple[int | None, int | None]:
    """Fail while the gate is shut. Answers the job's number, and that of the last one before it."""
    if not args.is_open:
        raise TransientError("the gate is shut")
    args.note("applied", entity=context.entity)
    return context.sequence, context.previous_sequence
