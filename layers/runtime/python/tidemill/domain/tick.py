"""A tick: one time of a schedule. The message that EventBridge Scheduler sends for it, and the id of its job."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.envelope import TICK_FIELD
from tidemill.domain.errors import DefinitionError, InputError, Violation
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.names import check_schedule

if TYPE_CHECKING:
    from tidemill.domain.definition import JobDefinition
    from tidemill.domain.schedule import Schedule

# User Guide of EventBridge Scheduler, "Adding context attributes": Scheduler writes the time in its place, such as
# 2022-03-22T18:59:43Z, and the same one when it repeats the send.
SCHEDULED_TIME: Final = "<aws.scheduler.scheduled-time>"


@dataclass(frozen=True, slots=True)
class Tick:
    """One time of one schedule.

    Attributes:
        schedule: its name.
        at: the time that was due, Unix milliseconds.
        window_ms: how much later than that it may be sent, because the schedule has a jitter.
    """

    schedule: str
    at: int
    window_ms: int = 0

    def job_id(self, tenant: str, kind: str) -> str:
        """The id of its job: equal however often the tick is sent, and one that no caller's key leads to."""
        # No key holds a '#'.
        return keyed_job_id(tenant, kind, f"tick#{self.schedule}#{self.at}")

    @property
    def cause(self) -> str:
        """What the job names as its cause."""
        return f"schedule:{self.schedule}"

    def is_late(self, now_ms: int) -> bool:
        """Whether it comes so late that somebody should know."""
        return now_ms - self.at > self.window_ms + milliseconds(limits.LATE_TICK)


def tick_message(definition: JobDefinition[Any, Any], schedule: Schedule) -> str:
    """The text that Scheduler is to send for every tick of `schedule`.

    Raises:
        DefinitionError: the arguments don't fit a message, or a worker would refuse them.
    """
    where = f"job {definition.kind!r}: schedule {schedule.name!r}"
    if schedule.args is None or schedule.name is None:
        raise DefinitionError(f"{where} is not bound to a kind. Fix: take it from the definition")
    try:
        args = schedule.args.canonical()
        definition.args_type.from_input(json.loads(args))
    except InputError as error:
        raise DefinitionError(f"{where} has args that a worker refuses: {error}") from error
    if len(args) > limits.MAX_ARGS_BYTES:
        raise DefinitionError(
            f"{where} has args of {len(args)} bytes, the limit is {limits.MAX_ARGS_BYTES}. "
            "Fix: let the job read them from where they are"
        )
    tick: dict[str, object] = {"schedule": schedule.name, "at": SCHEDULED_TIME}
    if schedule.jitter is not None:
        tick["window_seconds"] = int(schedule.jitter.total_seconds())
    document: dict[str, object] = {TICK_FIELD: tick, "kind": definition.kind, "tenant": schedule.tenant}
    if schedule.args.contract_version != 1:
        document["version"] = schedule.args.contract_version
    if schedule.expires_in is not None:
        document["expires_in_seconds"] = schedule.expires_in.total_seconds()
    # What looks like one of Scheduler's attributes in the arguments must not become one. In JSON the sign stands in
    # strings only, where an escape says the same.
    given = args.decode("utf-8").replace("<", "\\u003c")
    return f'{json.dumps(document, separators=(",", ":"))[:-1]},"args":{given}}}'


def read_tick(document: dict[str, Any]) -> Tick:
    """The tick of a plain message.

    Raises:
        InputError: a field is missing, unknown or bad; each is named.
    """
    found = document[TICK_FIELD]
    if not isinstance(found, dict):
        raise InputError.at(TICK_FIELD, f"must be a JSON object, not {type(found).__name__}", "type")
    unknown = sorted(set(found) - {"schedule", "at", "window_seconds"})
    if unknown:
        raise InputError(*(Violation(f"tick.{name:.40}", "is no field of a tick", "extra") for name in unknown))
    return Tick(check_schedule(found.get("schedule"), "tick.schedule"), _at(found.get("at")), _window_ms(found))


def _at(value: object) -> int:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        problem = f"must be a time such as 2026-11-27T09:00:00Z, not {value!r:.60}"
        if value == SCHEDULED_TIME:
            problem += ", which only EventBridge Scheduler fills in. Fix: send the time itself"
        raise InputError.at("tick.at", problem, "format")
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()) * 1000


def _window_ms(found: dict[str, Any]) -> int:
    value = found.get("window_seconds", 0)
    most = int(limits.MAX_SCHEDULE_JITTER.total_seconds())
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= most:
        raise InputError.at("tick.window_seconds", f"must be a whole number of seconds from 0 to {most}", "range")
    return value * 1000
