"""What the outbox holds: jobs and facts that a transaction has committed and the relay has not sent yet."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final, TypeAlias
from zlib import crc32

from tidemill.domain import limits
from tidemill.domain.definition import OnFinal
from tidemill.domain.envelope import Envelope
from tidemill.domain.fact import Fact
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State

# The reason in the record of a job that a look finds there.
IN_OUTBOX: Final = "in_outbox"


@dataclass(frozen=True, slots=True)
class OutboundJob:
    """A submit that was committed and not sent yet.

    Attributes:
        envelope: what will be sent. Its send id names this submit alone: each send gets one of its own, so that two
            transactions with one key leave two rows, neither of which overwrites the other.
        lane: where it will be sent. `written_at`: when it came into the outbox, as well as its writer knew, Unix
            milliseconds. `on_final`: what it means if its key's job is over. `durable_args`: see Submission.
    """

    envelope: Envelope
    lane: str
    written_at: int
    on_final: OnFinal = OnFinal.RETURN
    durable_args: bool = False

    @property
    def ref(self) -> JobRef:
        """The job."""
        return self.envelope.ref

    @property
    def name(self) -> str:
        """Its name in the outbox."""
        return f"{jobs_named(self.ref)}{self.envelope.send_id}"

    @property
    def shard(self) -> int:
        """Its part of the outbox."""
        return shard_of(self.ref.id)

    def record(self, now_ms: int) -> Job:
        """How the job is shown before it has a record."""
        job = self.envelope.record(self.lane, State.QUEUED, now_ms // 1000 + _LOOK_S)
        return replace(job, reason=IN_OUTBOX)


@dataclass(frozen=True, slots=True)
class OutboundFact:
    """A fact that was committed and not published yet.

    Attributes:
        id, type, tenant, at: the fact's. `text`: what goes to the bus, the same bytes at each send.
        written_at: when it came into the outbox, as well as its writer knew, Unix milliseconds.
    """

    id: str
    type: str
    tenant: str
    at: int
    text: str
    written_at: int

    @classmethod
    def of(cls, fact: Fact, source: str) -> OutboundFact:
        """The fact as `source` publishes it, written at the moment at which it happened."""
        return cls(fact.id, fact.type, fact.tenant, fact.at, fact.text(source), fact.at)

    @property
    def name(self) -> str:
        """Its name in the outbox."""
        return f"fact#{self.tenant}#{self.id}"

    @property
    def shard(self) -> int:
        """Its part of the outbox."""
        return shard_of(self.id)


Outbound: TypeAlias = OutboundJob | OutboundFact

_LOOK_S: Final = int(limits.STATE_HORIZON.total_seconds())


def written(outbounds: Iterable[Outbound], now_ms: int) -> tuple[Outbound, ...]:
    """The same, written now: what was made earlier has stood in no outbox until then."""
    return tuple(replace(outbound, written_at=now_ms) for outbound in outbounds)


def jobs_named(ref: JobRef) -> str:
    """What the names of all submits of one job begin with. No tenant holds a '#'."""
    return f"job#{ref.tenant}#{ref.id}#"


def shard_of(uuid: str) -> int:
    """Which part of the outbox a job or a fact is in."""
    return crc32(uuid.encode()) % limits.OUTBOX_SHARDS


def source_of(stack: str) -> str:
    """Who publishes the facts of a stack: CloudEvents' `source`, a URI reference."""
    return f"/tidemill/{stack}"


def size_of(outbound: Outbound) -> int:
    """About how many bytes it is in a transaction: what it says, and names around it."""
    text = outbound.text if isinstance(outbound, OutboundFact) else outbound.envelope.encode()
    return len(text.encode()) + limits.OUTBOX_OVERHEAD_BYTES
