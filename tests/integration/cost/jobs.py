"""Jobs of the longest names that are allowed."""

from tidemill import JobArgs, JobContext, JobRegistry, Lane, PermanentError, job
from tidemill.domain import limits

LANE = "l" * limits.MAX_LANE_CHARS
KIND = "k" * limits.MAX_KIND_CHARS


class Echo(JobArgs, kind=KIND):
    payload: str = ""
    answer: str | None = None


class Doomed(JobArgs, kind=KIND[:-1] + "d"):
    pass


class Shaky(JobArgs, kind=KIND[:-1] + "s"):
    pass


@job(Echo, lane=LANE)
def echo(args: Echo, ctx: JobContext) -> str | None:
    return args.answer


@job(Doomed, lane=LANE)
def die(args: Doomed, ctx: JobContext) -> None:
    raise PermanentError("never")


@job(Shaky, lane=LANE)
def fail(args: Shaky, ctx: JobContext) -> None:
    raise ConnectionError("again")


registry = JobRegistry(echo, die, fail, lanes=(Lane(LANE),))
