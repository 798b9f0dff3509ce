"""What a caller hears of a saga that is not there, or does not allow what is asked. See `tidemill.domain.errors`."""

from __future__ import annotations

from tidemill.domain.errors import TidemillError


class SagaNotFoundError(TidemillError):
    """No such saga for this tenant: never started, or it ended more than 90 days ago."""

    code = "saga_not_found"

    def __init__(self, tenant: str, name: str, saga_id: str) -> None:
        super().__init__(
            f"tenant {tenant!r} has no saga {saga_id!r} of {name!r}. Fix: check the id, the tenant and the name"
        )
        self.tenant = tenant
        self.saga_id = saga_id


class SagaStateError(TidemillError):
    """The saga's state does not allow the verb, e.g. cancelling it after its pivot."""

    code = "saga_state"

    def __init__(self, verb: str, saga_id: str, state: str, fix: str) -> None:
        super().__init__(f"saga {saga_id} is {state}: it can't be {verb}. Fix: {fix}")
        self.verb = verb
        self.saga_id = saga_id
        self.state = state
