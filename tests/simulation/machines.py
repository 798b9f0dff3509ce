"""Step Functions: it runs the compiled machines of sagas, sends their messages and lets their time pass.

An execution goes on at once when it is told something, as the interpreter of `tidemill.testing.machines` does it.
What it sends can fail, come though it failed, and come late.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tests.simulation.calls import aws_error
from tests.simulation.cloud import machine_arn, queue_of, queue_url
from tests.simulation.faults import Fault
from tidemill.domain.saga.machine import compiled
from tidemill.testing.machines import Run

if TYPE_CHECKING:
    from tests.simulation.world import World

Document = dict[str, Any]

# How long a message of a machine is on its way.
_ON_ITS_WAY_MS: Final = (1, 1, 2, 5, 30, 900, 20_000, 150_000)
# How long the end of an execution may be missing in its history.
_LATE_MS: Final = 1_000
# A saga waits 90 days for a person. No schedule lasts so long.
_NEVER_MS: Final = 60 * 86_400_000
_UNSENT: Final = (Fault.THROTTLE, Fault.ERROR, Fault.UNSENT)
_SENT: Final = (Fault.ERROR_AFTER, Fault.ACK_LOST)


class SendError(Exception):
    """SQS did not take the message, or did not say so."""


class StepFunctions:
    """The state machines of a world's sagas.

    Attributes:
        runs: the executions by name. `began`: when each was started, Unix milliseconds.
        machines: the definitions by the saga's name. `deafens`: how long Step Functions is down after the next start.
    """

    def __init__(self, world: World) -> None:
        self._world = world
        self.runs: dict[str, Run] = {}
        self.began: dict[str, int] = {}
        self.deafens = 0
        self._tokens = 0
        registry = world.deployment.registry
        lanes = registry.lanes
        self.machines = {
            name: compiled(saga, lambda lane: queue_url(queue_of(lanes[lane]))) for name, saga in registry.sagas.items()
        }
        self._operations: Mapping[str, Callable[[Document], Document]] = {
            "StartExecution": self._start,
            "DescribeExecution": self._describe,
            "GetExecutionHistory": self._history,
            "SendTaskSuccess": self._succeed,
            "SendTaskFailure": self._fail,
        }
        world.cloud.others["stepfunctions"] = self.call

    def call(self, operation: str, arguments: Document) -> Document:
        """Carry out one operation.

        Raises:
            ClientError: it is refused.
            NotImplementedError: this fake does not know it.
        """
        if operation not in self._operations:
            raise NotImplementedError(operation)
        return self._operations[operation](arguments)

    def abort(self, name: str) -> bool:
        """Somebody stops an execution at the console; whether it ran."""
        run = self.runs[name]
        if run.status != "RUNNING":
            return False
        self._world.tell("aborted", name)
        run.abort(self._now_ms())
        return True

    # --- the operations ---------------------------------------------------------------------------

    def _start(self, arguments: Document) -> Document:
        # API Reference, StartExecution: the same name and input while it runs is answered as the first time.
        name, given = arguments["name"], json.loads(arguments["input"])
        saga = arguments["stateMachineArn"].rpartition(":")[2]
        assert arguments["stateMachineArn"] == machine_arn(saga)
        before = self.runs.get(name)
        if before is not None and (before.status != "RUNNING" or before.given != given):
            raise aws_error("StartExecution", "ExecutionAlreadyExists")
        if before is None:
            context = {"Execution": {"Name": name}}
            run = Run(self.machines[saga], given, context, self._send, self._token)
            self.runs[name], self.began[name] = run, self._now_ms()
            self._world.tell("execution", saga, name)
            run.begin(self._now_ms())
            self._wind(run)
            self._deafen()
        return {"executionArn": _arn(saga, name), "startDate": _date(self.began[name])}

    def _describe(self, arguments: Document) -> Document:
        run, name = self._found("DescribeExecution", arguments)
        answer = {"status": run.status, "input": json.dumps(run.given), "startDate": _date(self.began[name])}
        if run.status != "RUNNING":
            answer["stopDate"] = _date(run.events[-1][0])
        if run.status == "SUCCEEDED":
            answer["output"] = json.dumps(run.output)
        said = {"error": run.error, "cause": run.cause}
        return {**answer, **{key: value for key, value in said.items() if value is not None}}

    def _history(self, arguments: Document) -> Document:
        run, _ = self._found("GetExecutionHistory", arguments)
        first, most = int(arguments.get("nextToken", "0")), arguments["maxResults"]
        events = [_event(*event, run.entered.get(place)) for place, event in enumerate(run.events)]
        # API Reference, GetExecutionHistory: it may not reflect what is very recent.
        if run.status != "RUNNING" and self._now_ms() < run.events[-1][0] + _LATE_MS:
            events = events[: len(events) - self._world.rng.choice((0, 0, 1, 3))]
        if arguments.get("reverseOrder"):
            events.reverse()
        answer: Document = {"events": events[first : first + most]}
        if len(run.events) > first + most:
            answer["nextToken"] = str(first + most)
        return answer

    def _succeed(self, arguments: Document) -> Document:
        run = self._waiting("SendTaskSuccess", arguments)
        run.succeed(arguments["taskToken"], arguments["output"], self._now_ms())
        self._wind(run)
        return {}

    def _fail(self, arguments: Document) -> Document:
        run = self._waiting("SendTaskFailure", arguments)
        run.fail(arguments["taskToken"], arguments["error"], arguments["cause"], self._now_ms())
        self._wind(run)
        return {}

    # --- inside -----------------------------------------------------------------------------------

    def _deafen(self) -> None:
        if self.deafens:
            until_ms, self.deafens = self._now_ms() + self.deafens, 0
            self._world.later(self._now_ms() + 1, lambda: self._world.take_down("stepfunctions", until_ms))

    def _found(self, operation: str, arguments: Document) -> tuple[Run, str]:
        name = arguments["executionArn"].rpartition(":")[2]
        if name not in self.runs:
            raise aws_error(operation, "ExecutionDoesNotExist")
        return self.runs[name], name

    def _waiting(self, operation: str, arguments: Document) -> Run:
        token = arguments["taskToken"]
        run = next((run for run in self.runs.values() if token in run.tokens), None)
        if run is None:
            raise aws_error(operation, "TaskTimedOut")
        self._world.tell("reported", operation, token)
        return run

    def _send(self, url: str, body: str) -> None:
        """SQS's SendMessage, as Step Functions calls it: what it does not hear back is sent again by the machine."""
        world = self._world
        fault = world.faults.at_call("SendMessage")
        if fault in _UNSENT:
            world.strike(fault)
            raise SendError(fault.value)
        way = world.rng.choice(_ON_ITS_WAY_MS) if world.faults.is_on(Fault.REORDER) else 1
        world.later(world.scheduler.now_ms + way, partial(self._deliver, url, body))
        if fault in _SENT:
            world.strike(fault)
            raise SendError(fault.value)

    def _deliver(self, url: str, body: str) -> None:
        self._world.cloud.call("sqs", "SendMessage", {"QueueUrl": url, "MessageBody": body})
        self._world.tell("sent", body)
        self._world.poke()

    def _wind(self, run: Run) -> None:
        """Let its next time come, if anybody will see it."""
        at_ms = run.next_at()
        if at_ms is not None and at_ms < self._now_ms() + _NEVER_MS:
            self._world.scheduler.at(at_ms, partial(self._ring, run))

    def _ring(self, run: Run) -> None:
        due = run.next_at()
        if due is not None and due <= self._now_ms():
            run.tick(self._now_ms())
            self._wind(run)

    def _token(self) -> str:
        self._tokens += 1
        return f"token-{self._tokens}"

    def _now_ms(self) -> int:
        return self._world.scheduler.now_ms


def _arn(saga: str, name: str) -> str:
    return f"{machine_arn(saga).replace(':stateMachine:', ':execution:')}:{name}"


def _date(at_ms: int) -> datetime:
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def _event(at_ms: int, what: str, state: str, error: str, data: str | None) -> Document:
    if data is not None:
        return {"timestamp": _date(at_ms), "type": what, "stateEnteredEventDetails": {"name": state, "input": data}}
    return {"timestamp": _date(at_ms), "type": what, f"{what[0].lower()}{what[1:]}EventDetails": {"error": error}}
