"""A job that may take longer than its interval, and never runs beside itself."""

from tidemill import Every, JobArgs, JobContext, JobRegistry, Schedule, job, minutes


class Mirror(JobArgs, kind="stock.mirror"):
    """Nothing to say."""


@job(Mirror, timeout=minutes(10), schedule=Schedule(Every(minutes(5)), overlap="queue_one"))
def mirror(_: Mirror, context: JobContext) -> str:
    """Copy what has changed; if that takes too long, the next tick waits and those behind it are skipped."""
    return f"mirrored at {context.scheduled_at:%H:%M}"


registry = JobRegistry(mirror)
