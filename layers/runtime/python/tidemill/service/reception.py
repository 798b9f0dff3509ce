"""From deliveries to what they ask for: a job to claim, a message to submit, or a message to refuse."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from tidemill.domain.envelope import Envelope, decode, is_envelope, parse_body
from tidemill.domain.errors import InputError
from tidemill.domain.message import Delivery, Held


@dataclass(frozen=True, slots=True)
class Enveloped:
    """A delivery that carries a job."""

    delivery: Delivery
    envelope: Envelope

    @property
    def held(self) -> Held:
        """The physical send that was delivered."""
        return Held(self.envelope.send_id, self.delivery.sent_at)


@dataclass(frozen=True, slots=True)
class Foreign:
    """A plain message of another system, parsed but not yet checked: it has no send id and is never claimed."""

    delivery: Delivery
    document: object


@dataclass(frozen=True, slots=True)
class Unreadable:
    """A message that is no strict JSON, or an envelope that is not whole."""

    delivery: Delivery
    error: InputError
    # What was parsed of it, None where it is no JSON.
    document: object = None


Received: TypeAlias = Enveloped | Foreign | Unreadable


def receive(deliveries: Iterable[Delivery]) -> list[Received]:
    """Read each delivery; a bad one never disturbs its neighbours."""
    return [_read(delivery) for delivery in deliveries]


def owner_of(request_id: str, delivery: Delivery) -> str:
    """A lease holder's name: one receive of one message in one invocation, in 16 characters."""
    material = f"{request_id}/{delivery.message_id}/{delivery.receives}"
    return hashlib.sha256(material.encode("utf-8")).hexdigest()[:16]


def _read(delivery: Delivery) -> Received:
    document: object = None
    try:
        document = parse_body(delivery.body)
        if not is_envelope(document):
            return Foreign(delivery, document)
        return Enveloped(delivery, decode(document))
    except InputError as error:
        return Unreadable(delivery, error, document)
