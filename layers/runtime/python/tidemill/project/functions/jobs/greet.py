"""A first job."""

from pydantic import Field

from tidemill import JobArgs, JobContext, PermanentError, Retry, job, seconds

FRIENDS = {"Ada", "Grace"}


class Greet(JobArgs, kind="hello.greet"):
    """Whom to greet."""

    name: str = Field(min_length=1, max_length=100)


@job(Greet, retry=Retry(max_attempts=3), timeout=seconds(10))
def greet(args: Greet, ctx: JobContext) -> str:
    """Greet a friend. A stranger is a permanent failure: no retry would cure it."""
    if args.name not in FRIENDS:
        raise PermanentError("this name is not among the friends")
    return f"Hello, {args.name}! This was attempt {ctx.attempt}."
