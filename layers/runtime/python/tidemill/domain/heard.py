"""Which fact a job was made of, as its envelope carries it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidemill.domain.errors import InputError
from tidemill.domain.names import check_entity, check_event_type, check_job_id, check_sequence, check_version


@dataclass(frozen=True, slots=True)
class Heard:
    """Which fact a job was made of.

    Attributes:
        id: the fact's. `type`: the event's. `version`: of its schema.
        at: when it happened, Unix milliseconds.
        subject: what it is about. `sequence`: its number among the facts of its subject.
    """

    id: str
    type: str
    at: int
    version: int = 1
    subject: str | None = None
    sequence: int | None = None

    def document(self) -> dict[str, Any]:
        """As it stands in an envelope."""
        optional = {"subject": self.subject, "sequence": self.sequence}
        required = {"id": self.id, "type": self.type, "at": self.at, "version": self.version}
        return {**required, **{name: value for name, value in optional.items() if value is not None}}


def heard_of(document: object) -> Heard:
    """What an envelope says of the fact that its job was made of.

    Raises:
        InputError: it is ill-formed.
    """
    if not isinstance(document, dict):
        raise InputError.at("heard", f"must be a JSON object, not {type(document).__name__}", "type")
    subject, sequence = document.get("subject"), document.get("sequence")
    return Heard(
        check_job_id(document.get("id"), "heard.id"),
        check_event_type(document.get("type"), "heard.type"),
        check_sequence(document.get("at"), "heard.at"),
        check_version(document.get("version", 1), "heard.version"),
        None if subject is None else check_entity(subject, "heard.subject"),
        None if sequence is None else check_sequence(sequence, "heard.sequence"),
    )
