"""The subscriptions of a registry: rules that send each fact straight to the queue of a lane."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from aws_cdk import Stack
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from tidemill.domain.duration import days
from tidemill.domain.event import Event
from tidemill.domain.fact import SPECVERSION
from tidemill.domain.fact_message import PATHS, template_of
from tidemill.domain.registry import AnyDefinition, JobRegistry
from tidemill_cdk.failures import failure_queue
from tidemill_cdk.lanes import BuiltLane
from tidemill_cdk.naming import rename, words

# API Reference of EventBridge, RetryPolicy: 60 s to 24 h, and at most 185 attempts, with growing waits.
LONGEST_RETRY: Final = days(1)
MOST_RETRIES: Final = 185


class Subscriptions(Construct):
    """One rule for each kind and type of event that it hears, and one DLQ for what could not be sent.

    Guarantees that EventBridge may send to the queues of lanes that hear something and to the DLQ, only for these
    rules, and that no fact is sent before a worker is deployed that knows the subscription.

    Arguments:
        registry: the jobs, at least one of which hears something.
        lanes: where they run.
        bus: whose facts they hear: its name.
    """

    def __init__(
        self, scope: Construct, id_: str, *, registry: JobRegistry, lanes: Mapping[str, BuiltLane], bus: str
    ) -> None:
        super().__init__(scope, id_)
        self._bus = bus
        self.dlq = failure_queue(self, "Dlq", "SubscriptionDlq")
        self.rules: dict[tuple[str, str], events.CfnRule] = {}
        routes: dict[str, list[events.CfnRule]] = {}
        for definition, subscription in registry.subscriptions:
            route = registry.route(definition)
            rule = self._build(definition, subscription.event, lanes[route], lanes[definition.lane])
            self.rules[definition.kind, subscription.event.event_type] = rule
            routes.setdefault(route, []).append(rule)
        for lane, rules in routes.items():
            _let_send(lanes[lane].queue.queue, rules)
        _let_send(self.dlq, list(self.rules.values()))

    def _build(
        self, definition: AnyDefinition, event: type[Event], route: BuiltLane, lane: BuiltLane
    ) -> events.CfnRule:
        logical_id = f"Subscription{words(definition.kind)}On{words(event.event_type)}"
        rule = events.CfnRule(
            self,
            logical_id,
            event_bus_name=self._bus,
            description=f"{definition.kind} hears {event.event_type}",
            # What is no CloudEvent is nobody's fact.
            event_pattern={"detail-type": [event.event_type], "detail": {"specversion": [SPECVERSION]}},
            targets=[
                events.CfnRule.TargetProperty(
                    id="Lane",
                    arn=route.queue.queue.queue_arn,
                    input_transformer=events.CfnRule.InputTransformerProperty(
                        input_paths_map=dict(PATHS), input_template=template_of(definition.kind)
                    ),
                    dead_letter_config=events.CfnRule.DeadLetterConfigProperty(arn=self.dlq.queue_arn),
                    retry_policy=events.CfnRule.RetryPolicyProperty(
                        maximum_event_age_in_seconds=int(LONGEST_RETRY.total_seconds()),
                        maximum_retry_attempts=MOST_RETRIES,
                    ),
                )
            ],
        )
        rename(rule, logical_id)
        # An older worker would refuse the message.
        rule.node.add_dependency(route.worker.function, lane.worker.function)
        return rule


def _let_send(queue: sqs.Queue, rules: list[events.CfnRule]) -> None:
    """Let EventBridge send to the queue for these rules and no others."""
    queue.add_to_resource_policy(
        iam.PolicyStatement(
            principals=[iam.ServicePrincipal("events.amazonaws.com")],
            actions=["sqs:SendMessage"],
            resources=[queue.queue_arn],
            conditions={
                "StringEquals": {"aws:SourceAccount": Stack.of(queue).account},
                "ArnEquals": {"aws:SourceArn": [rule.attr_arn for rule in rules]},
            },
        )
    )
