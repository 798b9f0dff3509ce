"""The relay's Lambda handler, fed by the stream of the jobs table: new rows of the outbox, and nothing else."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.aws.outbox_items import is_row, outbound_of
from tidemill.domain import limits
from tidemill.domain.duration import milliseconds
from tidemill.domain.errors import IntegrityError
from tidemill.domain.outbox import Outbound
from tidemill.domain.ports import Clock
from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry
from tidemill.service.relay import Relay, still_standing

# From this age on a row may have been sent by the janitor, or by an earlier try of this batch.
_ASKED_FROM_MS = milliseconds(limits.OUTBOX_LEFTOVER) // 2


def relay_handler(registry: JobRegistry) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """The Lambda handler of the relay. It answers the first record that was not sent, from which the stream goes on.

    Raises:
        SettingsError: the environment is incomplete (at cold start).
    """
    program = Program.from_env(registry)
    telemetry = PowertoolsTelemetry(program.settings.stack)
    relay = program.relay(telemetry)

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        telemetry.correlate(context.aws_request_id)
        try:
            failed = relay_records(relay, program.clock, event["Records"])
        finally:
            telemetry.flush()
        # Lambda goes on from the lowest of them (Developer Guide, "Configuring partial batch response with DynamoDB").
        return {"batchItemFailures": [{"itemIdentifier": number} for number in failed]}

    return handler


def relay_records(relay: Relay, clock: Clock, records: Sequence[Mapping[str, Any]]) -> list[str]:
    """Send what the records of a stream say; answers the sequence numbers of those that were not sent.

    A record that can't be read is reported too: Lambda splits the batch until it stands alone, and keeps it in the
    failure queue.
    """
    read: dict[str, Outbound] = {}
    failed: list[str] = []
    for record in records:
        change = record["dynamodb"]
        # What time to live, or a relay, has removed is no new row.
        if record["eventName"] != "INSERT" or not is_row(change["Keys"]):
            continue
        try:
            read[change["SequenceNumber"]] = outbound_of(change["NewImage"])
        except IntegrityError:
            failed.append(change["SequenceNumber"])
    sent = dict(zip(read, _relayed(relay, clock, list(read.values())), strict=True))
    failed += [number for number, done in sent.items() if not done]
    return sorted(failed, key=int)


def _relayed(relay: Relay, clock: Clock, outbounds: Sequence[Outbound]) -> list[bool]:
    """Whether nothing is left to do for each of these. What is old may be sent: it is asked for first."""
    now_ms = clock.now_ms()
    old = [i for i, one in enumerate(outbounds) if now_ms - one.written_at >= _ASKED_FROM_MS]
    gone = {
        i
        for i, stands in zip(old, still_standing(relay.outbox, [outbounds[i] for i in old]), strict=True)
        if not stands
    }
    left = [i for i in range(len(outbounds)) if i not in gone]
    sent = dict(zip(left, relay.relay([outbounds[i] for i in left]), strict=True))
    return [sent.get(i, True) for i in range(len(outbounds))]
