"""Many small jobs, and one that is told when all of them are over."""

from tidemill import JobContext, job, seconds
from tidemill.batches import BatchEnded
from trials.diary import Trial
from trials.metered import meter


class Boat(Trial, kind="trial.boat"):
    """Which one. Its diary has what its worker writes for the batch."""

    number: int


class FleetIn(BatchEnded, kind="trial.fleet-in"):
    """Told of the end of the batch."""


@job(Boat, timeout=seconds(10))
def sail(args: Boat, _: JobContext) -> int:
    """Arrive."""
    meter(lambda name, writes: args.note(name, writes=writes))
    return args.number


@job(FleetIn, timeout=seconds(10))
def fleet_in(args: FleetIn, _: JobContext) -> str:
    """Say how many arrived."""
    return f"{args.succeeded} of {args.total}"
