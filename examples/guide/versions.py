"""A charge that used to count in euros and counts in cents now, while jobs of both sorts wait."""

from tidemill import JobArgs, JobContext, job
from tidemill.versions import Document, upcasts


class Charge(JobArgs, kind="guide.charge-card", version=2):
    """What is charged, in cents; version 1 had `euros`."""

    card: str
    cents: int

    @upcasts(1)
    @staticmethod
    def _in_cents(document: Document) -> Document:
        """Version 2 of version 1: JSON in, JSON out, and nothing else touched."""
        document["cents"] = round(document.pop("euros") * 100)
        return document


@job(Charge)
def charge_card(args: Charge, _: JobContext) -> str:
    """The job knows nothing of earlier versions."""
    return f"{args.card}: {args.cents} cents"
