"""The till is counted every minute, whoever is there."""

from orders.books import Posting, books
from tidemill import Cron, JobArgs, JobContext, job, seconds


class CountTill(JobArgs, kind="orders.count_till"):
    """Nothing to say: the schedule's time says it all."""


@job(CountTill, schedule=Cron("* * * * *"), timeout=seconds(20))
def count_till(_: CountTill, context: JobContext) -> str:
    """Note the count, once for each time of the schedule."""
    at = context.scheduled_at.isoformat() if context.scheduled_at else "by hand"
    books().post(Posting(f"till {at}", "counts: due", "counts: done", 1))
    return at
