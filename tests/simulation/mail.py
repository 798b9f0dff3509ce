"""What a message is about, read from its body."""

from __future__ import annotations

from functools import lru_cache

from tests.simulation.cloud import Message
from tidemill.domain.message import Delivery
from tidemill.service.reception import Enveloped, receive
from tidemill.service.refusal import refused_ref


def job_of(message: Message) -> str:
    """The job (`tenant#id`) that a message carries, or the record of its refusal."""
    return _job_of(message.id, message.body)


@lru_cache(maxsize=4_096)
def _job_of(message_id: str, body: str) -> str:
    (received,) = receive([Delivery(message_id, "", body, 0, 0)])
    ref = received.envelope.ref if isinstance(received, Enveloped) else refused_ref(received)
    return f"{ref.tenant}#{ref.id}"
