"""A job that fails before it succeeds, as a call to a service that is just restarting does."""

from pydantic import Field

from tidemill import JobArgs, JobContext, Retry, TransientError, job, seconds


class Flaky(JobArgs, kind="demo.flaky"):
    """How many attempts fail."""

    failures: int = Field(default=2, ge=0, le=4)


@job(Flaky, retry=Retry(max_attempts=5, delays=(seconds(1),)), timeout=seconds(10))
def fail_then_succeed(args: Flaky, context: JobContext) -> int:
    """Fail `failures` times, then answer the number of the attempt that went through."""
    if context.attempt <= args.failures:
        raise TransientError(f"the service is not ready (attempt {context.attempt}, ready after {args.failures})")
    return context.attempt
