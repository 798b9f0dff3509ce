"""Each rule has a planted fault that it must find, and a neighbour without the fault that it must not."""

import dataclasses
from copy import deepcopy

import pytest

from tests.infrastructure.stacks import REGISTRY, make_thumbnail, synthesise
from tidemill import JobRegistry, Retry
from tidemill_cdk.naming import worker_id
from tidemill_cdk.rules import find_all, too_many_attempts

SOUND = {
    "Queue": {
        "Type": "AWS::SQS::Queue",
        "Properties": {
            "VisibilityTimeout": 185,
            "MessageRetentionPeriod": 345_600,
            "RedrivePolicy": {"deadLetterTargetArn": {"Fn::GetAtt": ["Dlq", "Arn"]}, "maxReceiveCount": 5},
        },
    },
    "Dlq": {"Type": "AWS::SQS::Queue", "Properties": {"MessageRetentionPeriod": 1_209_600}},
    "Worker": {"Type": "AWS::Lambda::Function", "Properties": {"Timeout": 30}},
    "Mapping": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "EventSourceArn": {"Fn::GetAtt": ["Queue", "Arn"]},
            "FunctionName": {"Ref": "Worker"},
            "MaximumBatchingWindowInSeconds": 5,
            "ScalingConfig": {"MaximumConcurrency": 2},
        },
    },
    "InOrder": {
        "Type": "AWS::SQS::Queue",
        "Properties": {"FifoQueue": True, "RedrivePolicy": {}, "VisibilityTimeout": 180},
    },
    "MappingInOrder": {
        "Type": "AWS::Lambda::EventSourceMapping",
        "Properties": {
            "EventSourceArn": {"Fn::GetAtt": ["InOrder", "Arn"]},
            "FunctionName": {"Ref": "Worker"},
            "BatchSize": 1,
        },
    },
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {"Targets": [{"DeadLetterConfig": {"Arn": {"Fn::GetAtt": ["Failed", "Arn"]}}}]},
    },
    "Failed": {"Type": "AWS::SQS::Queue", "Properties": {}},
    "Schedule": {"Type": "AWS::Scheduler::Schedule", "Properties": {"Target": {"DeadLetterConfig": {"Arn": "arn"}}}},
    "Policy": {
        "Type": "AWS::IAM::Policy",
        "Properties": {
            "PolicyDocument": {
                "Statement": [
                    {"Effect": "Allow", "Action": "s3:GetObject", "Resource": {"Fn::GetAtt": ["Queue", "Arn"]}},
                    {"Effect": "Deny", "Action": "s3:*", "Resource": "*"},
                ]
            }
        },
    },
}


def allow(action, resource):
    return [{"Effect": "Allow", "Action": action, "Resource": resource}]


FAULTS = {
    "visibility": ("Mapping", ["Queue", "VisibilityTimeout"], 184, "visibility"),
    "visibility left out": ("Mapping", ["Queue", "VisibilityTimeout"], None, "visibility"),
    "function slower than its queue": ("Mapping", ["Worker", "Timeout"], 31, "visibility"),
    "retention alike": ("Queue", ["Dlq", "MessageRetentionPeriod"], 345_600, "retention"),
    "retention left out": ("Queue", ["Dlq", "MessageRetentionPeriod"], None, "retention"),
    "pollers": ("Mapping", ["Mapping", "ProvisionedPollerConfig"], {"MinimumPollers": 1}, "concurrency"),
    "FIFO queue in batches": ("Mapping", ["Queue", "FifoQueue"], True, "order"),
    "FIFO queue in larger batches": ("MappingInOrder", ["MappingInOrder", "BatchSize"], 2, "order"),
    "queue without DLQ": ("Queue", ["Queue", "RedrivePolicy"], None, "dlq"),
    "rule target without DLQ": ("Rule", ["Rule", "Targets"], [{"Arn": "arn"}], "dlq"),
    "schedule without DLQ": ("Schedule", ["Schedule", "Target"], {"Arn": "arn"}, "dlq"),
    "every resource": (
        "Policy",
        ["Policy", "PolicyDocument"],
        {"Statement": allow("s3:GetObject", "*")},
        "s3:GetObject on *",
    ),
    "every action": ("Policy", ["Policy", "PolicyDocument"], {"Statement": allow("s3:*", "arn")}, "s3:* on arn"),
    "everything below": (
        "Policy",
        ["Policy", "PolicyDocument"],
        {"Statement": allow(["s3:GetObject"], {"Fn::Join": ["", [{"Fn::GetAtt": ["Queue", "Arn"]}, "/*"]]})},
        "s3:GetObject on <Queue.Arn>/*",
    ),
    "everything but": (
        "Policy",
        ["Policy", "PolicyDocument"],
        {"Statement": [{"Effect": "Allow", "NotAction": "s3:GetObject", "Resource": "arn"}]},
        "wildcard[* on arn]",
    ),
}


