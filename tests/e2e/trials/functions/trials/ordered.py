"""Changes that must not overtake each other."""

from tidemill import JobContext, Retry, TransientError, job, seconds
from trials.diary import Trial


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
