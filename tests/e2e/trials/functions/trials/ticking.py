"""A job that schedules make."""

from tidemill import Cron, Every, JobArgs, JobContext, Schedule, hours, job, minutes


class Tick(JobArgs, kind="trial.tick"):
    """Who wants to know."""

    name: str = "minute"


@job(
    Tick,
    lane="ticking",
    schedule=[
        Schedule(Every(minutes(1)), name="trial.minute"),
        Schedule(
            Cron("30 2 1 * SUN", tz="Europe/Paris"),
            name="trial.rare",
            args=Tick(name="rare <aws.scheduler.execution-id>"),
            tenant="rare",
            jitter=minutes(10),
            expires_in=hours(1),
        ),
    ],
)
def tell_time(args: Tick, context: JobContext) -> list[str]:
    """Answer for whom and for when it ran."""
    return [args.name, f"{context.scheduled_at:%Y-%m-%dT%H:%M:%SZ}", f"{context.attempt}"]
