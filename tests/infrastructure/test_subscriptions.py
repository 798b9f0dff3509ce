"""Subscriptions: who may send what to which queue, and that a program in which nothing hears has none."""

import json

import pytest

from tests.infrastructure.stacks import Synthesised, make_thumbnail, send_receipt, synthesise
from tests.unit.domain.test_event import FACT
from tests.unit.domain.test_subscription import Pack, Placed
from tidemill import DEFAULT_LANES, JobArgs, JobRegistry, Lane, job
from tidemill.domain.fact_message import read_fact_message
from tidemill.events import on

BULK, ORDERS = "SubscriptionWarehousePackOnOrderPlaced", "SubscriptionWarehouseCountOnOrderPlaced"


class Count(JobArgs, kind="warehouse.count"):
    order: str


LANES = (*DEFAULT_LANES, Lane("orders", fifo=True))
HEARS = (
    on(Placed)(job(Pack, lane="bulk")(lambda args, ctx: None)),
    on(Placed)(job(Count, lane="orders")(lambda args, ctx: None)),
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    def add_packs(app: App) -> None:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))

    registry = JobRegistry(make_thumbnail, send_receipt, *HEARS, lanes=LANES, events=[Placed])
    return synthesise(tmp_path_factory.mktemp("subscriptions"), registry=registry, prepare=add_packs)


def target(stack: Synthesised, rule: str) -> dict:
    (only,) = stack.properties(rule)["Targets"]
    return only


def policy_of(stack: Synthesised, queue: str) -> list[dict]:
    return [
        statement
        for policy in stack.of_type("AWS::SQS::QueuePolicy").values()
        if policy["Properties"]["Queues"] == [{"Ref": queue}]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Allow"
    ]


def test_nothing_is_found_that_no_waiver_names(stack: Synthesised):
    assert stack.error == ""
    assert stack.violations() == []


def test_a_rule_sends_facts_of_one_type_to_the_lane_of_the_job(stack: Synthesised):
    rule = stack.properties(BULK)

    assert rule["EventBusName"] == {"Ref": "EventsBus"}
    assert rule["EventPattern"] == {"detail-type": ["order.placed"], "detail": {"specversion": ["1.0"]}}
    assert target(stack, BULK)["Arn"] == {"Fn::GetAtt": ["QueueBulk", "Arn"]}


def test_what_the_rule_writes_is_what_the_worker_reads(stack: Synthesised):
    transformer = target(stack, BULK)["InputTransformer"]
    event = {"detail": FACT.cloud_event("/tidemill/shop"), "replay-name": "monday"}
    text = transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        value = event[path.removeprefix("$.")]
        text = text.replace(f"<{name}>", value if isinstance(value, str) else json.dumps(value))

    message = read_fact_message(json.loads(text))

    assert (message.fact, message.kind, message.replay) == (FACT, "warehouse.pack", "monday")


def test_a_lane_in_order_hears_by_a_standard_lane(stack: Synthesised):
    route = next(lane.name for lane in DEFAULT_LANES)

    assert target(stack, ORDERS)["Arn"] == {"Fn::GetAtt": [f"Queue{route.capitalize()}", "Arn"]}
    assert {f"Worker{route.capitalize()}", "WorkerOrders"} <= set(stack.resources[ORDERS]["DependsOn"])


@pytest.mark.parametrize("rule", [BULK, ORDERS])
def test_what_can_not_be_sent_is_tried_for_a_day_and_kept(stack: Synthesised, rule: str):
    assert target(stack, rule)["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["SubscriptionDlq", "Arn"]}}
    assert target(stack, rule)["RetryPolicy"] == {"MaximumEventAgeInSeconds": 86_400, "MaximumRetryAttempts": 185}
    assert stack.properties("SubscriptionDlq")["MessageRetentionPeriod"] == 14 * 86_400


@pytest.mark.parametrize(("queue", "rules"), [("QueueBulk", [BULK]), ("SubscriptionDlq", [BULK, ORDERS])])
def test_eventbridge_may_send_for_these_rules_and_no_others(stack: Synthesised, queue: str, rules: list[str]):
    (statement,) = policy_of(stack, queue)

    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Action"] == "sqs:SendMessage"
    assert statement["Condition"] == {
        "StringEquals": {"aws:SourceAccount": {"Ref": "AWS::AccountId"}},
        "ArnEquals": {"aws:SourceArn": [{"Fn::GetAtt": [rule, "Arn"]} for rule in rules]},
    }


def test_a_queue_of_a_lane_that_hears_nothing_lets_nobody_in(stack: Synthesised):
    assert policy_of(stack, "QueueOrders") == []


def test_what_was_not_sent_is_an_alarm(stack: Synthesised):
    alarms = [name for name in stack.of_type("AWS::CloudWatch::Alarm") if "SubscriptionDlqArrival" in name]

    assert len(alarms) == 1


def test_a_program_in_which_nothing_hears_has_none(production: Synthesised):
    assert not [name for name in production.resources if "Subscription" in name]
