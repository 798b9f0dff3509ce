"""The state machine of each saga: what it is made of, what its role allows, and who may talk to it."""

import json

import pytest

from tests.infrastructure.stacks import Synthesised, synthesise
from tests.infrastructure.test_permissions import allowed
from tests.unit.sagas.orders import JOBS, in_branches, place_order
from tidemill import JobRegistry
from tidemill.domain.saga.linting import findings
from tidemill.domain.saga.machine import compiled
from tidemill_cdk.template import statements, texts

MACHINE = "SagaOrdersPlace"
QUEUE = "<QueueDefault.Arn>"


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    def add_packs(app: App) -> None:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))

    registry = JobRegistry(*JOBS, sagas=[place_order, in_branches])
    return synthesise(tmp_path_factory.mktemp("sagas"), registry=registry, prepare=add_packs)


def definition(stack: Synthesised, machine: str):
    """The definition that is deployed, with `<queue>` for each queue's URL."""
    text = stack.properties(machine)["DefinitionString"]
    parts = text["Fn::Join"][1] if isinstance(text, dict) else [text]
    return json.loads("".join(part if isinstance(part, str) else f"<{part['Ref']}>" for part in parts))


@pytest.mark.parametrize(("machine", "saga"), [(MACHINE, place_order), ("SagaOrdersBranches", in_branches)])
def test_what_is_deployed_is_what_is_compiled_and_passes_the_lint(stack: Synthesised, machine, saga):
    deployed = definition(stack, machine)

    assert findings(deployed) == []
    assert deployed == compiled(saga, lambda lane: f"<Queue{lane.capitalize()}>")


def test_a_machine_is_standard_logged_without_data_and_traced(stack: Synthesised):
    machine = stack.properties(MACHINE)

    assert machine["StateMachineType"] == "STANDARD"
    assert machine["TracingConfiguration"] == {"Enabled": True}
    logging = machine["LoggingConfiguration"]
    assert (logging["Level"], logging["IncludeExecutionData"]) == ("ALL", False)


def test_a_machine_may_send_to_its_lanes_and_nothing_else(stack: Synthesised):
    role = stack.properties(MACHINE)["RoleArn"]["Fn::GetAtt"][0]
    policies = {
        id_
        for id_, policy in stack.of_type("AWS::IAM::Policy").items()
        if {"Ref": role} in policy["Properties"]["Roles"]
    }
    pairs = {
        (action, resource)
        for id_, statement in statements(stack.resources)
        if id_ in policies
        for action in texts(statement["Action"])
        for resource in texts(statement["Resource"])
    }

    assert {pair for pair in pairs if pair[1] != "*"} == {("sqs:SendMessage", QUEUE)}
    assert {action.partition(":")[0] for action, resource in pairs if resource == "*"} == {"logs", "xray"}


@pytest.mark.parametrize(
    ("function", "actions"),
    [
        ("WorkerDefault", {"SendTaskFailure", "SendTaskSuccess"}),
        ("Janitor", {"SendTaskFailure", "SendTaskSuccess"}),
        ("Api", {"StartExecution", "SendTaskFailure"}),
        # No job of a saga runs there.
        ("WorkerBulk", set()),
    ],
)
def test_who_may_talk_to_a_machine(stack: Synthesised, function, actions):
    found = {action for action, resource in allowed(stack, function) if resource == f"<{MACHINE}.Arn>"}

    assert found == {f"states:{action}" for action in actions}


def test_the_api_reads_executions_of_its_sagas_only(stack: Synthesised):
    looks = ("states:DescribeExecution", "states:GetExecutionHistory")
    found = [pair for pair in allowed(stack, "Api") if pair[0] in looks]

    assert found
    assert all(f"execution:<{MACHINE}.Name>:*" in pair[1] or "OrdersBranches" in pair[1] for pair in found)


def test_the_api_knows_the_machines_and_workers_need_not(stack: Synthesised):
    def sagas(function):
        return stack.properties(function)["Environment"]["Variables"].get("TIDEMILL_SAGAS")

    assert MACHINE in json.dumps(sagas("Api"))
    assert sagas("WorkerDefault") == "{}"


def test_a_person_is_called_for_what_no_machine_can_mend(stack: Synthesised):
    ends = {end: stack.properties(f"{MACHINE}{end}") for end in ("Failed", "TimedOut", "Aborted")}

    assert {end: alarm["MetricName"] for end, alarm in ends.items()} == {end: f"Executions{end}" for end in ends}
    assert all(alarm["Dimensions"][0]["Name"] == "StateMachineArn" for alarm in ends.values())
    assert stack.properties("SagasNeedAttentionDefault")["MetricName"] == "SagasNeedAttention"


def test_the_routes_are_there_where_there_are_sagas(stack: Synthesised, production: Synthesised):
    def routes(found: Synthesised):
        return {route["Properties"]["RouteKey"] for route in found.of_type("AWS::ApiGatewayV2::Route").values()}

    more = routes(stack) - routes(production)
    assert more == {
        "GET /sagas/{name}",
        "POST /sagas/{name}",
        "GET /sagas/{name}/{id}",
        "DELETE /sagas/{name}/{id}",
        "GET /sagas/{name}/{id}/history",
        "POST /sagas/{name}/{id}/resume",
    }


def test_nothing_is_found_that_is_not_waived_and_nothing_waived_in_vain(stack: Synthesised):
    assert stack.violations() == []
    assert stack.error == ""
    assert [(scope, name) for scope, name, _ in stack.waivers if (scope, name) not in stack.accepted()] == []
