"""What can go wrong with a batch, a chain or a graph."""

from __future__ import annotations

from tidemill.domain.errors import TidemillError, UnavailableError


class BatchNotFoundError(TidemillError):
    """No such batch for this tenant: never started, or past its retention."""

    code = "batch_not_found"

    def __init__(self, tenant: str, batch_id: str) -> None:
        super().__init__(
            f"tenant {tenant!r} has no batch {batch_id!r}. Fix: check the id, the tenant and the retention"
        )
        self.tenant = tenant
        self.batch_id = batch_id


class BatchUnfinishedError(UnavailableError):
    """AWS failed before every child of a batch was submitted. Those that were run; the batch waits for the others."""

    code = "batch_unfinished"

    def __init__(self, batch_id: str, submitted: int, size: int, key: str | None, cause: str) -> None:
        super().__init__("start", cause)
        again = (
            "repeat the call with the same key: it goes on from there"
            if key is not None
            else "cancel the batch and start it anew, with a key, so that a repeated call goes on from there"
        )
        self.args = (f"batch {batch_id} is unfinished: {submitted:,} of {size:,} submitted ({cause}). Fix: {again}",)
        self.batch_id = batch_id
        self.submitted = submitted
        self.size = size
