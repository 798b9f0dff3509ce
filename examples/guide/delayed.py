"""A job that starts at a time, and what its callers may still change about it."""

from datetime import UTC, datetime, timedelta

from tidemill import JobArgs, JobClient, JobContext, job, minutes


class Remind(JobArgs, kind="guide.remind"):
    """What somebody is reminded of."""

    about: str


@job(Remind)
def remind(args: Remind, _: JobContext) -> str:
    """Say it."""
    return f"Don't forget {args.about}"


def plan(client: JobClient, appointment: datetime) -> str:
    """A reminder one hour before; the time needs a time zone."""
    receipt = client.submit(Remind(about="the dentist"), run_at=appointment - timedelta(hours=1))
    return receipt.job_id


def postpone(client: JobClient, job_id: str, appointment: datetime) -> None:
    """It starts at the new time and not at the old one, however near that is."""
    client.move(job_id, to=appointment - timedelta(hours=1))


def undo_window(client: JobClient) -> str:
    """Ten minutes to change one's mind in; "send it now" must be possible as well, and so costs a write more."""
    receipt = client.submit(Remind(about="the letter"), delay=minutes(10), durable_args=True)
    return receipt.job_id


def send_now(client: JobClient, job_id: str) -> None:
    """To an earlier time, because the table has the arguments."""
    client.move(job_id, delay=minutes(0))


def planned(client: JobClient) -> list[datetime]:
    """When the scheduled ones are due."""
    jobs = client.scheduled(limit=20).jobs
    return [datetime.fromtimestamp((job.claimable_at or 0) / 1000, UTC) for job in jobs]
