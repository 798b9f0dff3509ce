"""The adapters of sagas against botocore without a network: what is asked, and what each answer means."""

import json
from types import SimpleNamespace

import pytest

from tests.unit.aws.stub import Wire, error
from tidemill.aws.clients import Clients
from tidemill.aws.executions import StepFunctionsExecutions
from tidemill.aws.reports import StepFunctionsReports
from tidemill.aws.tokens import DynamoTaskTokens
from tidemill.domain.errand import Awaited, Errand
from tidemill.domain.errors import InputError, SettingsError, UnavailableError
from tidemill.domain.job import JobRef
from tidemill.domain.ports import ExecutionStatus, Left, Report

_CLIENT = Clients("eu-central-1").step_functions
MACHINE = "arn:aws:states:eu-central-1:111122223333:stateMachine:SagaOrdersPlace-1"
EXECUTION = "arn:aws:states:eu-central-1:111122223333:execution:SagaOrdersPlace-1:x-g1"
NOW = 1_800_000_000.5


def wired(*replies, **options):
    wire = Wire(*replies, **options)
    return wire, SimpleNamespace(step_functions=wire._wired(_CLIENT))


def executions(*replies):
    wire, clients = wired(*replies)
    return wire, StepFunctionsExecutions(clients, {"orders.place": MACHINE})


def test_a_report_is_a_success_or_a_failure():
    wire, clients = wired({}, {})
    reports = [Report("t1", '{"job_id":"j"}'), Report("t2", None, "e" * 300, "c" * 40_000)]

    assert StepFunctionsReports(clients).report(reports) == [None, None]

    asked = sorted(wire.requests, key=lambda request: request[0], reverse=True)
    assert asked[0] == ("SendTaskSuccess", {"taskToken": "t1", "output": '{"job_id":"j"}'})
    assert asked[1] == ("SendTaskFailure", {"taskToken": "t2", "error": "e" * 256, "cause": "c" * 32_768})


@pytest.mark.parametrize("code", ["TaskTimedOut", "TaskDoesNotExist", "InvalidToken"])
@pytest.mark.parametrize("output", ["{}", None])
def test_where_nobody_waits_nothing_is_left_to_do(code, output):
    _, clients = wired(error(code, 400))

    assert StepFunctionsReports(clients).report([Report("t", output, "e", "c")]) == [None]


@pytest.mark.parametrize(
    ("code", "status"), [("ThrottlingException", 400), ("InternalFailure", 500), ("AccessDenied", 400)]
)
def test_what_was_not_told_is_told_again(code, status):
    wire, clients = wired(repeat=error(code, status))

    (found,) = StepFunctionsReports(clients).report([Report("t", "{}")])

    assert isinstance(found, UnavailableError)
    assert wire.operations


def test_an_execution_is_started_under_its_name():
    wire, them = executions({"executionArn": EXECUTION, "startDate": NOW}, error("ExecutionAlreadyExists", 400))

    assert them.start("orders.place", "x-g1", {"saga": "x"}) is True
    assert them.start("orders.place", "x-g1", {"saga": "x"}) is False

    wanted = {"stateMachineArn": MACHINE, "name": "x-g1", "input": '{"saga":"x"}'}
    assert wire.requests == [("StartExecution", wanted)] * 2


def test_an_execution_is_read():
    answer = {
        "executionArn": EXECUTION,
        "stateMachineArn": MACHINE,
        "status": "FAILED",
        "startDate": NOW,
        "stopDate": NOW + 1,
        "input": '{"saga":"x","tenant":"acme"}',
        "error": "States.Runtime",
        "cause": "a path",
    }
    wire, them = executions(answer, error("ExecutionDoesNotExist", 400))

    found = them.look("orders.place", "x-g1")

    assert found is not None
    assert (found.status, found.given["tenant"]) == (ExecutionStatus.FAILED, "acme")
    assert (found.started_at, found.stopped_at, found.error) == (1_800_000_000_500, 1_800_000_001_500, "States.Runtime")
    assert them.look("orders.place", "x-g2") is None
    assert wire.requests[0] == ("DescribeExecution", {"executionArn": EXECUTION})


