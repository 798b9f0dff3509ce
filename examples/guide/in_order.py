"""Jobs that must not overtake each other: the changes of one account, in the order they were made."""

from tidemill import DEFAULT_LANES, JobArgs, JobClient, JobContext, JobRegistry, Lane, job

# Stands for the other system: balances by account.
balances: dict[str, int] = {}


class MirrorBalance(JobArgs, kind="guide.mirror-balance"):
    """What an account holds since its last change."""

    account: str
    cents: int


@job(MirrorBalance, lane="accounts")
def mirror_balance(args: MirrorBalance, context: JobContext) -> str:
    """Tell the other system, unless it knows better already."""
    version, known = context.sequence or 0, context.previous_sequence
    if known is not None and known > version:
        return f"stale: version {known} is there"
    balances[args.account] = args.cents
    skipped = version - (known or 0) - 1
    return f"version {version}, {skipped} before it never got here" if skipped else f"version {version}"


registry = JobRegistry(mirror_balance, lanes=(*DEFAULT_LANES, Lane("accounts", fifo=True)))


def balance_changed(client: JobClient, account: str, version: int, cents: int) -> str:
    """Called for each change, in order; the account's own version is the number. Answers the job's id."""
    asked = MirrorBalance(account=account, cents=cents)
    return client.submit(asked, key=f"{account}:{version}", entity=account, sequence=version).job_id
