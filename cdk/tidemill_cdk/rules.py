"""The rules a pipeline keeps, as pure functions of a synthesised template: template in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from tidemill.domain import limits
from tidemill.domain.registry import JobRegistry
from tidemill_cdk.template import Resources, dead_letter_arns, of_type, statements, target, texts

# Lambda Developer Guide, "Creating and configuring an Amazon SQS event source": six times the function's
# timeout, plus the batch window.
VISIBILITY_FACTOR: Final = 6
# API Reference: what CreateFunction and CreateQueue take when nothing is said, in seconds.
DEFAULT_FUNCTION_TIMEOUT: Final = 3
DEFAULT_VISIBILITY: Final = 30
DEFAULT_RETENTION: Final = 345_600
# The same of CreateEventSourceMapping for SQS, in messages.
DEFAULT_BATCH: Final = 10
# How long a table's stream keeps a record, in seconds (DynamoDB Developer Guide, "Change data capture for DynamoDB
# Streams").
STREAM_RETENTION: Final = 86_400


@dataclass(frozen=True, slots=True)
class Finding:
    """One broken rule: which, at which resource, what is wrong, and what to do."""

    rule: str
    logical_id: str
    problem: str
    fix: str


def find_all(resources: Resources) -> list[Finding]:
    """Every broken rule among a template's resources."""
    return [finding for rule in RULES for finding in rule(resources)]


def too_many_attempts(registry: JobRegistry, worker_of: Callable[[str], str]) -> Iterator[Finding]:
    """A kind that asks for more attempts than a job may have. `worker_of` names a lane's function."""
    for definition in registry:
        if definition.retry.max_attempts > limits.MAX_ATTEMPTS:
            yield Finding(
                "attempts",
                worker_of(definition.lane),
                f"job {definition.kind} asks for {definition.retry.max_attempts} attempts",
                f"lower Retry.max_attempts to {limits.MAX_ATTEMPTS}, and give it longer delays",
            )


def short_visibility(resources: Resources) -> Iterator[Finding]:
    """A queue that would hand out a message again while its first receiver may still work on it."""
    for id_, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping"):
        queue = resources.get(target(mapping.get("EventSourceArn")) or "")
        function = resources.get(target(mapping.get("FunctionName")) or "")
        if not queue or not function or queue["Type"] != "AWS::SQS::Queue":
            continue
        timeout = function["Properties"].get("Timeout", DEFAULT_FUNCTION_TIMEOUT)
        needed = VISIBILITY_FACTOR * timeout + mapping.get("MaximumBatchingWindowInSeconds", 0)
        visibility = queue.get("Properties", {}).get("VisibilityTimeout", DEFAULT_VISIBILITY)
        if visibility < needed:
            yield Finding(
                "visibility",
                id_,
                f"the queue hides a message for {visibility} s, its function runs up to {timeout} s",
                f"set the queue's visibility timeout to at least {needed} s (six timeouts and the batch window)",
            )


def short_dlq_retention(resources: Resources) -> Iterator[Finding]:
    """A DLQ that could delete a message on arrival: it counts from the first send."""
    for id_, queue in of_type(resources, "AWS::SQS::Queue"):
        dlq = resources.get(target(queue.get("RedrivePolicy", {}).get("deadLetterTargetArn")) or "")
        source = queue.get("MessageRetentionPeriod", DEFAULT_RETENTION)
        kept = dlq["Properties"].get("MessageRetentionPeriod", DEFAULT_RETENTION) if dlq else source + 1
        if kept <= source:
            yield Finding(
                "retention",
                id_,
                f"the DLQ keeps messages for {kept} s, its source for {source} s",
                "set the DLQ's retention above the source's; 14 days is the longest",
            )


def rival_concurrency(resources: Resources) -> Iterator[Finding]:
    """A mapping with both of Lambda's ways to scale, of which it accepts one."""
    for id_, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping"):
        if mapping.get("ScalingConfig") and mapping.get("ProvisionedPollerConfig"):
            yield Finding(
                "concurrency",
                id_,
                "MaximumConcurrency and provisioned pollers exclude each other",
                "remove ScalingConfig or ProvisionedPollerConfig",
            )


