"""What tells that committed jobs and facts are not sent, or are sent late."""

from __future__ import annotations

from typing import Final

from tidemill_cdk.alarms import Alarms, Condition
from tidemill_cdk.metrics import most, stack_metric, total
from tidemill_cdk.relay import ITERATOR_AGE, Relay

# The janitor's sweep heals what a burst or a hiccup has left.
LEFTOVER_MINUTES: Final = 5


def watch_relay(alarms: Alarms, relay: Relay) -> None:
    """Watch the relay, its stream, and what the janitor finds."""
    for name, condition in _conditions(relay).items():
        alarms.add(name, condition)


def _conditions(relay: Relay) -> dict[str, Condition]:
    function = relay.function
    age = function.metric("IteratorAge", statistic="Maximum")
    return {
        "RelayErrors": Condition(
            total(function.metric_errors),
            threshold=1,
            periods=2,
            advice="The relay failed twice in a row. Its log group has the error; the janitor sends in its place, "
            "minutes late",
        ),
        "RelayBehind": Condition(
            age,
            threshold=ITERATOR_AGE.total_seconds() * 1_000,
            advice="The relay is minutes behind the table's stream. Look for a queue or a bus that throttles; the "
            "janitor sends in its place",
        ),
        "RelayFailedRecord": Condition(
            most(relay.failed_records.metric_approximate_number_of_messages_visible),
            threshold=1,
            advice="The relay gave up a record of the stream. Its row is in the outbox, if the janitor has not sent it "
            "by now: see `tidemill outbox`",
        ),
        "OutboxLeftovers": Condition(
            stack_metric(relay, "OutboxLeftovers"),
            threshold=1,
            periods=LEFTOVER_MINUTES,
            advice="The janitor finds rows in the outbox that the relay should have sent, minute after minute. See "
            "`tidemill outbox`, the relay's mapping and its log",
        ),
        "OutboxRefused": Condition(
            stack_metric(relay, "OutboxRefused"),
            threshold=1,
            advice="A committed job had the key of a job with other arguments, and does not run. Log lines "
            "`outbox_refused` name it",
        ),
    }
