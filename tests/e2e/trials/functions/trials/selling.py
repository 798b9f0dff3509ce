"""A saga: a booking that is cancelled where the payment fails, and a parcel after it."""

from pydantic import BaseModel

from tidemill import JobArgs, JobContext, PermanentError, Retry, hours, job, minutes, seconds
from tidemill.sagas import Saga, arguments, step
from trials.diary import Trial


class Order(JobArgs):
    """What is ordered. `cents`: nothing is not paid."""

    diary: str
    name: str
    cents: int


class Book(Trial, kind="trial.saga.book"):
    """Reserve something."""


class CancelBooking(Trial, kind="trial.saga.cancel-booking"):
    """Give it back."""


class Pay(Trial, kind="trial.saga.pay"):
    """Pay for it."""

    cents: int
    booking: str


class SendOff(Trial, kind="trial.saga.send-off"):
    """Send it."""

    receipt: str


class Booked(BaseModel):
    """What the other steps want to know."""

    booking: str


class Paid(BaseModel):
    """The same."""

    receipt: str


@job(Book, timeout=seconds(10))
def book(args: Book, context: JobContext) -> Booked:
    """Reserve it."""
    args.note("booked")
    return Booked(booking=f"booking {context.job_id}")


@job(CancelBooking, retry=Retry(max_attempts=25), timeout=seconds(10))
def cancel_booking(args: CancelBooking, context: JobContext) -> None:
    """Give back what was reserved, if it was."""
    assert context.undoes is not None
    args.note("cancelled", booking=context.undoes.result["booking"], succeeded=context.undoes.succeeded)


@job(Pay, timeout=seconds(10))
def pay(args: Pay, context: JobContext) -> Paid:
    """Pay, unless it costs nothing."""
    if not args.cents:
        raise PermanentError("nothing is not paid")
    args.note("paid", booking=args.booking)
    return Paid(receipt=f"receipt of {args.booking}")


@job(SendOff, timeout=seconds(10))
def send_off(args: SendOff, context: JobContext) -> None:
    """Send it."""
    args.note("sent", receipt=args.receipt)


given = arguments(Order)
who = {"diary": given.diary, "name": given.name}
booking = step("book", book, compensate=cancel_booking, timeout=minutes(5))
paying = step(
    "pay", pay, args={**who, "cents": given.cents, "booking": booking.result.booking}, pivot=True, timeout=minutes(5)
)
sending = step("send", send_off, args={**who, "receipt": paying.result.receipt}, timeout=hours(1))
place_order = Saga("trial.place-order", Order, steps=[booking, paying, sending])
