"""Schedules that a program makes while it runs: one for each customer who wants a report."""

from tidemill import Cron, JobArgs, JobClient, JobContext, JobRegistry, job


class Report(JobArgs, kind="reports.customer"):
    """For whom, and about what."""

    customer: str
    about: str = "sales"


@job(Report, lane="bulk")
def report(args: Report, context: JobContext) -> str:
    """Make the report of the tick's day, however late it is."""
    return f"{args.about} of {args.customer} for {context.scheduled_at:%Y-%m-%d}"


registry = JobRegistry(report)


def subscribe(client: JobClient, customer: str, tenant: str) -> int:
    """Let the customer have a report every morning; a report that takes a day is not overtaken by the next one."""
    made = client.schedules.create(
        f"report.{customer}",
        Report(customer=customer),
        Cron("0 7 * * *", tz="Europe/Paris"),
        tenant=tenant,
        overlap="queue_one",
        missed="run_once",
    )
    return made.version


def about_stock(client: JobClient, customer: str, tenant: str, version: int) -> int:
    """Let the reports be about something else, unless somebody changed the schedule meanwhile."""
    changed = client.schedules.change(
        f"report.{customer}", tenant=tenant, version=version, args=Report(customer=customer, about="stock")
    )
    return changed.version
