"""What facts are caused by: the ids that an append takes over from whoever appends."""

from __future__ import annotations

from dataclasses import dataclass

from tidemill.domain.names import check_sequence, check_trace


@dataclass(frozen=True, slots=True)
class Causes:
    """Carried by every fact of an append.

    Attributes:
        correlation_id: of the request that it all began with; None: each fact begins with itself.
        causation_id: the job or fact that caused it. `traceparent`: of W3C Trace Context.
        hops: how many jobs caused each other before it.

    Raises:
        InputError: one can't be carried: it is no printable ASCII of at most 64 characters.
    """

    correlation_id: str | None = None
    causation_id: str | None = None
    traceparent: str | None = None
    hops: int = 0

    def __post_init__(self) -> None:
        for name in ("correlation_id", "causation_id", "traceparent"):
            check_trace(getattr(self, name), name)
        check_sequence(self.hops, "hops")


NO_CAUSES = Causes()
