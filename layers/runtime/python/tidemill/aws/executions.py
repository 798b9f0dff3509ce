"""The executions of sagas' state machines in Step Functions. See `tidemill.domain.ports.Executions`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, code_of, raise_for
from tidemill.domain.errors import InputError, SettingsError, UnavailableError
from tidemill.domain.ports import Execution, ExecutionStatus, HistoryEvent, Left
from tidemill.settings import PREFIX

if TYPE_CHECKING:
    from tidemill.aws.clients import Clients

# API Reference, GetExecutionHistory: at most 1,000 events a page. An execution has at most 25,000.
_PAGE: Final = 1_000
# Each may have 256 KiB of data with it.
_LATEST: Final = 20
# API Reference, HistoryEvent: type.
_ENDS: Final = frozenset({"ExecutionAborted", "ExecutionFailed", "ExecutionSucceeded", "ExecutionTimedOut"})


class StepFunctionsExecutions:
    """`Executions` of one stack.

    Arguments:
        machines: the ARN of each saga's state machine by the saga's name.
    """

    def __init__(self, clients: Clients, machines: Mapping[str, str]) -> None:
        self._clients = clients
        self._machines = machines

    def start(self, saga: str, name: str, given: dict[str, Any]) -> bool:
        """See Executions."""
        document = json.dumps(given, separators=(",", ":"))
        try:
            self._clients.step_functions.start_execution(stateMachineArn=self._machine(saga), name=name, input=document)
        except AwsError as error:
            # API Reference, StartExecution: the same name and input while it runs is no error, and no second one.
            if code_of(error) == "ExecutionAlreadyExists":
                return False
            raise_for("start_saga", error)
        return True

    def look(self, saga: str, name: str) -> Execution | None:
        """See Executions."""
        try:
            found = self._clients.step_functions.describe_execution(executionArn=self._arn(saga, name))
        except AwsError as error:
            if code_of(error) == "ExecutionDoesNotExist":
                return None
            raise_for("look_at_saga", error)
        return Execution(
            name=name,
            status=ExecutionStatus(found["status"]),
            given=json.loads(found.get("input") or "{}"),
            started_at=_ms(found["startDate"]),
            stopped_at=_ms(found["stopDate"]) if found.get("stopDate") else None,
            output=json.loads(found["output"]) if found.get("output") else None,
            error=found.get("error"),
            cause=found.get("cause"),
        )

    def history(self, saga: str, name: str) -> list[HistoryEvent]:
        """See Executions."""
        return [*map(_event, self._events({"executionArn": self._arn(saga, name), "maxResults": _PAGE}))]

    def left(self, saga: str, name: str, states: Collection[str]) -> Left | None:
        """See Executions. API Reference, GetExecutionHistory: it is consistent in the end, and may lack what is new."""
        has_ended = False
        asked = {"executionArn": self._arn(saga, name), "maxResults": _LATEST, "reverseOrder": True}
        for event in self._events(asked):
            has_ended = has_ended or event["type"] in _ENDS
            details = event.get("stateEnteredEventDetails")
            if details is None or details["name"] not in states:
                continue
            if not has_ended:
                break
            return Left(details["name"], json.loads(details["input"]))
        if not has_ended:
            raise UnavailableError("history_of_saga", "its history does not tell its end yet")
        return None

    def _events(self, asked: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
        """None if its 90 days are over."""
        while True:
            try:
                page = self._clients.step_functions.get_execution_history(**asked)
            except AwsError as error:
                if code_of(error) == "ExecutionDoesNotExist":
                    return
                raise_for("history_of_saga", error)
            yield from page["events"]
            if not page.get("nextToken"):
                return
            asked = {**asked, "nextToken": page["nextToken"]}

    def _machine(self, saga: str) -> str:
        if saga not in self._machines:
            problem = f"names no state machine of saga {saga!r}"
            if not self._machines:
                raise SettingsError(f"{PREFIX}SAGAS", problem)
            raise InputError.at("saga", f"{saga!r} is not deployed. Fix: deploy the stack again", "unknown_saga")
        return self._machines[saga]

    def _arn(self, saga: str, name: str) -> str:
        # Developer Guide, "Resource types": ...:stateMachine:<machine> and ...:execution:<machine>:<execution>.
        return f"{self._machine(saga).replace(':stateMachine:', ':execution:')}:{name}"


def _event(event: Mapping[str, Any]) -> HistoryEvent:
    details: dict[str, Any] = next((value for key, value in event.items() if key.endswith("EventDetails")), {})
    return HistoryEvent(_ms(event["timestamp"]), event["type"], details.get("name", ""), details.get("error", ""))


def _ms(at: datetime) -> int:
    return int(at.timestamp() * 1000)
