"""An order that happens as a whole or not at all."""

from pydantic import BaseModel

from tidemill import JobArgs, JobContext, JobRegistry, PermanentError, Retry, hours, job, minutes
from tidemill.sagas import Saga, arguments, step

# Stand for three services.
shelves: dict[str, str] = {}
charges: dict[str, int] = {}
parcels: list[str] = []


class OrderArgs(JobArgs):
    """What the saga is started with. It needs no kind."""

    order: str
    cents: int


class Reserve(JobArgs, kind="orders.reserve"):
    """Put it aside."""

    order: str


class Release(JobArgs, kind="orders.release"):
    """Put it back."""

    order: str


class Charge(JobArgs, kind="orders.charge"):
    """Take the money."""

    order: str
    cents: int


class Ship(JobArgs, kind="orders.ship"):
    """Send it."""

    shelf: str


class Reserved(BaseModel):
    """What the rest of the saga may refer to."""

    shelf: str


@job(Reserve)
def reserve(args: Reserve, _context: JobContext) -> Reserved:
    """The return type says what the job tells."""
    shelves[args.order] = f"shelf {len(shelves) + 1}"
    return Reserved(shelf=shelves[args.order])


@job(Release, retry=Retry(max_attempts=25))
def release(args: Release, _context: JobContext) -> None:
    """Content to find nothing: `_context.undoes` would say whether the step is known to have succeeded."""
    shelves.pop(args.order, None)


@job(Charge)
def charge(args: Charge, _context: JobContext) -> None:
    """The pivot: all or nothing by itself."""
    if args.cents > 10_000:
        raise PermanentError("the card is declined")
    charges[args.order] = args.cents


@job(Ship, retry=Retry(max_attempts=25))
def ship(args: Ship, _context: JobContext) -> None:
    """After the pivot: retried until it is done."""
    parcels.append(args.shelf)


given = arguments(OrderArgs)
reserving = step("reserve", reserve, compensate=release, timeout=minutes(10))
charging = step("charge", charge, pivot=True, timeout=minutes(10))
shipping = step("ship", ship, args={"shelf": reserving.result.shelf}, timeout=hours(12))

place_order = Saga("orders.place", OrderArgs, steps=[reserving, charging, shipping])
registry = JobRegistry(reserve, release, charge, ship, sagas=[place_order])
