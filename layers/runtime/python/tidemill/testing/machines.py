"""An interpreter for the state machines that Tidemill makes: Pass, Choice, Task with a token, Parallel, Succeed, Fail.

It stands in for Step Functions in tests. What it does not know it refuses, so that a machine that passes here has
nothing in it that was not looked at.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias

from tidemill.testing.paths import PathError, filled, found, placed

State: TypeAlias = Mapping[str, Any]
# Sends a message body to a queue; raises for a fault of the service.
SendTo: TypeAlias = Callable[[str, str], object]

_SEND_AND_WAIT: Final = "arn:aws:states:::sqs:sendMessage.waitForTaskToken"
_RUNTIME: Final = "States.Runtime"


@dataclass(eq=False)
class Flow:
    """One place of an execution: that of the whole machine, or of a branch.

    Attributes:
        token: of the task it waits for, until `deadline` (Unix ms). `again_at`: when it tries its state once more.
        tries: how often each retrier of the state was used.
    """

    states: Mapping[str, State]
    data: Any
    parent: Flow | None = None
    at: str = ""
    token: str | None = None
    deadline: int | None = None
    again_at: int | None = None
    tries: dict[int, int] = field(default_factory=dict)
    branches: list[Flow] = field(default_factory=list)
    is_over: bool = False

    def all(self) -> Iterator[Flow]:
        """This one and all that it waits for."""
        yield self
        for branch in self.branches:
            yield from branch.all()

    def stop(self) -> None:
        """Nothing of it goes on; nobody waits for its tokens."""
        for one in self.all():
            one.token, one.deadline, one.again_at, one.is_over = None, None, None, True


@dataclass(eq=False)
class Run:
    """One execution.

    Arguments:
        context: what `$$` names beside the token.
        send: sends a task's message. `token`: makes the next one.

    Attributes:
        transitions: states entered, which is what Step Functions charges for; retries included.
        events: (Unix ms, what, state, error). `entered`: the data of each state entered, as JSON, by the event's place.
    """

    definition: State
    given: Any
    context: Mapping[str, Any]
    send: SendTo
    token: Callable[[], str]
    status: str = "RUNNING"
    output: Any = None
    error: str | None = None
    cause: str | None = None
    transitions: int = 0
    events: list[tuple[int, str, str, str]] = field(default_factory=list)
    entered: dict[int, str] = field(default_factory=dict)
    flow: Flow = field(init=False)

    def begin(self, now_ms: int) -> None:
        """Enter the first state."""
        self.flow = Flow(self.definition["States"], self.given)
        self.events.append((now_ms, "ExecutionStarted", "", ""))
        self._enter(self.flow, self.definition["StartAt"], now_ms)

    @property
    def tokens(self) -> dict[str, Flow]:
        """What is waited for."""
        return {flow.token: flow for flow in self.flow.all() if flow.token is not None}

    def next_at(self) -> int | None:
        """When something happens by itself, Unix milliseconds."""
        times = [at for flow in self.flow.all() for at in (flow.deadline, flow.again_at) if at is not None]
        return min(times, default=None)

    def tick(self, now_ms: int) -> None:
        """Let everything happen that is due: timeouts, and tries again."""
        for flow in list(self.flow.all()):
            if flow.deadline is not None and flow.deadline <= now_ms:
                self._fail(flow, "States.Timeout", "", now_ms)
            elif flow.again_at is not None and flow.again_at <= now_ms:
                flow.again_at = None
                self._do(flow, now_ms)

    def succeed(self, token: str, output: str, now_ms: int) -> None:
        """What SendTaskSuccess does. KeyError if nobody waits."""
        flow = self.tokens[token]
        self._leave(flow, json.loads(output), now_ms)

    def fail(self, token: str, error: str, cause: str, now_ms: int) -> None:
        """What SendTaskFailure does. KeyError if nobody waits."""
        self._fail(self.tokens[token], error, cause, now_ms)

    def abort(self, now_ms: int) -> None:
        """What StopExecution does."""
        self._end("ABORTED", now_ms)

    # --- inside -----------------------------------------------------------------------------------

    def _enter(self, flow: Flow, name: str, now_ms: int) -> None:
        flow.at, flow.tries = name, {}
        self._do(flow, now_ms)

    def _do(self, flow: Flow, now_ms: int) -> None:
        state = flow.states[flow.at]
        self.transitions += 1
        self.entered[len(self.events)] = json.dumps(flow.data)
        self.events.append((now_ms, f"{state['Type']}StateEntered", flow.at, ""))
        try:
            getattr(self, f"_{state['Type'].lower()}")(flow, state, now_ms)
        except PathError as error:
            self._end("FAILED", now_ms, error=_RUNTIME, cause=str(error))

    def _pass(self, flow: Flow, state: State, now_ms: int) -> None:
        result = found(state.get("InputPath", "$"), flow.data, self.context)
        if "Parameters" in state:
            result = filled(state["Parameters"], result, self.context)
        self._leave(flow, result, now_ms)

    def _choice(self, flow: Flow, state: State, now_ms: int) -> None:
        for choice in state["Choices"]:
            if self._holds(choice, flow):
                return self._enter(flow, choice["Next"], now_ms)
        return self._enter(flow, state["Default"], now_ms)

    def _holds(self, rule: State, flow: Flow) -> bool:
        if "Not" in rule:
            return not self._holds(rule["Not"], flow)
        if "And" in rule:
            return all(self._holds(one, flow) for one in rule["And"])
        if "IsPresent" in rule:
            return self._is_present(rule["Variable"], flow) is bool(rule["IsPresent"])
        return self._compares(rule, flow)

    def _is_present(self, path: str, flow: Flow) -> bool:
        try:
            found(path, flow.data, self.context)
        except PathError:
            return False
        return True

    def _compares(self, rule: State, flow: Flow) -> bool:
        value = found(rule["Variable"], flow.data, self.context)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        match next(name for name in rule if name not in ("Variable", "Next")):
            case "IsNull":
                return (value is None) is bool(rule["IsNull"])
            case "StringEquals":
                return isinstance(value, str) and value == rule["StringEquals"]
            case "BooleanEquals":
                return isinstance(value, bool) and value == rule["BooleanEquals"]
            case "NumericEquals":
                return is_number and value == rule["NumericEquals"]
            case "NumericGreaterThan":
                return is_number and value > rule["NumericGreaterThan"]
            case "NumericLessThan":
                return is_number and value < rule["NumericLessThan"]
            case other:
                raise NotImplementedError(f"choice rule {other}")

    def _task(self, flow: Flow, state: State, now_ms: int) -> None:
        if state["Resource"] != _SEND_AND_WAIT:
            raise NotImplementedError(f"task {state['Resource']}")
        flow.token = self.token()
        flow.deadline = now_ms + state["TimeoutSeconds"] * 1000
        asked = filled(state["Parameters"], flow.data, {**self.context, "Task": {"Token": flow.token}})
        try:
            self.send(asked["QueueUrl"], json.dumps(asked["MessageBody"], separators=(",", ":")))
        except Exception as error:  # noqa: BLE001 - whatever the queue raises is a fault of the service
            self._fail(flow, "SQS.SdkClientException", str(error), now_ms)

    def _parallel(self, flow: Flow, state: State, now_ms: int) -> None:
        flow.branches = [Flow(branch["States"], flow.data, flow) for branch in state["Branches"]]
        for branch, machine in zip(list(flow.branches), state["Branches"], strict=True):
            if not branch.is_over:
                self._enter(branch, machine["StartAt"], now_ms)

    def _succeed(self, flow: Flow, state: State, now_ms: int) -> None:  # noqa: ARG002 - as every state
        self._finish(flow, now_ms)

    def _fail(self, flow: Flow, state: Any, cause: Any, now_ms: int = 0) -> None:
        """The state Fail, and every failure of another."""
        if isinstance(state, Mapping):
            return self._broken(flow, state["Error"], state.get("Cause", ""), cause)
        flow.token = flow.deadline = None
        here = flow.states[flow.at]
        self.events.append((now_ms, f"{here['Type']}Failed", flow.at, state))
        for place, retrier in enumerate(here.get("Retry", ())):
            if _matches(retrier["ErrorEquals"], state):
                used = flow.tries.get(place, 0)
                if used < retrier["MaxAttempts"]:
                    flow.tries[place] = used + 1
                    wait = min(retrier["IntervalSeconds"] * retrier["BackoffRate"] ** used, retrier["MaxDelaySeconds"])
                    flow.again_at = now_ms + int(wait * 1000)
                    return None
                break
        for catcher in here.get("Catch", ()):
            if _matches(catcher["ErrorEquals"], state):
                flow.data = placed(catcher["ResultPath"], flow.data, {"Error": state, "Cause": cause})
                return self._enter(flow, catcher["Next"], now_ms)
        return self._broken(flow, state, cause, now_ms)

    def _broken(self, flow: Flow, error: str, cause: str, now_ms: int) -> None:
        """Nothing catches it here: the whole group fails, or the execution."""
        if flow.parent is None:
            return self._end("FAILED", now_ms, error=error, cause=cause)
        group = flow.parent
        for branch in group.branches:
            branch.stop()
        group.branches = []
        return self._fail(group, error, cause, now_ms)

    def _leave(self, flow: Flow, result: Any, now_ms: int) -> None:
        flow.token = flow.deadline = None
        state = flow.states[flow.at]
        if "ResultSelector" in state:
            result = filled(state["ResultSelector"], result, self.context)
        flow.data = placed(state.get("ResultPath", "$"), flow.data, result)
        if state.get("End"):
            self._finish(flow, now_ms)
        else:
            self._enter(flow, state["Next"], now_ms)

    def _finish(self, flow: Flow, now_ms: int) -> None:
        flow.is_over = True
        if flow.parent is None:
            self.output = flow.data
            self._end("SUCCEEDED", now_ms)
        elif all(branch.is_over for branch in flow.parent.branches):
            results = [branch.data for branch in flow.parent.branches]
            flow.parent.branches = []
            self._leave(flow.parent, results, now_ms)

    def _end(self, status: str, now_ms: int, *, error: str | None = None, cause: str | None = None) -> None:
        self.status, self.error, self.cause = status, error, cause
        self.flow.stop()
        self.events.append((now_ms, f"Execution{status.title().replace('_', '')}", "", error or ""))


def _matches(names: list[str], error: str) -> bool:
    # Step Functions Developer Guide, "Handling errors": these two are caught by no wildcard.
    if error in (_RUNTIME, "States.DataLimitExceeded"):
        return False
    return error in names or "States.ALL" in names or ("States.TaskFailed" in names and error != "States.Timeout")