def disorder(resources: Resources) -> Iterator[Finding]:
    """A FIFO queue whose messages would be read together, so that one goes on though the one before it failed."""
    for id_, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping"):
        queue = resources.get(target(mapping.get("EventSourceArn")) or "", {})
        batch = mapping.get("BatchSize", DEFAULT_BATCH)
        if queue.get("Properties", {}).get("FifoQueue") and batch > 1:
            yield Finding(
                "order",
                id_,
                f"the queue is FIFO, and its messages are read in batches of {batch}",
                "set BatchSize to 1; a Lane(..., fifo=True) has it so",
            )


def lossy_stream(resources: Resources) -> Iterator[Finding]:
    """A mapping of a table's stream that one bad record would block for a day, or that would lose what it can't do."""
    for id_, mapping in of_type(resources, "AWS::Lambda::EventSourceMapping"):
        source = mapping.get("EventSourceArn")
        if not isinstance(source, Mapping) or source.get("Fn::GetAtt", ("", ""))[1] != "StreamArn":
            continue
        wrong = [
            name
            for name, right in {
                "StartingPosition": mapping.get("StartingPosition") == "TRIM_HORIZON",
                "BisectBatchOnFunctionError": mapping.get("BisectBatchOnFunctionError") is True,
                "FunctionResponseTypes": mapping.get("FunctionResponseTypes") == ["ReportBatchItemFailures"],
                "MaximumRetryAttempts": mapping.get("MaximumRetryAttempts", -1) >= 0,
                "MaximumRecordAgeInSeconds": 0 < mapping.get("MaximumRecordAgeInSeconds", -1) < STREAM_RETENTION,
                "DestinationConfig": bool(mapping.get("DestinationConfig", {}).get("OnFailure")),
            }.items()
            if not right
        ]
        if wrong:
            yield Finding(
                "stream",
                id_,
                f"the mapping of a table's stream leaves {', '.join(wrong)} at what loses or blocks records",
                "start at TRIM_HORIZON, bisect, report single failures, bound tries and age, and name a queue for the "
                "rest",
            )


def missing_dlq(resources: Resources) -> Iterator[Finding]:
    """A queue or a target of a rule or schedule whose failures nobody keeps."""
    keepers = {target(arn) for arn in dead_letter_arns(resources)}
    for id_, queue in of_type(resources, "AWS::SQS::Queue"):
        if "RedrivePolicy" not in queue and id_ not in keepers:
            yield Finding("dlq", id_, "the queue has no DLQ", "give it a dead_letter_queue")
    for id_, rule in of_type(resources, "AWS::Events::Rule"):
        if any("DeadLetterConfig" not in aim for aim in rule.get("Targets", ())):
            yield Finding("dlq", id_, "a target of the rule has no DLQ", "give the target a dead_letter_queue")
    for id_, schedule in of_type(resources, "AWS::Scheduler::Schedule"):
        if "DeadLetterConfig" not in schedule["Target"]:
            yield Finding("dlq", id_, "the schedule's target has no DLQ", "give the target a dead_letter_queue")


def wildcards(resources: Resources) -> Iterator[Finding]:
    """An action or a resource with `*` in a role. Accepted where a waiver names it."""
    for id_, statement in statements(resources):
        actions = texts(statement.get("Action", "*"))
        for action in sorted(actions):
            for resource in sorted(texts(statement.get("Resource", "*"))):
                if statement.get("Effect") == "Allow" and "*" in action + resource:
                    rule = f"wildcard[{action} on {resource}]"
                    yield Finding(
                        rule,
                        id_,
                        f"the role allows {action} on {resource}",
                        "name the actions and the resources, or write down why not: "
                        f'waive(role, "the reason", "Tidemill::{rule}")',
                    )


RULES: Final = (
    short_visibility,
    short_dlq_retention,
    rival_concurrency,
    disorder,
    lossy_stream,
    missing_dlq,
    wildcards,
)
