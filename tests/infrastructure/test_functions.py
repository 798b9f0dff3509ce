"""What all functions share, and the environment contract."""

import json
import re

import pytest

from tests.infrastructure.stacks import REGISTRY, Synthesised, code_folder
from tidemill.settings import RuntimeSettings
from tidemill_cdk.staging import content_hash

WORKERS = {"WorkerCritical": "critical", "WorkerBulk": "bulk", "WorkerMediaGpu": "media-gpu", "WorkerOrders": "orders"}
FUNCTIONS = {**WORKERS, "Api": "", "Janitor": ""}


def resolve(value):
    """A template's value as a deployment would see it, with `Id` or `Id.Attribute` for what AWS fills in."""
    if isinstance(value, dict):
        if "Fn::Join" in value:
            separator, parts = value["Fn::Join"]
            return separator.join(resolve(part) for part in parts)
        return value["Ref"] if "Ref" in value else ".".join(value["Fn::GetAtt"])
    return value


def environment(stack: Synthesised, function: str) -> dict[str, str]:
    variables = stack.properties(function)["Environment"]["Variables"]
    return {name: resolve(value) for name, value in variables.items()}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_environment_round_trip(production: Synthesised, function):
    settings = RuntimeSettings.from_env(environment(production, function))

    assert settings.stack == "tidemill"
    assert settings.table == "JobsTable"
    assert settings.payload_bucket == "Payloads"
    assert settings.idempotency_table == "IdempotencyRecords"
    assert settings.list_index is True
    assert settings.lane == FUNCTIONS[function]
    assert list(settings.lanes) == list(REGISTRY.lanes)
    assert settings.lanes["media-gpu"].queue_url == "QueueMediaGpu"
    assert settings.lanes["media-gpu"].dlq_url == "DlqMediaGpu"


def test_every_function_knows_where_the_api_is(production: Synthesised, chosen_otherwise: Synthesised):
    for function in FUNCTIONS:
        assert RuntimeSettings.from_env(environment(production, function)).api_url == "HttpApi.ApiEndpoint"
        assert RuntimeSettings.from_env(environment(chosen_otherwise, function)).api_url == "https://jobs.example.org"


def test_nothing_waits_for_itself(production: Synthesised):
    """CloudFormation refuses a circle: the API's address is in the workers, and its function in none of them."""
    needs = {id_: set(named(item)) & set(production.resources) for id_, item in production.resources.items()}
    left = dict(needs)
    while ready := [id_ for id_, needed in left.items() if not needed & set(left)]:
        for id_ in ready:
            del left[id_]
    assert left == {}
    assert "HttpApi" in needs["WorkerBulk"]


def named(value):
    """Every resource that a part of a template names."""
    match value:
        case {"Ref": str(name)}:
            yield name
        case {"Fn::GetAtt": [name, *_]}:
            yield name
        case {"Fn::Sub": str(text)}:
            yield from re.findall(r"\$\{(\w+)", text)
        case dict():
            for key, part in value.items():
                yield from [part] if key == "DependsOn" and isinstance(part, str) else named(part)
                yield from part if key == "DependsOn" and isinstance(part, list) else []
        case list():
            for part in value:
                yield from named(part)


def test_tenant_claim_is_there_with_tokens_only(production: Synthesised, chosen_otherwise: Synthesised):
    assert RuntimeSettings.from_env(environment(production, "Api")).tenant_claim == ""
    assert RuntimeSettings.from_env(environment(chosen_otherwise, "Api")).tenant_claim == "org"


def test_list_index_is_off_where_the_settings_say_so(chosen_otherwise: Synthesised):
    assert RuntimeSettings.from_env(environment(chosen_otherwise, "Api")).list_index is False


@pytest.mark.parametrize("function", FUNCTIONS)
def test_environment_fits_lambda(production: Synthesised, function):
    """Lambda takes 4 KB of variables; a queue's URL on AWS is 90 characters longer than its logical id."""
    variables = environment(production, function)
    size = sum(len(name) + len(value) for name, value in variables.items()) + 2 * 90 * len(REGISTRY.lanes)
    assert size < 4_096


@pytest.mark.parametrize("function", FUNCTIONS)
def test_shared_shape(production: Synthesised, function):
    properties = production.properties(function)

    assert properties["Runtime"] == "python3.13"
    assert properties["Architectures"] == ["arm64"]
    assert properties["TracingConfig"] == {"Mode": "Active"}
    assert len(properties["Layers"]) == 2
    log_group = production.properties(properties["LoggingConfig"]["LogGroup"]["Ref"])
    assert log_group["RetentionInDays"] == 30


def test_metrics_are_written_under_the_stack(production: Synthesised):
    for function in FUNCTIONS:
        variables = environment(production, function)
        assert variables["POWERTOOLS_METRICS_NAMESPACE"] == "Tidemill"
        assert variables["POWERTOOLS_SERVICE_NAME"] == "tidemill"


def test_tracing_can_be_switched_off(chosen_otherwise: Synthesised):
    assert "TracingConfig" not in chosen_otherwise.properties("Api")


@pytest.mark.parametrize(("function", "timeout"), [("Api", 29), ("Janitor", 60)])
def test_timeouts(production: Synthesised, function, timeout):
    assert production.properties(function)["Timeout"] == timeout


def test_outputs_tell_the_command_line_everything(production: Synthesised):
    outputs = {name: output["Value"] for name, output in production.template["Outputs"].items()}

    assert set(outputs) >= {"ApiUrl", "Table", "PayloadBucket", "IdempotencyTable", "Lanes", "Settings"}
    assert outputs["Lanes"] == "critical,bulk,media-gpu,orders"
    settings = RuntimeSettings.from_env(json.loads(resolve(outputs["Settings"])))
    assert settings == RuntimeSettings.from_env(environment(production, "Api"))


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_function_knows_the_version_of_the_jobs_code(
    production: Synthesised, chosen_otherwise, tmp_path, function
):
    """The same in another folder and with other settings; another one as soon as the code differs."""
    version = RuntimeSettings.from_env(environment(production, function)).code_version

    assert version == RuntimeSettings.from_env(environment(chosen_otherwise, function)).code_version
    code = code_folder(tmp_path / "code")
    (code / "requirements.txt").write_text("pillow\n")
    assert version == content_hash(code, leave_out=["requirements.txt"])[:12]
    (code / "worker" / "handler.py").write_text("handler = None\n")
    assert version != content_hash(code, leave_out=["requirements.txt"])[:12]
