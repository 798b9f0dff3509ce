"""Values for tests: each builder makes a whole, valid thing; a test names only what it is about."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from tidemill import JobArgs
from tidemill.domain.classify import Classification, FailureClass
from tidemill.domain.contract import fingerprint_of
from tidemill.domain.envelope import Envelope
from tidemill.domain.failure import Failure
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.message import Delivery, Held
from tidemill.domain.outcome import Raised

NOW = 1_800_000_000_000
SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

REF = JobRef("acme", time_ordered_id(NOW, 7))
SEND_ID = time_ordered_id(NOW, 1)
OTHER_SEND_ID = time_ordered_id(NOW, 2)
# Stands in arguments, results and error texts that must never reach a log.
CANARY = "canary-3f9a77"

FINAL = (State.SUCCEEDED, State.DEAD, State.CANCELLED, State.EXPIRED)
WAITING = (State.SCHEDULED, State.QUEUED, State.RETRYING)


class Greet(JobArgs, kind="test.greet"):
    name: str = "ada"
    times: int = 1


def a_send_id(number: int, at_ms: int = NOW) -> str:
    return time_ordered_id(at_ms, number)


def some_args(**values: Any) -> bytes:
    return json.dumps(values or {"name": "ada", "times": 1}, sort_keys=True, separators=(",", ":")).encode()


def an_envelope(**changes: Any) -> Envelope:
    args = changes.pop("args", some_args())
    envelope = Envelope(
        send_id=SEND_ID,
        ref=REF,
        kind="test.greet",
        args=args,
        fingerprint=fingerprint_of(args),
        submitted_at=NOW,
        correlation_id=REF.id,
    )
    return replace(envelope, **changes)


def a_job(state: State = State.QUEUED, **changes: Any) -> Job:
    """A record in `state`, with the attributes that a record in that state has."""
    final = state in FINAL
    claims = 0 if state in {State.SCHEDULED, State.QUEUED} else 1
    job = Job(
        ref=REF,
        kind="test.greet",
        lane="default",
        state=state,
        fingerprint=an_envelope().fingerprint,
        created_at=NOW,
        claimable_at=None if final else 0,
        ttl_s=(NOW + 19 * DAY) // 1000,
        attempt=claims,
        fence=claims,
        concluded=0 if state is State.RUNNING else claims,
        owner="somebody" if claims else None,
        held=Held(SEND_ID, NOW) if claims else None,
        started_at=NOW if claims else None,
        finished_at=NOW if final else None,
        keep_until=NOW + 7 * DAY if final else None,
        owns_args=state in {State.DEAD, State.SCHEDULED},
    )
    return replace(job, **changes)


def a_delivery(body: str | Envelope | None = None, **changes: Any) -> Delivery:
    text = body if isinstance(body, str) else (body or an_envelope()).encode()
    delivery = Delivery(message_id="message-1", receipt="receipt-1", body=text, sent_at=NOW, receives=1)
    return replace(delivery, **changes)


def a_failure(**changes: Any) -> Failure:
    return replace(Failure("ValueError", "no luck", "Traceback ...", "0123456789abcdef"), **changes)


def a_raise(kind: FailureClass = FailureClass.TRANSIENT, reason: str = "error", wait: Any = None) -> Raised:
    return Raised(a_failure(), Classification(kind, wait), reason)


class Telemetry:
    """Remembers what operators would have heard."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def count(self, name: str, value: int = 1) -> None:
        self.counts[name] = self.counts.get(name, 0) + value

    def note(self, event: str, **fields: object) -> None:
        self.lines.append(("note", event, fields))

    def alert(self, event: str, **fields: object) -> None:
        self.lines.append(("alert", event, fields))

    def events(self, level: str | None = None) -> list[str]:
        return [event for found, event, _ in self.lines if level in (None, found)]


def moved(dlq: Any, lane: str, chosen: Any, most: int, *search: int) -> list[Delivery]:
    """Put up to `most` of the chosen messages of a DLQ back, in one walk."""
    gone: list[Delivery] = []

    def step() -> int:
        return most - len(gone)

    for some in dlq.move(lane, chosen, step, *search):
        gone.extend(some)
    return gone
