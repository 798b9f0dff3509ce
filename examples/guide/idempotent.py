"""A job whose effect is remembered by Powertools' idempotency decorator, in the stack's own table."""

from aws_lambda_powertools.utilities.idempotency import idempotent_function

from tidemill import JobArgs, JobContext, job, minutes
from tidemill.idempotency import FencedDynamoDBPersistenceLayer

# Stands for a service that knows no keys: what it has sent.
SENT: list[str] = []

TIMEOUT = minutes(2)
store = FencedDynamoDBPersistenceLayer(longest_run=TIMEOUT)


@idempotent_function(data_keyword_argument="order", persistence_store=store, key_prefix="confirmation")
def send_confirmation(order: str) -> str:
    """Send it, and answer the receipt's number: from memory, if it was sent before."""
    SENT.append(order)
    return f"receipt {len(SENT)}"


class ConfirmOrder(JobArgs, kind="guide.confirm-order"):
    """Which order."""

    order: str


@job(ConfirmOrder, timeout=TIMEOUT)
def confirm_order(args: ConfirmOrder, context: JobContext) -> str:
    """Confirm it once, whichever job of this tenant asks."""
    return send_confirmation(order=f"{context.tenant}/{args.order}")
