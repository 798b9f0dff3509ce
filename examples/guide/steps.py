"""A job whose effects happen once, as far as that can be had."""

from pydantic import BaseModel

from tidemill import JobArgs, JobContext, job


class Receipt(BaseModel):
    """What the payment provider answers."""

    charge_id: str
    cents: int


class PayOrder(JobArgs, kind="guide.pay-order"):
    """Which order, and how much."""

    order: str
    cents: int


class Provider:
    """A stand-in for a payment provider that recognises a repeated key, as all of them do."""

    def __init__(self) -> None:
        self.charges: dict[str, Receipt] = {}
        self.mails: list[str] = []

    def charge(self, cents: int, key: str) -> Receipt:
        """Charge once per key."""
        return self.charges.setdefault(key, Receipt(charge_id=f"ch-{len(self.charges) + 1}", cents=cents))

    def mail(self, order: str, charge_id: str) -> None:
        """Send a mail. Nothing recognises a repeated one."""
        self.mails.append(f"{order}: {charge_id}")


provider = Provider()


@job(PayOrder)
def pay_order(args: PayOrder, context: JobContext) -> Receipt:
    """Charge, then mail. A later attempt finds both in the job's memory."""
    receipt = context.step("charge", provider.charge, args.cents, context.step_key("charge"))
    context.step("mail", provider.mail, args.order, receipt.charge_id)
    return receipt
