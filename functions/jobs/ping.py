"""The smallest job there is."""

from pydantic import Field

from tidemill import JobArgs, JobContext, Retry, job, seconds


class Ping(JobArgs, kind="demo.ping"):
    """What to answer."""

    message: str = Field(default="pong", max_length=100)


@job(Ping, retry=Retry(max_attempts=3, delays=(seconds(1),)), timeout=seconds(10))
async def answer_ping(args: Ping, _: JobContext) -> str:
    """Answer the message."""
    return args.message
