"""What tells that a fact did not reach its subscriber."""

from __future__ import annotations

from tidemill_cdk.alarms import Alarms, Condition
from tidemill_cdk.metrics import most
from tidemill_cdk.subscriptions import Subscriptions


def watch_subscriptions(alarms: Alarms, subscriptions: Subscriptions) -> None:
    """Watch the DLQ of all rules: EventBridge repeats a send for a day before it gives up."""
    condition = Condition(
        most(subscriptions.dlq.metric_approximate_number_of_messages_visible),
        threshold=1,
        advice="A fact could not be sent to a lane. Its message in queue SubscriptionDlq names rule and error. Once "
        'that is mended, send {"event": FACT, "kind": KIND} to its lane\'s queue, where FACT is `event` or `detail` of '
        "the message's body: the fact makes its job, and only one",
    )
    alarms.add("SubscriptionDlqArrival", condition)
