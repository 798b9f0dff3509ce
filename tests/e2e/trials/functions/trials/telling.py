"""A job that publishes a fact and commits another job with its success, and two that hear of such facts."""

from tidemill import JobArgs, JobContext, PermanentError, State, job, seconds
from tidemill.events import Event, on
from trials.diary import Trial
from trials.quick import Quick


class Told(Event, type="trial.told"):
    """Somebody has told something, at this time (Unix milliseconds)."""

    name: str
    at_ms: int


class Tell(Trial, kind="trial.tell"):
    """`fails`: whether it does, after it has told."""

    fails: bool = False
    at_ms: int = 0


@job(Tell, timeout=seconds(5), announces=(State.SUCCEEDED, State.DEAD))
def tell(args: Tell, context: JobContext) -> str:
    """Tell it, and come to its end or not."""
    context.publish(Told(name=args.name, at_ms=args.at_ms), subject=f"trial/{args.name}")
    job_id = context.submit(Quick(diary=args.diary, name=f"child of {args.name}"))
    if args.fails:
        raise PermanentError("it has told all, and fails")
    return job_id


class Hear(JobArgs, kind="trial.hear"):
    """Who has told something."""

    name: str


@on(Told)
@job(Hear, timeout=seconds(5))
def hear(args: Hear, context: JobContext) -> list[str | None]:
    """What was heard, and of which fact."""
    return [args.name, context.heard.id if context.heard else None]


class HearInOrder(JobArgs, kind="trial.hear-in-order"):
    """The same, of each subject one after the other."""

    name: str


@on(Told)
@job(HearInOrder, lane="ordered", timeout=seconds(5))
def hear_in_order(_: HearInOrder, context: JobContext) -> list[str | int | bool | None]:
    """Where in its line the fact stood."""
    return [context.entity, context.sequence, context.is_stale]
