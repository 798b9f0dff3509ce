"""The event store: deployed where the registry declares streams, protected, and followed without a loss."""

import pytest
from pydantic import BaseModel

from tests.infrastructure.stacks import HANDLER, REGISTRY, Synthesised, synthesise
from tests.infrastructure.test_permissions import LIST, MATRIX, XRAY, allowed, every
from tests.streams import account
from tidemill import JobRegistry
from tidemill.streams import projection
from tidemill_cdk.rules import lossy_stream
from tidemill_cdk.settings import DeployError

EVENTS, LINES = "<EventsTable.Arn>", "<LinesTable.Arn>"
APPEND = every(["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"], EVENTS) | {
    ("dynamodb:Query", f"{EVENTS}/index/streams")
}
READ = every(["dynamodb:BatchGetItem", "dynamodb:GetItem"], LINES) | {("dynamodb:Query", f"{LINES}/index/groups")}


class Balance(BaseModel):
    cents: int = 0


@projection("balances", of=account, model=Balance)
def balances(line, event, fact):
    return line


def remembering(**declared):
    return JobRegistry(*REGISTRY, lanes=tuple(REGISTRY.lanes.values()), **declared)


@pytest.fixture(scope="module")
def streaming(tmp_path_factory) -> Synthesised:
    """Streams and projections, seen by both packs of cdk-nag."""
    from aws_cdk import Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    folder = tmp_path_factory.mktemp("streaming")
    (folder / "code" / "projector").mkdir(parents=True)
    (folder / "code" / "projector" / "handler.py").write_text(HANDLER)
    return synthesise(
        folder,
        registry=remembering(streams=[account], projections=[balances]),
        prepare=lambda app: Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app)),
    )


@pytest.fixture(scope="module")
def streams_only(tmp_path_factory) -> Synthesised:
    return synthesise(tmp_path_factory.mktemp("only"), registry=remembering(streams=[account]))


def test_nothing_is_there_without_streams(production: Synthesised):
    text = str(production.template)

    assert "EventsTable" not in text
    assert "EVENTS_TABLE" not in text
    assert "Projector" not in text


def test_streams_alone_need_one_table(streams_only: Synthesised, production: Synthesised):
    assert streams_only.error == ""
    added = set(streams_only.resources) - set(production.resources)
    assert added == {"EventsTable"}
    variables = streams_only.properties("WorkerBulk")["Environment"]["Variables"]
    assert variables["TIDEMILL_EVENTS_TABLE"] == {"Ref": "EventsTable"}
    assert "TIDEMILL_LINES_TABLE" not in variables


def test_projections_without_a_projector_are_refused_with_the_fix(tmp_path):
    with pytest.raises(DeployError, match=r"the registry has projections.*projector/handler\.py.*event-store\.md"):
        synthesise(tmp_path, registry=remembering(streams=[account], projections=[balances]))


def test_what_is_synthesised_breaks_no_rule(streaming: Synthesised):
    assert streaming.error == ""
    assert streaming.violations() == []


def test_facts_are_kept_for_ever_and_protected(streaming: Synthesised):
    table = streaming.properties("EventsTable")

    assert streaming.resources["EventsTable"]["DeletionPolicy"] == "Retain"
    assert table["DeletionProtectionEnabled"] is True
    assert table["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert table["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert "TimeToLiveSpecification" not in table
    assert [index["IndexName"] for index in table["GlobalSecondaryIndexes"]] == ["streams"]


def test_who_may_do_what(streaming: Synthesised):
    for worker in ("WorkerCritical", "WorkerOrders"):
        assert allowed(streaming, worker) == MATRIX[worker] | APPEND | READ
    assert allowed(streaming, "Projector") == (
        {("dynamodb:Query", EVENTS), ("sqs:SendMessage", "<ProjectorFailedBatches.Arn>"), ("dynamodb:ListStreams", "*")}
        | every(["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:PutItem"], LINES)
        | every(
            ["dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator"], "<EventsTable.StreamArn>"
        )
        | XRAY
    )
    assert not any(EVENTS in resource for _, resource in allowed(streaming, "Api"))
    assert LIST in {resource for _, resource in allowed(streaming, "Api")}


def test_workers_are_updated_after_the_projector(streaming: Synthesised):
    """An older projector would meet facts that only newer code knows."""
    workers = {name for name in streaming.of_type("AWS::Lambda::Function") if name.startswith("Worker")}

    assert {"WorkerBulk", "WorkerOrders"} <= workers
    for name in workers:
        assert "Projector" in streaming.resources[name]["DependsOn"], name


def test_nobody_may_change_or_delete_a_fact(streaming: Synthesised):
    functions = streaming.of_type("AWS::Lambda::Function")
    actions = {action for name in functions for action, resource in allowed(streaming, name) if resource == EVENTS}

    assert actions == {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query"}


def test_the_stream_is_followed_without_a_loss(streaming: Synthesised):
    mapping = streaming.properties("MappingProjector")

    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["EventsTable", "StreamArn"]}
    assert mapping["MaximumRecordAgeInSeconds"] == 43_200
    assert mapping["DestinationConfig"] == {
        "OnFailure": {"Destination": {"Fn::GetAtt": ["ProjectorFailedBatches", "Arn"]}}
    }
    assert list(lossy_stream(streaming.resources)) == []


@pytest.mark.parametrize(
    "left_out",
    [
        "StartingPosition",
        "BisectBatchOnFunctionError",
        "FunctionResponseTypes",
        "MaximumRetryAttempts",
        "MaximumRecordAgeInSeconds",
        "DestinationConfig",
    ],
)
def test_a_mapping_that_would_lose_records_fails_the_synth(streaming: Synthesised, left_out):
    mapping = streaming.properties("MappingProjector")
    broken = {"Type": "AWS::Lambda::EventSourceMapping", "Properties": {**mapping}}
    del broken["Properties"][left_out]

    (finding,) = lossy_stream({"MappingProjector": broken})
    assert left_out in finding.problem
    assert finding.rule == "stream"


def test_every_alarm_of_it_is_there(streaming: Synthesised):
    alarms = streaming.of_type("AWS::CloudWatch::Alarm")

    assert {"ProjectorBehind", "ProjectorErrors", "ProjectorFailedBatch", "StreamsHalted", "FactsChanged"} <= set(
        alarms
    )
    assert alarms["ProjectorBehind"]["Properties"]["MetricName"] == "IteratorAge"
