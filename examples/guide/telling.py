"""A job that is told when another one dies."""

from tidemill import DeathNotice, JobArgs, JobContext, JobRegistry, PermanentError, job


class Charge(JobArgs, kind="guide.charge"):
    """Whom to charge."""

    customer: str


class ChargeDied(DeathNotice, kind="guide.charge-died"):
    """Nothing beside what every notice says."""


@job(Charge, on_dead=ChargeDied)
def charge(args: Charge, _: JobContext) -> None:
    """Fail for good."""
    raise PermanentError(f"{args.customer} has no card")


told: list[str] = []


@job(ChargeDied)
def charge_died(args: ChargeDied, _: JobContext) -> None:
    """Tell a person."""
    told.append(f"{args.dead_kind} died: {args.reason}")


registry = JobRegistry(charge, charge_died)