def test_a_sound_template_has_no_findings():
    assert find_all(SOUND) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_found_at_its_resource_with_a_fix(fault):
    logical_id, (resource, name), value, rule = FAULTS[fault]
    broken = deepcopy(SOUND)
    if value is None:
        del broken[resource]["Properties"][name]
    else:
        broken[resource]["Properties"][name] = value

    findings = find_all(broken)

    assert logical_id in {finding.logical_id for finding in findings}
    assert all(finding.fix for finding in findings)
    assert any(rule in finding.rule for finding in findings), findings


def test_inline_policies_of_roles_are_read_too():
    role = {"Policies": [{"PolicyDocument": {"Statement": allow("sqs:*", "*")}}]}
    (finding,) = find_all({"Role": {"Type": "AWS::IAM::Role", "Properties": role}})
    assert finding.rule == "wildcard[sqs:* on *]"


def impatient_registry() -> JobRegistry:
    """A job with 26 attempts, which no public constructor makes."""
    retry = Retry()
    object.__setattr__(retry, "max_attempts", 26)
    return JobRegistry(dataclasses.replace(make_thumbnail, retry=retry), lanes=tuple(REGISTRY.lanes.values()))


def test_more_than_25_attempts():
    (finding,) = too_many_attempts(impatient_registry(), worker_id)

    assert (finding.rule, finding.logical_id) == ("attempts", "WorkerBulk")
    assert "25" in finding.fix
    assert list(too_many_attempts(REGISTRY, worker_id)) == []


def test_faults_in_a_pipeline_fail_synth(tmp_path):
    """Planted in the finished stack, by overrides and grants as a user would; found in what was synthesised."""
    from aws_cdk import aws_iam as iam
    from aws_cdk import aws_sqs as sqs

    def plant(stack):
        pipeline = stack.pipeline
        bulk = pipeline.lanes["bulk"]
        bulk.queue.queue.node.default_child.add_property_override("VisibilityTimeout", 30)
        critical = pipeline.lanes["critical"]
        critical.queue.dlq.node.default_child.add_property_override("MessageRetentionPeriod", 3_600)
        mapping = critical.worker.node.find_child("Mapping").node.default_child
        mapping.add_property_override("ProvisionedPollerConfig", {"MinimumPollers": 2})
        sqs.Queue(pipeline, "Orphan")
        sqs.Queue(stack, "NotOurs")
        everything = iam.PolicyStatement(actions=["s3:GetObject"], resources=["*"])
        pipeline.worker("bulk").role.add_to_policy(everything)

    synthesised = synthesise(tmp_path, registry=impatient_registry(), add=plant)

    found = {
        (rule, path.removeprefix("tidemill/Pipeline/").split("/")[0]) for _, rule, path in synthesised.violations()
    }
    assert found == {
        ("visibility", "BulkWorker"),
        ("retention", "CriticalQueue"),
        ("concurrency", "CriticalWorker"),
        ("dlq", "Orphan"),
        ("wildcard[s3:GetObject on *]", "BulkWorker"),
        ("attempts", "BulkWorker"),
    }
    assert "six timeouts and the batch window" in synthesised.error
    assert "Tidemill::wildcard[s3:GetObject on *]" in synthesised.error


def test_a_written_waiver_lets_a_wildcard_through(tmp_path):
    from aws_cdk import aws_iam as iam

    from tidemill_cdk import waive

    def plant(stack):
        role = stack.pipeline.worker("bulk").role
        role.add_to_policy(iam.PolicyStatement(actions=["ec2:DescribeRegions"], resources=["*"]))
        waive(role, "this call knows no resource", "Tidemill::wildcard[ec2:DescribeRegions on *]")

    assert synthesise(tmp_path, add=plant).violations() == []


def test_a_waiver_needs_a_reason():
    from aws_cdk import App

    from tidemill_cdk import waive

    with pytest.raises(ValueError, match="without a reason"):
        waive(App(), " ", "Tidemill::dlq")
