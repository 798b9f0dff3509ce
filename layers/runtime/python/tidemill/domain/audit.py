"""The audit trail: which operator did what, when, and what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

# An entry is a record, not a list: with so many ids of 85 characters it stays within nine write units.
MAX_AUDITED_JOBS: Final = 100


class Outcome(StrEnum):
    """What became of an action."""

    # Nothing is known of its end: it still runs, or whoever ran it died.
    STARTED = "started"
    DONE = "done"
    # It ended before all of it was done: a canary died, the caller left, the time was up.
    STOPPED = "stopped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One action. Times are Unix milliseconds. It holds no arguments.

    Attributes:
        id: a UUIDv7 of the moment it began, so that entries sort by time.
        actor: who: an AWS ARN, the subject of a token, or `unknown`.
        action: `redrive`, `edit`, `purge`, `webhook.rotate` and the like.
        tenant: whose jobs; None for all tenants.
        chosen: the filter, by field, and with what care (`rate`, `canary`, `after`).
        manner: how jobs were to run again: `resume`, `restart`, `from_step <name>`; "" where that means nothing.
        counts: what was done, by name (`redriven`, `failed`, `purged`, ...).
        jobs: which jobs, `<tenant>/<id>`, the first hundred: those that are meant, as far as they are known, and
            from the end on also all others that something was done with.
        error: the code of what ended it, if something did.
    """

    id: str
    at: int
    actor: str
    action: str
    tenant: str | None = None
    chosen: Mapping[str, str] = field(default_factory=dict)
    manner: str = ""
    outcome: Outcome = Outcome.STARTED
    ended_at: int | None = None
    counts: Mapping[str, int] = field(default_factory=dict)
    jobs: tuple[str, ...] = ()
    error: str | None = None
