"""A job that undoes what it did when it is asked to stop."""

from tidemill import JobArgs, JobCancelled, JobContext, job


class Ship(JobArgs, kind="guide.ship"):
    """Which order, and how much."""

    order: str
    cents: int


# Stands for the services: what they were asked, under which key.
ASKED: list[str] = []


def ask(what: str, key: str) -> str:
    """A service that recognises a repeated key."""
    ASKED.append(what)
    return key


@job(Ship)
def ship(args: Ship, context: JobContext) -> str:
    """Charge, then ship; asked to stop in between, give the money back."""
    key = context.step_key("charge")
    try:
        context.step("charge", ask, f"charge {args.cents}", key)
        context.heartbeat()
        return context.step("ship", ask, f"ship {args.order}", context.step_key("ship"))
    except JobCancelled:
        # By the key, because a worker may have charged and died before it could say so.
        context.step("refund", ask, f"refund {key}", context.step_key("refund"))
        raise
