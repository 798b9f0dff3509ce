"""Jobs that run at a time."""

from tidemill import Cron, Every, JobArgs, JobContext, JobRegistry, Schedule, job, minutes


class CloseDay(JobArgs, kind="books.close-day"):
    """Which books."""

    account: str = "all"


@job(
    CloseDay,
    schedule=[
        # Every working day at 18:00 in Paris, in summer as in winter.
        Cron("0 18 * * MON-FRI", tz="Europe/Paris"),
        # On the first of each month, for one account and one tenant, at some time before 03:15.
        Schedule(
            Cron("0 3 1 * *", tz="Asia/Kathmandu"),
            name="books.month",
            args=CloseDay(account="fees"),
            tenant="acme",
            jitter=minutes(15),
        ),
    ],
)
def close_day(args: CloseDay, context: JobContext) -> str:
    """Close what the tick is for: on a retry, and after a night without workers, it is still that day."""
    return f"closed {args.account} for {context.scheduled_at:%Y-%m-%d %H:%M}"


class Poll(JobArgs, kind="books.poll"):
    """Nothing to say."""


# Of ticks that piled up, only the last one runs: each expires when the next is due.
@job(Poll, schedule=Schedule(Every(minutes(5)), expires_in=minutes(5)))
def poll(_: Poll, context: JobContext) -> str:
    """Ask what is new."""
    return f"asked for {context.scheduled_at:%H:%M}"


registry = JobRegistry(close_day, poll)
