"""One after the other, side by side, and only when others are done."""

from tidemill import JobArgs, JobClient, JobContext, JobRegistry, job
from tidemill.batches import Batch, Chain, Graph


class Load(JobArgs, kind="nightly.load"):
    """Which table."""

    table: str


class Check(JobArgs, kind="nightly.check"):
    """Look at what was loaded."""


class Report(JobArgs, kind="nightly.report"):
    """Tell people."""


@job(Load)
def load(args: Load, _: JobContext) -> str:
    """Load one table."""
    return args.table


@job(Check)
def check(_: Check, __: JobContext) -> None:
    """Compare the tables."""


@job(Report)
def report(_: Report, __: JobContext) -> None:
    """Write the mail."""


registry = JobRegistry(load, check, report)


def nightly(client: JobClient, day: str) -> str:
    """Three tables at once, then the check, then the report."""
    tables = Batch([Load(table=table) for table in ("orders", "stock", "prices")])
    return client.start(Chain(tables, Check(), Report()), key=f"nightly:{day}").batch_id


def partial_nightly(client: JobClient, day: str) -> str:
    """The check needs two of the tables, the report all of them and the check."""
    nodes = {
        "orders": Load(table="orders"),
        "stock": Load(table="stock"),
        "prices": Load(table="prices"),
        "check": Check(),
        "report": Report(),
    }
    after = {"check": ["orders", "stock"], "report": ["check", "prices"]}
    return client.start(Graph(nodes, after), key=f"partial:{day}").batch_id
