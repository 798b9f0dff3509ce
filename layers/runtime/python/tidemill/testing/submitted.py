"""What was submitted, as the tests of a submitter want to see it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Generic, TypeVar

from tidemill.domain.args import JobArgs
from tidemill.domain.envelope import Envelope
from tidemill.domain.job import Job, JobRef
from tidemill.domain.ports import Payloads
from tidemill.domain.registry import JobRegistry
from tidemill.service.refusal import is_refusal
from tidemill.testing.store import MemoryStore

A = TypeVar("A", bound=JobArgs)


@dataclass(frozen=True, slots=True)
class Submitted(Generic[A]):
    """One job that was accepted.

    Attributes:
        args: as the worker will see them.
        delay: from its submit to when it may start.
    """

    ref: JobRef
    kind: str
    args: A
    lane: str
    key: str | None
    delay: timedelta
    envelope: Envelope = field(repr=False)

    @property
    def tenant(self) -> str:
        """Whose job it is."""
        return self.ref.tenant

    @property
    def job_id(self) -> str:
        """The job's id."""
        return self.ref.id

    def __str__(self) -> str:
        said = [f"{self.kind} {self.args!r} of {self.tenant} in lane {self.lane}"]
        if self.key is not None:
            said.append(f"under key {self.key!r}")
        if self.delay:
            said.append(f"in {self.delay}")
        return " ".join(said)


@dataclass
class Ledger:
    """Every envelope that went to a queue or into the table, with its lane if it is known."""

    seen: dict[JobRef, list[tuple[str | None, Envelope]]] = field(default_factory=dict)

    def saw(self, call: str, arguments: Sequence[Any], answer: Any) -> None:
        """Note what a call carried and what of it was accepted."""
        if call == "send":
            lane, sends = arguments
            envelopes = [send.envelope for send in sends]
        elif call == "keep":
            lane, envelopes = None, arguments[0]
        else:
            return
        for envelope, error in zip(envelopes, answer, strict=True):
            if error is None:
                self.seen.setdefault(envelope.ref, []).append((lane, envelope))

    def submitted(self, store: MemoryStore, registry: JobRegistry, payloads: Payloads) -> list[Submitted[Any]]:
        """Every job, in the order they were submitted."""
        found = dict(self.seen)
        for (ref, _), envelope in store.envelopes.items():
            found.setdefault(ref, [(None, envelope)])
        refs = [*found, *(ref for ref, job in store.jobs.items() if ref not in found and not is_refusal(job))]
        made = [_submitted(store.jobs.get(ref), found.get(ref, []), registry, payloads) for ref in refs]
        return [one for one in made if one is not None]


def _submitted(
    job: Job | None, seen: list[tuple[str | None, Envelope]], registry: JobRegistry, payloads: Payloads
) -> Submitted[Any] | None:
    mine = [(lane, envelope) for lane, envelope in seen if job is None or job.fingerprint == envelope.fingerprint]
    if not mine:
        return None
    # The last one: a rerun may ask for another lane and delay than the first.
    lane, envelope = mine[-1]
    data = envelope.args if envelope.stored is None else payloads.get(envelope.ref, envelope.stored)
    delay_ms = max((envelope.not_before or 0) - envelope.submitted_at, 0)
    return Submitted(
        ref=envelope.ref,
        kind=envelope.kind,
        args=registry.resolve(envelope.kind).args_type.from_message(data, envelope.version),
        lane=job.lane if job is not None else lane or "",
        key=envelope.key,
        delay=timedelta(milliseconds=delay_ms),
        envelope=envelope,
    )
