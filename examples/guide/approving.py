"""An order over a limit waits until somebody approves it."""

from tidemill import JobArgs, JobContext, days, hours, job
from tidemill.errors import WaitTimeoutError

SENT: list[str] = []  # in earnest: mail


class Release(JobArgs, kind="guide.release"):
    """An order that is to be shipped."""

    order: int
    cents: int


class Decision(JobArgs):
    """What the approver says."""

    granted: bool
    note: str = ""


@job(Release, answers={"approval": Decision})
def release(args: Release, ctx: JobContext) -> str:
    """Ship it, once somebody said so."""
    ctx.step("ask", ask, ctx)
    try:
        decision = ctx.wait_for(
            "approval",
            Decision,
            timeout=days(3),
            remind=[hours(24), hours(48)],
            reminder=lambda number: SENT.append(f"reminder {number} of order {args.order}"),
            asks=f"May order {args.order} over {args.cents} cents go out?",
        )
    except WaitTimeoutError:
        return "nobody answered: kept"
    return ctx.step("ship", ship, args.order) if decision.granted else f"refused: {decision.note}"


def ask(ctx: JobContext) -> None:
    """Send the approver a link to a page where they can answer, without credentials."""
    SENT.append(ctx.answer_link("approval", to="cfo@example.org", lasts=days(3)))


def ship(order: int) -> str:
    """The effect: a step, so that it happens once."""
    return f"shipped order {order}"
