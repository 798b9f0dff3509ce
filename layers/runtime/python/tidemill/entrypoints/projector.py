"""The projector's Lambda handler, fed by the stream of the events table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.aws.event_items import is_fact, place_of, recorded_of
from tidemill.domain.chain import Recorded
from tidemill.domain.ports import Telemetry
from tidemill.domain.registry import JobRegistry
from tidemill.domain.stream import StreamRef
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry
from tidemill.service.projecting import Projector

Failures = dict[str, list[dict[str, str]]]


def projector_handler(registry: JobRegistry) -> Callable[[dict[str, Any], LambdaContext], Failures]:
    """The Lambda handler that keeps the registry's read models up to date. It answers which records to hand in again.

    Raises:
        SettingsError: the environment is incomplete (at cold start).
    """
    program = Program.from_env(registry)
    telemetry = PowertoolsTelemetry(program.settings.stack)
    projector = program.projector(telemetry)

    def handler(event: dict[str, Any], context: LambdaContext) -> Failures:
        telemetry.correlate(context.aws_request_id)
        try:
            return take_records(event["Records"], projector, telemetry)
        finally:
            telemetry.flush()

    return handler


def take_records(records: Iterable[Mapping[str, Any]], projector: Projector, telemetry: Telemetry) -> Failures:
    """Apply the facts among a batch of stream records; answer the records of those that must come again.

    Lambda hands in all from the first of these on (Lambda Developer Guide, "Configuring partial batch response with
    DynamoDB and Lambda"), which is why the projector knows what it has seen.
    """
    facts = list(_facts(records, telemetry))
    failed = projector.take([one for _, one in facts])
    again = [sequence for sequence, one in facts if StreamRef.of(one.fact.tenant, one.fact.subject or "") in failed]
    return {"batchItemFailures": [{"itemIdentifier": sequence} for sequence in again]}


def _facts(records: Iterable[Mapping[str, Any]], telemetry: Telemetry) -> Iterator[tuple[str, Recorded]]:
    for record in records:
        change = record["dynamodb"]
        if not is_fact(change["Keys"]):
            continue
        if record["eventName"] != "INSERT":
            # Nothing of Tidemill's changes a fact or deletes one.
            telemetry.count("FactsChanged")
            telemetry.alert("fact_changed", change=record["eventName"], key=str(change["Keys"]))
            continue
        recorded = recorded_of(change["NewImage"])
        if recorded is None:
            telemetry.count("FactsUnreadable")
            telemetry.alert("fact_unreadable", key=place_of(change["Keys"]))
            continue
        yield change["SequenceNumber"], recorded
