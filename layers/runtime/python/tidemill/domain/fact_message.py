"""A fact for a subscriber: the message that a rule of EventBridge makes of it, and the id of its job."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.envelope import EVENT_FIELD
from tidemill.domain.errors import InputError, Violation
from tidemill.domain.fact import Fact, read_fact
from tidemill.domain.heard import Heard
from tidemill.domain.ids import keyed_job_id

# What the rule's input transformer is to fill in, by its name in the text.
PATHS: Final = {"event": "$.detail", "replay": "$.replay-name"}
_FIELDS: Final = frozenset({EVENT_FIELD, "kind", "replay"})


@dataclass(frozen=True, slots=True)
class FactMessage:
    """One message of a subscription: a fact, for a kind.

    Attributes:
        replay: the name of the replay that sent it again, empty if none did.
    """

    fact: Fact
    kind: str
    replay: str = ""

    def job_id(self, kind: str) -> str:
        """The id of its job: equal however often the fact is sent, and one that no caller's key leads to.

        A replay is asked for so that the facts are handled again: each has its own jobs.
        """
        # No key holds a '#'.
        return keyed_job_id(self.fact.tenant, kind, f"event#{self.fact.id}#{self.replay}")

    @property
    def heard(self) -> Heard:
        """What the job is told of it."""
        fact = self.fact
        return Heard(fact.id, fact.type, fact.at, fact.version, fact.subject, fact.sequence)


def template_of(kind: str) -> str:
    """The text of a rule's input transformer for a subscription of `kind`.

    User Guide of EventBridge, "Input transformation": a name in angle brackets is filled in with its path's value, JSON
    as it is; in quotes it is text, which is empty where the event has no such path.
    """
    return f'{{"{EVENT_FIELD}":<event>,"kind":"{kind}","replay":"<replay>"}}'


def read_fact_message(document: dict[str, Any]) -> FactMessage:
    """The fact in a subscription's message.

    Raises:
        InputError: a field is unknown, missing or bad; each is named.
    """
    unknown = sorted(set(document) - _FIELDS)
    if unknown:
        raise InputError(*(Violation(f"{name:.64}", "is no field of a subscription", "extra") for name in unknown))
    event, replay = document[EVENT_FIELD], document.get("replay", "")
    if not isinstance(event, dict):
        raise InputError.at(EVENT_FIELD, f"must be a JSON object, not {type(event).__name__}", "type")
    if not isinstance(replay, str) or len(replay) > limits.MAX_REPLAY_CHARS:
        raise InputError.at("replay", f"must be a name of at most {limits.MAX_REPLAY_CHARS} characters", "type")
    try:
        return FactMessage(read_fact(event), str(document.get("kind")), replay)
    except InputError as error:
        within = [Violation(f"{EVENT_FIELD}.{one.field}", one.problem, one.code) for one in error.violations]
        raise InputError(*within) from None
