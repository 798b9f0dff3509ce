"""A job that says what its failures mean."""

from pydantic import Field

from tidemill import (
    DependencyDownError,
    JobArgs,
    JobContext,
    PermanentError,
    RateLimitedError,
    Retry,
    TransientError,
    job,
    minutes,
    seconds,
)

# Stands for a service: what it answers to each card.
ANSWERS: dict[str, str] = {"good": "paid"}


class Charge(JobArgs, kind="guide.charge"):
    """Which card, and how much."""

    card: str
    cents: int = Field(ge=1)


@job(Charge, retry=Retry(max_attempts=3, delays=(seconds(5), minutes(2))))
def charge(args: Charge, context: JobContext) -> str:
    """Charge the card."""
    match ANSWERS.get(args.card, "no such card"):
        case "paid":
            return f"paid under {context.job_id}"
        case "busy":
            raise RateLimitedError("the service asks to wait", retry_after=seconds(20))
        case "closed":
            raise DependencyDownError("the service is closed for the night")
        case "down":
            raise TransientError("the service does not answer")
        case refusal:
            raise PermanentError(refusal)
