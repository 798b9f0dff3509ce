"""Many small jobs, and one that is told when all of them are over."""

from tidemill import JobArgs, JobContext, job, seconds
from tidemill.batches import BatchEnded


class Boat(JobArgs, kind="trial.boat"):
    """Which one."""

    number: int


class FleetIn(BatchEnded, kind="trial.fleet-in"):
    """Told of the end of the batch."""


@job(Boat, timeout=seconds(10))
def sail(args: Boat, _: JobContext) -> int:
    """Arrive."""
    return args.number


@job(FleetIn, timeout=seconds(10))
def fleet_in(args: FleetIn, _: JobContext) -> str:
    """Say how many arrived."""
    return f"{args.succeeded} of {args.total}"
