"""A job that works for longer than one invocation lasts."""

from tidemill import JobArgs, JobContext, job, minutes

ROWS_AT_A_TIME = 100


class ImportRows(JobArgs, kind="guide.import-rows"):
    """How many rows there are."""

    rows: int


imported: list[int] = []


@job(ImportRows, timeout=minutes(10), soft_timeout=minutes(9), heartbeat=minutes(1))
def import_rows(args: ImportRows, context: JobContext) -> int:
    """Start where the last invocation stopped; a checkpoint hands over when its time is nearly up."""
    start: int = context.cursor or 0
    for row in range(start, args.rows, ROWS_AT_A_TIME):
        after = min(row + ROWS_AT_A_TIME, args.rows)
        imported.extend(range(row, after))
        context.progress(after, args.rows, "rows")
        context.checkpoint(after)
    return args.rows