def test_a_history_is_read_page_by_page():
    first = {"timestamp": NOW, "type": "TaskStateEntered", "id": 1, "stateEnteredEventDetails": {"name": "reserve"}}
    second = {
        "timestamp": NOW,
        "type": "TaskFailed",
        "id": 2,
        "taskFailedEventDetails": {"error": "Tidemill.StepFailed"},
    }
    wire, them = executions({"events": [first], "nextToken": "n"}, {"events": [second]})

    events = them.history("orders.place", "x-g1")

    assert [(event.what, event.state, event.error) for event in events] == [
        ("TaskStateEntered", "reserve", ""),
        ("TaskFailed", "", "Tidemill.StepFailed"),
    ]
    assert [body.get("nextToken") for _, body in wire.requests] == [None, "n"]


def test_a_history_that_is_gone_is_empty():
    _, them = executions(error("ExecutionDoesNotExist", 400))

    assert them.history("orders.place", "x-g1") == []


def entered(name, **data):
    details = {"name": name, "input": json.dumps(data)}
    return {"timestamp": NOW, "type": "TaskStateEntered", "id": 1, "stateEnteredEventDetails": details}


ENDED = {"timestamp": NOW, "type": "ExecutionAborted", "id": 9, "executionAbortedEventDetails": {}}


def test_where_an_execution_was_left_is_read_from_its_end():
    inside = entered("in a branch", x=2)
    wire, them = executions({"events": [ENDED, inside], "nextToken": "n"}, {"events": [entered("group", x=1)]})

    assert them.left("orders.place", "x-g1", {"group", "first"}) == Left("group", {"x": 1})

    asked = {"executionArn": EXECUTION, "maxResults": 20, "reverseOrder": True}
    assert [body for _, body in wire.requests] == [asked, {**asked, "nextToken": "n"}]


def test_an_execution_that_entered_nothing_was_left_nowhere():
    _, them = executions({"events": [ENDED]})

    assert them.left("orders.place", "x-g1", {"group"}) is None


@pytest.mark.parametrize("events", [[], [entered("group")]])
def test_a_history_without_its_end_is_not_believed(events):
    _, them = executions({"events": events})

    with pytest.raises(UnavailableError, match="does not tell its end yet"):
        them.left("orders.place", "x-g1", {"group"})


@pytest.mark.parametrize(
    "call",
    [
        lambda them: them.start("orders.place", "x", {}),
        lambda them: them.look("orders.place", "x"),
        lambda them: them.history("orders.place", "x"),
        lambda them: them.left("orders.place", "x", {"group"}),
    ],
)
def test_aws_that_does_not_answer_is_said_so(call):
    wire, clients = wired(repeat=error("InternalFailure", 500))

    with pytest.raises(UnavailableError):
        call(StepFunctionsExecutions(clients, {"orders.place": MACHINE}))
    assert len(wire.requests) == 3


def test_a_saga_without_a_machine_is_refused_with_its_fix():
    _, clients = wired()

    with pytest.raises(InputError, match=r"'orders\.other' is not deployed"):
        StepFunctionsExecutions(clients, {"orders.place": MACHINE}).look("orders.other", "x")
    with pytest.raises(SettingsError, match="TIDEMILL_SAGAS"):
        StepFunctionsExecutions(clients, {}).look("orders.place", "x")


def test_a_table_that_does_not_answer_says_so():
    tokens = DynamoTaskTokens(Wire(repeat=error("InternalServerError", 500)).dynamodb, "jobs")
    errand = Errand("0196f000-0000-7000-8000-000000000001", "orders.place", "reserve")
    awaited = Awaited(JobRef("acme", errand.job_id()), errand, ("t",))

    (found,) = tokens.keep([awaited], 0)
    assert isinstance(found, UnavailableError)
    with pytest.raises(UnavailableError):
        tokens.find([awaited.ref])
