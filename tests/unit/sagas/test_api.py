"""Sagas over HTTP and by command: each answer is held against the served document."""

import json
from types import SimpleNamespace

import pytest
from jsonschema import Draft202012Validator
from typer.testing import CliRunner

from tests.unit.http.gateway import make_event
from tests.unit.sagas.shop import fails, open_shop
from tidemill import JobRegistry
from tidemill.cli.app import app
from tidemill.cli.problem import error_of
from tidemill.entrypoints.http_api import HttpApi
from tidemill.testing import Harness

ARGS = {"order_id": "o1", "cents": 5, "gift": True}
START = {"args": ARGS}
PLACE = "/sagas/orders.place"
NO_SAGA = "0196f000-0000-7000-8000-000000000000"


class World:
    def __init__(self, tenant_claim=""):
        self.shop, self.registry = open_shop()
        self.tide = Harness(self.registry)
        tide = self.tide
        self.http = HttpApi(self.registry, tide.client, tide.listing, tide.desk, tide.telemetry, tenant_claim)
        self.http.serve_sagas(lambda: tide.sagas)

    def call(self, method, path, body=None, **options):
        answer = self.http.resolve(make_event(method, path, body, **options), None)
        document = json.loads(answer["body"])
        self._check(method, path, answer, document)
        return answer["statusCode"], document

    def _check(self, method, path, answer, document):
        parts = path.partition("?")[0].split("/")
        template = "/".join(["", "sagas", "{name}", *(["{id}"] if len(parts) > 3 else []), *parts[4:]])
        operation = self.http.openapi["paths"].get(template, {}).get(method.lower())
        if operation is None:
            assert answer["statusCode"] in (404, 405)
            return
        described = operation["responses"][str(answer["statusCode"])]["content"]
        (schema,) = [one["schema"] for one in described.values()]
        whole = {**schema, "components": self.http.openapi["components"]}
        assert list(Draft202012Validator(whole).iter_errors(document)) == []

    def started(self, **more):
        status, document = self.call("POST", PLACE, {**START, **more})
        assert status in (200, 202), document
        return document["id"]


@pytest.fixture
def world():
    return World()


def test_a_saga_is_started_looked_at_and_done(world):
    status, receipt = world.call("POST", PLACE, {**START, "key": "o1"})
    assert (status, receipt["created"]) == (202, True)
    path = receipt["link"]
    assert world.call("GET", path)[1]["state"] == "running"

    world.tide.drain()

    status, document = world.call("GET", path)
    assert (status, document["state"]) == (200, "succeeded")
    first = document["steps"][0]
    assert (first["step"], first["state"]) == ("reserve", "succeeded")
    assert world.call("POST", PLACE, {**START, "key": "o1"})[0] == 200
    events = world.call("GET", f"{path}/history")[1]["events"]
    assert events[0]["what"] == "ExecutionStarted"
    assert world.call("DELETE", path)[0] == 409


def test_its_link_names_the_stage_and_the_tenant(world):
    answer = world.http.resolve(make_event("POST", PLACE, {**START, "tenant": "acme"}, stage="prod"), None)
    document = json.loads(answer["body"])

    assert document["link"] == answer["headers"]["Location"] == f"/prod{PLACE}/{document['id']}?tenant=acme"
    status, found = world.call("GET", document["link"].removeprefix("/prod"))
    assert (status, found["id"]) == (200, document["id"])


def test_a_link_does_not_name_the_tenant_that_the_caller_is():
    world = World(tenant_claim="tenant")
    token = {"jwt": {"claims": {"sub": "u", "tenant": "acme"}}}
    status, document = world.call("POST", PLACE, START, authorizer=token)

    assert (status, document["link"]) == (202, f"{PLACE}/{document['id']}")


def test_a_saga_is_cancelled(world):
    saga_id = world.started()
    assert world.call("DELETE", f"{PLACE}/{saga_id}")[0] == 202
    world.tide.drain()
    status, document = world.call("DELETE", f"{PLACE}/{saga_id}")
    assert (status, document["state"], document["cancelled"]) == (200, "compensated", True)


def test_a_saga_is_resumed(world):
    world.shop.before["ship"] = fails
    saga_id = world.started()
    world.tide.drain()
    assert world.call("GET", f"{PLACE}/{saga_id}")[1]["state"] == "needs_attention"
    assert world.call("DELETE", f"{PLACE}/{saga_id}")[0] == 409
    del world.shop.before["ship"]
    assert world.call("POST", f"{PLACE}/{saga_id}/resume")[0] == 202
    world.tide.drain()
    assert world.call("GET", f"{PLACE}/{saga_id}")[1]["state"] == "succeeded"
    assert world.call("POST", f"{PLACE}/{saga_id}/resume")[0] == 409


