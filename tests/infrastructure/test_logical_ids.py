"""Logical ids that a refactoring may not change: CloudFormation would replace what holds data or messages."""

import pytest

from tests.infrastructure.stacks import Synthesised

LASTING = {
    "JobsTable": "AWS::DynamoDB::Table",
    "IdempotencyRecords": "AWS::DynamoDB::Table",
    "Payloads": "AWS::S3::Bucket",
    "Media": "AWS::S3::Bucket",
    "QueueCritical": "AWS::SQS::Queue",
    "DlqCritical": "AWS::SQS::Queue",
    "QueueMediaGpu": "AWS::SQS::Queue",
    "DlqMediaGpu": "AWS::SQS::Queue",
    "QueueOrders": "AWS::SQS::Queue",
    "DlqOrders": "AWS::SQS::Queue",
    "JanitorFailedTicks": "AWS::SQS::Queue",
    "ScheduleDlq": "AWS::SQS::Queue",
    "ScheduleGroup": "AWS::Scheduler::ScheduleGroup",
    "WorkerCritical": "AWS::Lambda::Function",
    "WorkerMediaGpu": "AWS::Lambda::Function",
    "Api": "AWS::Lambda::Function",
    "Janitor": "AWS::Lambda::Function",
    "HttpApi": "AWS::ApiGatewayV2::Api",
    "MappingCritical": "AWS::Lambda::EventSourceMapping",
    "JanitorTick": "AWS::Events::Rule",
}


@pytest.mark.parametrize("logical_id", LASTING)
def test_lasting_id(production: Synthesised, logical_id):
    assert production.resources[logical_id]["Type"] == LASTING[logical_id]


def test_queues_are_named_after_stack_and_lane(production: Synthesised):
    """The names are part of the pair's policy, and what an operator looks for in the console."""
    assert production.properties("QueueMediaGpu")["QueueName"] == "tidemill-media-gpu"
    assert production.properties("DlqMediaGpu")["QueueName"] == "tidemill-media-gpu-dlq"


def test_all_other_stateful_resources_are_known(production: Synthesised):
    stateful = {
        id_
        for type_ in ("AWS::DynamoDB::Table", "AWS::S3::Bucket", "AWS::SQS::Queue")
        for id_ in production.of_type(type_)
    }
    assert stateful - set(LASTING) == {"QueueBulk", "DlqBulk"}
