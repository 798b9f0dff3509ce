"""Submits: one job and its answer, and many of which some are bad."""

from collections.abc import Sequence

from examples.guide.charging import Charge
from tidemill import JobClient, Receipt, Submission, hours, minutes
from tidemill.errors import UnavailableError


def charge_once(client: JobClient, order: str, cents: int) -> str:
    """One job per order, however often this is called. Answers the job's id."""
    receipt = client.submit(
        Charge(card="good", cents=cents),
        key=f"charge:{order}",
        tenant="acme",
        lane="critical",
        delay=minutes(5),
        expires_in=hours(2),
    )
    return receipt.job_id


def charge_all(client: JobClient, orders: Sequence[tuple[str, int]]) -> tuple[list[str], list[str], list[str]]:
    """Up to 10,000 jobs in one call: the ids of those accepted, the orders to try again, and those refused."""
    accepted: list[str] = []
    again: list[str] = []
    refused: list[str] = []
    wanted = [Submission(Charge(card="good", cents=cents), key=f"charge:{order}") for order, cents in orders]
    for (order, _), result in zip(orders, client.submit_many(wanted), strict=True):
        match result:
            case Receipt(job_id=job_id):
                accepted.append(job_id)
            case UnavailableError():
                again.append(order)
            case error:
                refused.append(f"{order}: {error}")
    return accepted, again, refused
