"""A job that charges a card and sends a letter, and the same job with one mistake."""

from tidemill import JobArgs, JobContext, Retry, job, minutes, seconds

# Stand for two services. The bank knows a repeated request by its key; the post does not.
charges: dict[str, int] = {}
letters: list[str] = []


class PlaceOrder(JobArgs, kind="guide.place-order"):
    """Which order, and what it costs."""

    order: str
    cents: int


@job(PlaceOrder, retry=Retry(max_attempts=3, delays=(seconds(10), minutes(5))), soft_timeout=seconds(20))
def place_order(args: PlaceOrder, context: JobContext) -> str:
    """Each effect is a step."""
    receipt = context.step("charge", charge, context.step_key("charge"), args.cents)
    context.step("confirm", letters.append, f"{args.order} is paid: {receipt}")
    return receipt


class PlaceCarelessly(JobArgs, kind="guide.place-carelessly"):
    """The same."""

    order: str
    cents: int


@job(PlaceCarelessly)
def place_carelessly(args: PlaceCarelessly, context: JobContext) -> str:
    """The letter is no step."""
    receipt = context.step("charge", charge, context.step_key("charge"), args.cents)
    letters.append(f"{args.order} is paid: {receipt}")
    return receipt


def charge(key: str, cents: int) -> str:
    """What the bank does."""
    charges[key] = cents
    return f"receipt {len(charges)}"
