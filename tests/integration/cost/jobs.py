"""Jobs of the longest names that are allowed."""

from tidemill import JobArgs, JobContext, JobRegistry, Lane, PermanentError, days, job
from tidemill.batches import BatchEnded
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


class Patient(JobArgs, kind=KIND[:-1] + "p"):
    pass


@job(Patient, lane=LANE, answers={"approval": bool})
def wait(args: Patient, ctx: JobContext) -> bool:
    return ctx.wait_for("approval", bool, timeout=days(3), asks="May it?")


class Told(BatchEnded, kind="cost.told"):
    pass


# What the callbacks of this process were told.
heard: list[Told] = []


@job(Told, lane=LANE)
def hear(args: Told, ctx: JobContext) -> None:
    heard.append(args)


registry = JobRegistry(echo, die, fail, hear, wait, lanes=(Lane(LANE),))