def test_a_saga_is_described_and_drawn(world):
    status, document = world.call("GET", PLACE)

    assert status == 200
    assert [one["name"] for one in document["steps"]] == ["reserve", "wrap", "charge", "ship"]
    assert document["mermaid"].startswith("flowchart TD")


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "word"),
    [
        ("POST", "/sagas/orders.plaice", START, 400, "orders.place"),
        ("GET", "/sagas/orders.plaice", None, 400, "orders.place"),
        ("POST", PLACE, [], 422, "body"),
        ("POST", PLACE, {}, 422, "args"),
        ("POST", PLACE, {"args": 5}, 422, "args"),
        ("POST", PLACE, {"args": {"order_id": "o1"}}, 422, "args.cents"),
        ("POST", PLACE, {**START, "extra": 1}, 422, "extra"),
        ("POST", PLACE, {**START, "key": "a b"}, 422, "key"),
        ("POST", PLACE, {**START, "key": 5}, 422, "key"),
        ("POST", PLACE, {**START, "tenant": 5}, 422, "tenant"),
        ("GET", f"{PLACE}/nonsense", None, 400, "id"),
        ("GET", f"{PLACE}/{NO_SAGA}", None, 404, "saga"),
        ("GET", f"{PLACE}/{NO_SAGA}?tenant=a%23b", None, 400, "tenant"),
        ("GET", f"{PLACE}/{NO_SAGA}?x=1", None, 400, "x"),
        ("DELETE", f"{PLACE}/{NO_SAGA}", None, 404, "saga"),
        ("POST", f"{PLACE}/{NO_SAGA}/resume", None, 404, "saga"),
        ("GET", f"{PLACE}/{NO_SAGA}/history", None, 404, "saga"),
        ("PUT", PLACE, None, 405, "method"),
    ],
)
def test_bad_input_is_answered_with_its_field(world, method, path, body, status, word):
    found, document = world.call(method, path, body)

    assert found == status, document
    assert word in json.dumps(document)
    assert not world.tide._stack.machines.runs


def test_a_key_of_another_saga_is_refused(world):
    world.started(key="k")
    status, _ = world.call("POST", PLACE, {"args": {**ARGS, "cents": 6}, "key": "k"})
    assert status == 422


def test_another_tenants_saga_is_not_there(world):
    saga_id = world.started(tenant="acme")
    assert world.call("GET", f"{PLACE}/{saga_id}")[0] == 404
    assert world.call("GET", f"{PLACE}/{saga_id}?tenant=acme")[0] == 200


def test_a_program_without_sagas_has_no_such_path():
    with Harness(JobRegistry()) as tide:
        http = HttpApi(JobRegistry(), tide.client, tide.listing, tide.desk, tide.telemetry)
        assert http.resolve(make_event("GET", PLACE), None)["statusCode"] == 404
        assert not any("saga" in path for path in http.openapi["paths"])


# --- by command -----------------------------------------------------------------------------------


@pytest.fixture
def run(world):
    def call(method, path, document=None):
        answer = world.http.resolve(make_event(method, path, document), None)
        if answer["statusCode"] >= 300:
            raise error_of(answer["statusCode"], answer["body"].encode(), "memory")
        return json.loads(answer["body"])

    def invoke(*arguments):
        target = SimpleNamespace(api=SimpleNamespace(call=call))
        return CliRunner().invoke(app, ["saga", *arguments], obj=target)

    return invoke


def test_the_commands_say_what_the_api_says(world, run):
    began = json.loads(run("start", "orders.place", json.dumps(ARGS), "--key", "k", "--json").stdout)
    assert run("start", "orders.place", json.dumps(ARGS), "--key", "k").stdout == f"there already: {began['id']}\n"
    world.tide.drain()

    shown = run("show", "orders.place", began["id"])
    assert shown.exit_code == 0, shown.output
    assert "succeeded" in shown.stdout
    assert "step reserve: succeeded, attempt 1" in shown.stdout
    assert json.loads(run("show", "orders.place", began["id"], "--json").stdout)["state"] == "succeeded"
    assert "TaskStateEntered  reserve" in run("history", "orders.place", began["id"]).stdout
    assert run("draw", "orders.place").stdout.startswith("flowchart TD")


def test_the_commands_cancel_and_resume(world, run):
    began = json.loads(run("start", "orders.place", json.dumps(ARGS), "--json").stdout)
    assert run("cancel", "orders.place", began["id"]).exit_code == 0
    world.tide.drain()
    assert "compensated" in run("show", "orders.place", began["id"]).stdout
    refused = run("resume", "orders.place", began["id"])
    assert refused.exit_code != 0
    assert "goes on by itself" in refused.output


def test_a_refusal_names_the_field(run):
    refused = run("start", "orders.place", '{"order_id": 5}')

    assert refused.exit_code == 2
    assert "args.cents" in refused.output
