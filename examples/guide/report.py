"""A job with a result, and one with everything chosen."""

from datetime import date

from pydantic import BaseModel, Field

from tidemill import JobArgs, JobContext, OnFinal, Retention, Retry, days, job, minutes


class BuildReport(JobArgs, kind="report.build"):
    """Which days to add up."""

    first: date
    amounts: tuple[int, ...] = Field(min_length=1, max_length=366)


class Report(BaseModel):
    """What the submitter reads back."""

    first: date
    total: int


@job(BuildReport)
def build_report(args: BuildReport, _: JobContext) -> Report:
    """Add up."""
    return Report(first=args.first, total=sum(args.amounts))


class CloseYear(JobArgs, kind="report.close-year"):
    """Which year."""

    year: int


@job(
    CloseYear,
    lane="critical",
    retry=Retry(max_attempts=3),
    timeout=minutes(5),
    on_final=OnFinal.REFUSE,
    retention=Retention(result=days(90), dead=days(365)),
)
def close_year(args: CloseYear, context: JobContext) -> str:
    """Close the year once."""
    return f"{args.year} was closed for {context.tenant}"
