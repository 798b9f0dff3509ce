"""Every number of a lane follows from what its jobs declare."""

import pytest

from tests.infrastructure.stacks import REGISTRY, Synthesised
from tidemill.domain import limits
from tidemill.domain.sizing import size_lane

LANES = {"critical": "Critical", "bulk": "Bulk", "media-gpu": "MediaGpu", "orders": "Orders"}


@pytest.fixture(params=LANES)
def lane(request):
    return REGISTRY.lanes[request.param]


@pytest.fixture
def sizing(lane):
    return size_lane(lane, REGISTRY.in_lane(lane.name))


def test_queue_numbers(production: Synthesised, lane, sizing):
    queue = production.properties(f"Queue{LANES[lane.name]}")

    assert queue["VisibilityTimeout"] == sizing.visibility_timeout.total_seconds()
    assert queue["MessageRetentionPeriod"] == 4 * 86_400
    assert queue["RedrivePolicy"]["maxReceiveCount"] == (100 if lane.fifo else limits.MAX_RECEIVES)
    assert queue["SqsManagedSseEnabled"] is True


def test_bulk_lane_in_plain_numbers(production: Synthesised):
    """Written out by hand, so that a wrong derivation can't agree with itself."""
    # Two waves of fifty jobs of 120 s, and 15 s beside them.
    assert production.properties("WorkerBulk")["Timeout"] == 255
    assert production.properties("QueueBulk")["VisibilityTimeout"] == 6 * 255 + 5
    mapping = production.properties("MappingBulk")
    assert (mapping["BatchSize"], mapping["MaximumBatchingWindowInSeconds"]) == (100, 5)
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 20}


def test_a_fifo_lane_is_fifo_to_its_end(production: Synthesised):
    queue, dlq = production.properties("QueueOrders"), production.properties("DlqOrders")

    assert (queue["QueueName"], dlq["QueueName"]) == ("tidemill-orders.fifo", "tidemill-orders-dlq.fifo")
    for one in (queue, dlq):
        assert one["FifoQueue"] is True
        assert (one["DeduplicationScope"], one["FifoThroughputLimit"]) == ("messageGroup", "perMessageGroupId")
        # Each send has an id of its own; equal bodies are different jobs.
        assert not one.get("ContentBasedDeduplication")
        assert "DelaySeconds" not in one
    mapping = production.properties("MappingOrders")
    assert mapping["BatchSize"] == 1
    assert "MaximumBatchingWindowInSeconds" not in mapping
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": 10}


def test_no_other_lane_is_fifo(production: Synthesised):
    fifo = {id_ for id_, queue in production.of_type("AWS::SQS::Queue").items() if "FifoQueue" in queue["Properties"]}

    assert fifo == {"QueueOrders", "DlqOrders"}


def test_dlq_outlives_its_source_and_takes_no_other(production: Synthesised, lane):
    name = LANES[lane.name]
    dlq = production.properties(f"Dlq{name}")
    source = production.properties(f"Queue{name}")

    assert source["RedrivePolicy"]["deadLetterTargetArn"] == {"Fn::GetAtt": [f"Dlq{name}", "Arn"]}
    assert dlq["MessageRetentionPeriod"] == 14 * 86_400
    assert dlq["SqsManagedSseEnabled"] is True
    policy = dlq["RedriveAllowPolicy"]
    assert policy["redrivePermission"] == "byQueue"
    (arn,) = policy["sourceQueueArns"]
    assert "".join(part if isinstance(part, str) else "*" for part in arn["Fn::Join"][1]).endswith(source["QueueName"])


def test_worker_is_sized_for_its_lane(production: Synthesised, lane, sizing):
    worker = production.properties(f"Worker{LANES[lane.name]}")

    assert worker["Timeout"] == sizing.function_timeout.total_seconds()
    assert worker["MemorySize"] == lane.memory_mb
    assert worker["RecursiveLoop"] == "Allow"
    assert worker["Handler"] == "worker.handler.handler"


def test_mapping_reports_single_failures(production: Synthesised, lane):
    mapping = production.properties(f"Mapping{LANES[lane.name]}")

    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["EventSourceArn"] == {"Fn::GetAtt": [f"Queue{LANES[lane.name]}", "Arn"]}
    assert mapping["FunctionName"] == {"Ref": f"Worker{LANES[lane.name]}"}
    assert mapping["BatchSize"] == lane.batch_size
    assert mapping["ScalingConfig"] == {"MaximumConcurrency": lane.max_concurrency}
    assert "ProvisionedPollerConfig" not in mapping


def test_every_lane_is_there_and_no_other(production: Synthesised):
    assert len(production.of_type("AWS::Lambda::EventSourceMapping")) == len(LANES)
    # A queue and a DLQ each, and where the janitor's failed ticks and those of schedules go.
    assert len(production.of_type("AWS::SQS::Queue")) == 2 * len(LANES) + 2


def test_every_queue_refuses_plain_http(production: Synthesised):
    refused = {
        queue["Ref"]
        for policy in production.of_type("AWS::SQS::QueuePolicy").values()
        for queue in policy["Properties"]["Queues"]
        for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        if statement["Effect"] == "Deny" and statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    }
    assert refused == set(production.of_type("AWS::SQS::Queue"))
