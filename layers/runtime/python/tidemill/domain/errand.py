"""What a job of a saga carries beside its arguments: which saga and step it is for, and whom its end is reported to."""

from __future__ import annotations

import hashlib
import uuid
from dataclasses import dataclass
from typing import Any, Final

from tidemill.domain import limits
from tidemill.domain.errors import InputError
from tidemill.domain.job import JobRef
from tidemill.domain.names import check_job_id, check_kind
from tidemill.domain.saga.words import EVERYTHING, Role

_FIELDS: Final = frozenset({"id", "name", "step", "role", "token", "returns", "waits", "done", "undoes"})


@dataclass(frozen=True, slots=True)
class Errand:
    """The place of a job in its saga.

    Attributes:
        saga: the saga's id. `name`: of its declaration. `step`: the step that the job does, undoes or closes.
        role: which of these it does.
        returns: the fields of the result that the saga wants to know; `*` for all of it.
        waits: the saga can't do without it: if the job dies, nothing is reported, and it is redriven one day.
        undoes: the kind of the job that it undoes or closes.
        was_done: the state machine knows that the step has succeeded, whatever is left of its job's record.
    """

    saga: str
    name: str
    step: str
    role: Role = Role.STEP
    returns: tuple[str, ...] = ()
    waits: bool = False
    was_done: bool = False
    undoes: str | None = None

    def job_id(self) -> str:
        """The id of the job that runs this errand: equal for every message of the same saga, step and role."""
        return saga_job_id(self.saga, self.step, self.role)

    def step_job_id(self) -> str:
        """The id of the job that did the step which this one undoes or closes."""
        return saga_job_id(self.saga, self.step, Role.STEP)

    def document(self) -> dict[str, Any]:
        """It as JSON, for an envelope or an item."""
        found: dict[str, Any] = {"id": self.saga, "name": self.name, "step": self.step, "role": self.role.value}
        if self.returns:
            found["returns"] = list(self.returns)
        if self.undoes is not None:
            found["undoes"] = self.undoes
        found.update({name: True for name, said in (("waits", self.waits), ("done", self.was_done)) if said})
        return found


def saga_job_id(saga_id: str, step: str, role: Role) -> str:
    """The id of one job of a saga. A UUIDv8, as those of keys; the saga's id tells tenants apart."""
    digest = hashlib.sha256(f"tidemill saga\n{saga_id}\n{step}\n{role}".encode()).digest()
    value = int.from_bytes(digest[:16], "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    return str(uuid.UUID(int=value))


def errand_of(document: object, field: str = "saga") -> Errand:
    """The errand in a message.

    Raises:
        InputError: a field is missing or ill-formed; it is named.
    """
    if not isinstance(document, dict):
        raise InputError.at(field, f"must be a JSON object, not {type(document).__name__}", "type")
    for name in sorted(set(document) - _FIELDS):
        raise InputError.at(f"{field}.{name}", "is no field of an errand", "extra")
    if (document.get("role") in (Role.UNDO, Role.CLOSE)) is (document.get("undoes") is None):
        raise InputError.at(f"{field}.undoes", "names the kind that an undo or a close ends", "format")
    step, returns = document.get("step"), document.get("returns", [])
    if not (isinstance(step, str) and 0 < len(step) <= limits.MAX_SAGA_STEP_CHARS and step.isidentifier()):
        raise InputError.at(f"{field}.step", "names no step", "format")
    if document.get("role") not in list(Role):
        raise InputError.at(f"{field}.role", f"must be one of {', '.join(Role)}", "format")
    if not (isinstance(returns, list) and all(isinstance(one, str) for one in returns)):
        raise InputError.at(f"{field}.returns", f"must list fields, or {EVERYTHING!r}", "type")
    return Errand(
        saga=check_job_id(document.get("id"), f"{field}.id"),
        name=check_kind(document.get("name"), f"{field}.name"),
        step=step,
        role=Role(document["role"]),
        returns=tuple(returns),
        waits=document.get("waits") is True,
        # In a plain message this is what the step told, or null.
        was_done=bool(document.get("done")),
        undoes=None if document.get("undoes") is None else check_kind(document["undoes"], f"{field}.undoes"),
    )


def token_of(document: dict[str, Any], field: str = "saga") -> str:
    """The task token in a plain message of a state machine.

    Raises:
        InputError: it is missing or ill-formed.
    """
    token = document.get("token")
    longest = limits.MAX_TASK_TOKEN_CHARS
    if not (isinstance(token, str) and 0 < len(token) <= longest and token.isprintable()):
        raise InputError.at(f"{field}.token", f"must be a task token of 1 to {longest} characters", "format")
    return token


@dataclass(frozen=True, slots=True)
class Awaited:
    """A job whose end somebody waits for: under which tokens it is reported, and what for.

    A state that is tried again, or was late, asks under a new token. Which one is the newest nobody has to know: each
    is reported to, and those that nobody waits under do no harm.

    Attributes:
        refused: the id of the record of a message that asked for this job and could not become it, if one did.
    """

    ref: JobRef
    errand: Errand
    tokens: tuple[str, ...]
    refused: str | None = None
