"""The jobs table, as the service layer writes and reads it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import UnavailableError
from tidemill.domain.failure import Failure
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State, Verb
from tidemill.domain.message import Held
from tidemill.domain.notice import Notice
from tidemill.domain.outcome import Verdict
from tidemill.domain.payload import Stored

if TYPE_CHECKING:
    from tidemill.domain.outbox import Outbound

# --- answers -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Written:
    """The move was written; `job` is the record after it, `before` the record it was made from."""

    job: Job
    before: Job | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The condition did not hold; `job` is the record as it stood, None if there is none."""

    job: Job | None


@dataclass(frozen=True, slots=True)
class Unwritten:
    """Nothing is known to have been written: AWS throttled or failed."""

    error: UnavailableError


Answer: TypeAlias = Written | Refused | Unwritten

# --- requests ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Claim:
    """One worker's wish to run one job. Times are Unix milliseconds, `ttl_s` Unix seconds."""

    ref: JobRef
    fingerprint: str
    owner: str
    held: Held
    now_ms: int
    lease_until: int
    ttl_s: int


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The end of one claim: the job as claimed, the verdict, and the envelope that carried it.

    Park and Bury keep the envelope in the table, so that the job can be sent again from there.
    """

    job: Job
    verdict: Verdict
    envelope: Envelope | None
    now_ms: int
    # The jobs that are told of the end, written in one transaction with it.
    notices: tuple[Notice, ...] = ()
    # The version of the code that ran, which the evidence of a failure keeps.
    code: str = ""
    # What the outbox gets in one transaction with it.
    outbounds: tuple[Outbound, ...] = ()


@dataclass(frozen=True, slots=True)
class AttemptFailure:
    """The stored evidence of one failed attempt.

    Attributes:
        code: the version of the code that failed, "" if the deployment named none.
    """

    generation: int
    attempt: int
    at: int
    failure: Failure
    code: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """Some jobs, and the cursor of the next ones (None: there are no more)."""

    jobs: tuple[Job, ...]
    cursor: str | None = None


class JobStore(Protocol):
    """The jobs table, written."""

    def insert(self, jobs: Sequence[Job]) -> list[Answer]:
        """Write each record if its job has none yet; `Refused` carries the one that is there."""

    def refuse(self, dead: Job, evidence: AttemptFailure) -> Answer:
        """Write the dead record of a message that can't become a job, together with why, if there is no record yet.

        Both or neither; `Refused` carries the record that is there.

        Raises:
            ValueError: the record is not dead; a bug of the caller.
        """

    def claim(self, claims: Sequence[Claim]) -> list[Answer]:
        """Make each job running if `claimable_at < now` and the fingerprint is equal.

        `Written.before` is the record before the claim; `Refused.job` is None if there is no record.
        """

    def conclude(self, conclusions: Sequence[Conclusion]) -> list[Answer]:
        """Record each verdict if the job still runs under the same fence.

        Evidence and envelope are written before the state, so that no dead or parked job is without them. What the
        outbox gets is written in one transaction with the state: both or neither.
        """

    def move(
        self,
        verb: Verb,
        before: Job,
        after: Job,
        notices: tuple[Notice, ...] = (),
        *,
        forget: str | None = None,
        outbounds: Sequence[Outbound] = (),
    ) -> Answer:
        """Write `after` if the record is still `before` in state, fence, generation and claimable_at.

        Notices are written in one transaction with it; ones that exist are left as they are. So is what the generation
        that this opens is to `forget` (see `Wish`): no attempt of it can miss that; and what the outbox gets.

        Raises:
            ValueError: `verb` does not lead from `before` to `after`; a bug of the caller.
        """

    def keep(self, envelopes: Sequence[Envelope], ttl_s: Sequence[int]) -> list[UnavailableError | None]:
        """Store envelopes so that the table owns them; idempotent by fingerprint."""

    def keep_longer(self, job: Job, ttl_s: int) -> UnavailableError | None:
        """Keep the stored envelope of the job until `ttl_s` (Unix seconds) at least. Nothing else of it changes.

        Nothing happens where there is none, or one that is kept longer.
        """

    def extend(self, job: Job, lease_until: int, progress: str | None) -> Answer:
        """Let the lease of a running job last until `lease_until` (Unix ms) and show its progress, if it is given.

        `Written.job` is the record after it, so that its holder learns whether the job was asked to stop.
        """


class JobReader(Protocol):
    """The jobs table, read. Every read of one job is consistent."""

    def find(self, refs: Sequence[JobRef]) -> list[Job | None]:
        """The records of these jobs, None where there is none."""

    def envelope_of(self, job: Job) -> Envelope | None:
        """The stored envelope of a job that owns its arguments."""

    def result_of(self, job: Job) -> str | Stored | None:
        """The result as JSON text, or the receipt of a large one."""

    def failures_of(self, ref: JobRef) -> list[AttemptFailure]:
        """The failed attempts, oldest first."""

    def waiting(self, state: State, tenant: str | None, limit: int, cursor: str | None) -> Page:
        """Jobs that are `scheduled`, `retrying` or `dead`, of one tenant or (None) of all.

        By tenant, then earliest first (when they are due, when they died), in each shard. The cursor of
        one tenant's listing holds nothing of another's.

        Raises:
            InputError: the cursor is not one of ours, or no index holds the state.
        """

    def due(self, until_ms: int, limit: int, cursor: str | None) -> Page:
        """Jobs of all tenants that the table answers for and that were due by `until_ms`, earliest first in each shard.

        Scheduled ones, and running ones that were claimed straight from there (`Job.watched`).

        Raises:
            InputError: the cursor is not one of ours.
        """

    def recent(self, tenant: str, kind: str, day: str, limit: int, cursor: str | None) -> Page:
        """Jobs of one kind submitted on `day` (`2026-11-22`, UTC), newest first in each shard.

        Raises:
            InputError: the cursor is not one of ours.
        """
