"""The served document: valid, complete, and honest about requests as well."""

import json

import pytest
from pydantic import InstanceOf

from tests.unit.http.test_bad_input import BAD_FIELDS
from tidemill import JobArgs, JobRegistry, job
from tidemill.entrypoints import http_models
from tidemill.service.request import FIELDS


def is_valid(world, request):
    return world.validator({"$ref": "#/components/schemas/JobRequest"}).is_valid(request)


def test_the_document_is_served(world):
    answer = world.call("GET", "/openapi.json")
    assert answer.json == json.loads(json.dumps(world.contract))
    assert answer.json["openapi"] == "3.1.0"


def test_every_reference_leads_somewhere(world):
    names = {part.split('"')[0] for part in json.dumps(world.contract).split("#/components/schemas/")[1:]}
    assert names <= set(world.contract["components"]["schemas"])
    assert "JobRequest.media.thumbnail" in names


def test_each_kind_has_its_arguments(world):
    request = world.contract["components"]["schemas"]["JobRequest.media.thumbnail"]
    assert request["properties"]["kind"] == {"enum": ["media.thumbnail", "media.thumb"]}
    args = world.contract["components"]["schemas"][request["properties"]["args"]["$ref"].rpartition("/")[2]]
    assert args["properties"]["width"]["maximum"] == 4096
    assert args["additionalProperties"] is False
    discriminator = world.contract["components"]["schemas"]["JobRequest"]["discriminator"]
    assert set(discriminator["mapping"]) == {
        "media.thumbnail",
        "media.thumb",
        "pay.once",
        "blob",
        "loose",
        "orders.release",
    }


def test_a_request_has_the_fields_that_the_parser_knows(world):
    assert set(world.contract["components"]["schemas"]["JobRequest.loose"]["properties"]) == FIELDS


@pytest.mark.parametrize(
    "request_",
    [
        {"kind": "loose", "args": {}},
        {"kind": "media.thumb", "args": {"bucket": "b", "width": 16, "tags": {"a": ["x"]}}},
        {"kind": "loose", "args": {}, "key": None, "tenant": None, "lane": None, "delay_seconds": None},
        {"kind": "loose", "args": {}, "expires_in_seconds": 31_536_000, "correlation_id": "c"},
        {"kind": "loose", "args": {}, "job_id": "0190a5b0-0000-7000-8000-000000000000"},
    ],
)
def test_what_the_schema_allows_is_accepted(world, request_):
    assert is_valid(world, request_)
    assert world.call("POST", "/jobs", request_).status == 202


# What no schema can say: bytes, one field against another, and characters that only a regular expression of ours names.
UNSAID = {"args", "expires_in_seconds", "key", "tenant", "job_id"}


@pytest.mark.parametrize(("status", "field", "body"), [row for row in BAD_FIELDS if isinstance(row[2], dict)])
def test_what_is_refused_the_schema_refuses_too(world, status, field, body):
    assert field in UNSAID or not is_valid(world, body)


def test_arguments_of_one_name_are_kept_apart(make_world):
    def of(kind_, type_):
        args = type("Args", (JobArgs,), {"__annotations__": {"x": type_}, "__module__": kind_}, kind=kind_)
        return job(args)(lambda args, context: None)

    problem = type("Problem", (JobArgs,), {"__annotations__": {"y": int}, "__module__": "c"}, kind="c")
    registry = JobRegistry(of("a", int), of("b", str), job(problem)(lambda args, context: None))
    world = make_world(registry)
    assert is_valid(world, {"kind": "a", "args": {"x": 1}})
    assert not is_valid(world, {"kind": "a", "args": {"x": "1"}})
    assert is_valid(world, {"kind": "b", "args": {"x": "1"}})
    assert is_valid(world, {"kind": "c", "args": {"y": 1}})
    assert world.call("POST", "/jobs", {"kind": "d", "args": {}}).status == 422


def test_arguments_that_json_schema_cannot_describe_are_any_object(make_world):
    class Token:
        pass

    odd = type("Odd", (JobArgs,), {"__annotations__": {"x": InstanceOf[Token] | int}}, kind="odd")
    world = make_world(JobRegistry(job(odd)(lambda args, context: None)))
    assert is_valid(world, {"kind": "odd", "args": {"x": 5}})


def test_a_registry_without_jobs_has_a_document(make_world):
    assert not is_valid(make_world(JobRegistry()), {"kind": "a", "args": {}})


def test_a_job_is_documented_member_by_member(world):
    shown = world.call("GET", f"/jobs/{world.submitted(kind='orders.release').id}?failures=true").json
    assert set(shown) | {"result", "result_omitted"} == set(http_models.Job.model_fields)
