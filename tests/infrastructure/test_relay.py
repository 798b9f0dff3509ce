"""The relay: what starts it, what it may do, and that a program without an outbox has none."""

import json
import re
from datetime import timedelta

import pytest

from tests.infrastructure.stacks import Synthesised, code_folder, dependency_folder, make_thumbnail, synthesise
from tests.infrastructure.test_permissions import allowed
from tests.infrastructure.test_simulated_roles import in_one_lane
from tests.simulation.watchers.roles import ROLES
from tidemill import JobRegistry
from tidemill.aws.outbox_items import outbox_key
from tidemill.domain.limits import OUTBOX_SHARDS
from tidemill.domain.outbox import OutboundFact
from tidemill.events import Event

TABLE, BUS, QUEUE = "<JobsTable.Arn>", "<EventsBus.Arn>", "<QueueBulk.Arn>"


class PictureMade(Event, type="picture.made"):
    key: str


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Synthesised:
    from aws_cdk import App, Validations
    from cdk_nag import AwsSolutionsChecks, ServerlessChecks

    def add_packs(app: App) -> None:
        Validations.of(app).add_plugins(AwsSolutionsChecks(app), ServerlessChecks(app))

    registry = JobRegistry(make_thumbnail, events=[PictureMade])
    return synthesise(tmp_path_factory.mktemp("relay"), registry=registry, prepare=add_packs)


def environment(stack: Synthesised, function: str) -> dict:
    return stack.properties(function)["Environment"]["Variables"]


def test_nothing_is_found_that_no_waiver_names(stack: Synthesised):
    assert stack.error == ""
    assert stack.violations() == []


def test_only_new_rows_of_the_outbox_start_it(stack: Synthesised):
    (pattern,) = stack.properties("MappingRelay")["FilterCriteria"]["Filters"]
    wanted = json.loads(pattern["Pattern"])
    (prefix,) = wanted["dynamodb"]["Keys"]["pk"]["S"]
    keys = [outbox_key(OutboundFact(f"{n}", "a", "t", 0, "", 0))["pk"]["S"] for n in range(OUTBOX_SHARDS * 4)]

    assert wanted["eventName"] == ["INSERT"]
    assert all(key.startswith(prefix["prefix"]) for key in keys)
    # No tenant begins with it.
    assert prefix["prefix"].startswith("#")


def test_it_begins_at_the_beginning_and_keeps_what_it_gives_up(stack: Synthesised):
    mapping = stack.properties("MappingRelay")

    assert mapping["EventSourceArn"] == {"Fn::GetAtt": ["JobsTable", "StreamArn"]}
    assert mapping["StartingPosition"] == "TRIM_HORIZON"
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert (mapping["MaximumRetryAttempts"], mapping["MaximumRecordAgeInSeconds"]) == (5, 3_600)
    kept = mapping["DestinationConfig"]["OnFailure"]["Destination"]
    assert kept == {"Fn::GetAtt": ["RelayFailedRecords", "Arn"]}
    assert stack.properties("RelayFailedRecords")["MessageRetentionPeriod"] == 14 * 86_400


def test_it_may_send_publish_and_record(stack: Synthesised):
    relay = allowed(stack, "Relay")

    assert ("events:PutEvents", BUS) in relay
    assert ("sqs:SendMessage", QUEUE) in relay
    assert ("dynamodb:BatchWriteItem", TABLE) in relay
    assert ("dynamodb:GetRecords", "<JobsTable.StreamArn>") in relay
    assert {action for action, resource in relay if resource == "*"} - {"dynamodb:ListStreams"} == {
        "xray:PutTelemetryRecords",
        "xray:PutTraceSegments",
    }
    assert not any(action == "dynamodb:Query" for action, _ in relay)


def test_the_janitor_sends_in_its_place(stack: Synthesised):
    janitor = allowed(stack, "Janitor")

    assert {("events:PutEvents", BUS), ("dynamodb:Query", TABLE)} <= janitor


def test_who_publishes_is_told_of_the_bus_and_nobody_else(stack: Synthesised):
    told = {name for name in ("Relay", "Janitor", "Api", "WorkerBulk") if "TIDEMILL_BUS" in environment(stack, name)}

    assert told == {"Relay", "Janitor"}
    assert environment(stack, "WorkerBulk")["TIDEMILL_OUTBOX"] == "on"
    assert stack.properties("EventsBus")["Name"] == "tidemill"


def test_the_bus_keeps_its_facts_for_replays(stack: Synthesised, tmp_path):
    archive = stack.properties("EventsArchive")

    assert (archive["SourceArn"], archive["RetentionDays"]) == ({"Fn::GetAtt": ["EventsBus", "Arn"]}, 30)
    assert "EventPattern" not in archive
    registry = JobRegistry(make_thumbnail, events=[PictureMade])
    without = synthesise(tmp_path, registry=registry, settings={"archive": timedelta()})
    assert "EventsBus" in without.resources
    assert "EventsArchive" not in without.resources


def test_what_is_left_wakes_somebody(stack: Synthesised):
    names = {"RelayErrors", "RelayBehind", "RelayFailedRecord", "OutboxLeftovers", "OutboxRefused"}

    assert names <= set(stack.of_type("AWS::CloudWatch::Alarm"))


def test_a_program_without_an_outbox_has_neither_relay_nor_bus(production: Synthesised):
    assert not any(name.startswith(("Relay", "EventsBus", "MappingRelay")) for name in production.resources)
    assert "TIDEMILL_OUTBOX" not in environment(production, "WorkerBulk")
    assert not any("PutEvents" in action for action, _ in allowed(production, "Janitor"))


def test_an_outbox_without_events_has_no_bus(tmp_path):
    stack = synthesise(tmp_path, registry=JobRegistry(make_thumbnail, outbox=True))

    assert "Relay" in stack.resources
    assert "EventsBus" not in stack.resources
    assert "TIDEMILL_BUS" not in environment(stack, "Relay")


def test_a_missing_handler_is_named(tmp_path):
    from aws_cdk import App

    from tidemill_cdk import DeployError, DeploySettings, TidemillStack

    code = code_folder(tmp_path / "code", ("worker", "api", "janitor"))
    settings = DeploySettings(dependencies=dependency_folder(tmp_path / "dependencies"), cache=tmp_path / "cache")
    with pytest.raises(DeployError, match=r"relay/handler\.py"):
        TidemillStack(App(), "t", registry=JobRegistry(make_thumbnail, outbox=True), code=code, settings=settings)


def test_the_simulation_knows_the_relays_role(stack: Synthesised):
    others = re.compile(r"<(RelayFailedRecords\.Arn|JobsTable\.StreamArn)>|\*")
    pairs = {
        (action, in_one_lane(resource))
        for action, resource in allowed(stack, "Relay")
        if not others.fullmatch(resource)
    }

    assert {(action, resource) for action, found in ROLES["relay"].items() for resource in found} == {
        (action, "bus" if resource == BUS else resource) for action, resource in pairs
    }
