"""The lane of webhooks: its worker has what it needs, and what it signs with is its own."""

import json

import pytest

from tests.infrastructure.stacks import HANDLER, Synthesised, release, synthesise
from tests.infrastructure.test_event_store import balances
from tests.infrastructure.test_functions import resolve
from tests.infrastructure.test_permissions import JOBS, RECORD, XRAY, every
from tests.infrastructure.test_relay import PictureMade
from tests.streams import account
from tests.unit.sagas.orders import JOBS as STEPS
from tests.unit.sagas.orders import place_order
from tidemill import JobArgs, JobRegistry, Lane, job
from tidemill.settings import RuntimeSettings
from tidemill_cdk.permissions import TABLE_SECRETS
from tidemill_cdk.template import statements, texts


class Place(JobArgs, kind="shop.place"):
    """Anything."""


@job(Place, webhook="orders")
def place(args, ctx):
    """Nothing."""


OTHERS = ("WorkerDefault", "Api", "Janitor")


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    registry = JobRegistry(place, lanes=(Lane("default"),), webhooks=["orders"])
    return synthesise(tmp_path_factory.mktemp("webhooks"), registry=registry)


@pytest.fixture(scope="module")
def with_everything(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    """Webhooks beside all else that gives rights to workers: answers, sagas, an outbox, an event store, read models."""
    registry = JobRegistry(
        *(place, release, *STEPS),
        webhooks=["orders"],
        sagas=[place_order],
        events=[PictureMade],
        streams=[account],
        projections=[balances],
    )
    folder = tmp_path_factory.mktemp("everything")
    (folder / "code" / "projector").mkdir(parents=True)
    (folder / "code" / "projector" / "handler.py").write_text(HANDLER)
    return synthesise(folder, registry=registry)


def of_role(stack, function):
    role = stack.properties(function)["Role"]["Fn::GetAtt"][0]
    policies = {
        id_
        for id_, policy in stack.of_type("AWS::IAM::Policy").items()
        if {"Ref": role} in policy["Properties"]["Roles"]
    }
    return [statement for id_, statement in statements(stack.resources) if id_ in policies]


def pairs(found):
    return {
        (action, resource)
        for statement in found
        for action in texts(statement["Action"])
        for resource in texts(statement["Resource"])
        if not action.startswith("logs:")
    }


@pytest.mark.parametrize("program", ["stack", "with_everything"])
def test_the_worker_of_webhooks_may_do_this_and_nothing_else(program, request):
    found = of_role(request.getfixturevalue(program), "WorkerWebhooks")

    assert {statement["Effect"] for statement in found} == {"Allow"}
    assert pairs(found) == (
        every(
            ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage"],
            "<QueueWebhooks.Arn>",
        )
        | every(["sqs:SendMessage"], "<QueueWebhooks.Arn>")
        | every(RECORD, JOBS)
        | XRAY
    )


@pytest.mark.parametrize("function", OTHERS)
def test_no_other_function_reads_or_writes_a_secret(stack, function):
    (denied,) = [statement for statement in of_role(stack, function) if statement["Effect"] == "Deny"]

    assert denied["Condition"] == {"ForAnyValue:StringLike": {"dynamodb:LeadingKeys": ["#webhook#*"]}}
    assert texts(denied["Resource"]) == [JOBS]
    allowed = pairs(statement for statement in of_role(stack, function) if statement["Effect"] == "Allow")
    on_the_table = {action for action, resource in allowed if resource == JOBS}
    assert on_the_table <= set(texts(denied["Action"])) == set(TABLE_SECRETS)


def test_a_lane_of_its_own_with_its_dlq_and_its_alarms(stack):
    assert {"QueueWebhooks", "DlqWebhooks", "WorkerWebhooks"} <= set(stack.resources)


def test_the_command_line_is_told_the_names_and_no_function_is(stack):
    settings = json.loads(resolve(stack.template["Outputs"]["Settings"]["Value"]))
    assert RuntimeSettings.from_env(settings).webhooks == ("orders",)
    told = [function["Properties"]["Environment"] for function in stack.of_type("AWS::Lambda::Function").values()]
    assert told
    assert "TIDEMILL_WEBHOOKS" not in str(told)


def test_a_program_without_webhooks_has_none_of_it(production: Synthesised):
    assert not [id_ for id_ in production.resources if "Webhook" in id_]
    assert not [statement for _, statement in statements(production.resources) if statement.get("Condition", {}).get(
        "ForAnyValue:StringLike"
    )]  # fmt: skip
