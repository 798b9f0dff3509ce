"""Batches over HTTP: what is accepted, what is answered, what is refused and where."""

from __future__ import annotations

import json

import pytest

from tests.unit.http.conftest import REGISTRY, Loose
from tidemill.batches import FIRST, Batch, Chain, Graph, at_least, tolerate
from tidemill.domain.batch import BatchRef, Fate
from tidemill.domain.errors import InputError, UnavailableError
from tidemill.service.batch_progress import End
from tidemill.service.flow_request import parse_flow_request

LOOSE = {"kind": "loose", "args": {}}
UUID = "0190a5b0-0000-7000-8000-000000000000"
GROUP = {"children": [LOOSE, LOOSE]}


def test_a_batch_is_accepted_and_looked_at(world):
    answer = world.call("POST", "/batches", {**GROUP, "then": LOOSE, "key": "k"})
    assert (answer.status, answer.json["total"], answer.json["submitted"]) == (202, 2, 2)
    assert answer.headers["Location"] == answer.json["link"] == f"/batches/{answer.json['id']}"

    found = world.call("GET", answer.json["link"]).json
    assert (found["state"], found["open"], found["key"], found["ended_at"]) == ("running", 2, "k", None)
    assert found["created_at"] == "2027-01-15T08:00:00.000Z"
    assert world.queues.count("default") == 2


def test_a_seen_key_answers_200_and_another_flow_under_it_is_refused(world):
    first = world.call("POST", "/batches", GROUP, headers={"idempotency-key": "k"})
    again = world.call("POST", "/batches", {**GROUP, "key": "k"})
    assert (first.status, again.status) == (202, 200)
    assert again.json == {**first.json, "created": False}
    assert world.queues.count("default") == 2

    other = world.call("POST", "/batches", {"children": [LOOSE], "key": "k"})
    assert (other.status, other.json["code"]) == (422, "key_conflict")


@pytest.mark.parametrize(
    ("document", "flow"),
    [
        ({"children": []}, Batch([])),
        ({"children": [], "completion": "all"}, Batch([])),
        ({"children": [], "completion": "first"}, Batch([], completion=FIRST)),
        ({"children": [], "completion": {"at_least": 2}}, Batch([], completion=at_least(2))),
        ({"children": [], "completion": {"tolerate": 0}}, Batch([], completion=tolerate(0))),
        ({"steps": []}, Chain()),
        ({"steps": [{"children": []}, {"nodes": {}}]}, Chain(Batch([]), Graph({}))),
        ({"nodes": {"a": {"steps": []}, "b": {"steps": []}}, "after": {"b": ["a"]}}, None),
    ],
)
def test_documents_are_flows(document, flow):
    found = parse_flow_request(document, REGISTRY).flow
    wanted = flow or Graph({"a": Chain(), "b": Chain()}, after={"b": ["a"]})
    assert found == wanted


BAD = [
    ([], "body"),
    ({}, "body"),
    ({"children": [], "steps": []}, "body"),
    ({"children": [], "after": {}}, "after"),
    ({"steps": [], "completion": "all"}, "completion"),
    ({"children": 7}, "children"),
    ({"children": {}}, "children"),
    ({"nodes": []}, "nodes"),
    ({"nodes": {}, "after": []}, "after"),
    ({"nodes": {"a": LOOSE}, "after": {"a": ["b"]}}, "after.a"),
    ({"nodes": {"a": LOOSE}, "after": {"a": ["a"]}}, "after"),
    ({"nodes": {"a": LOOSE}, "after": {"a": [{"b": 1}]}}, "after.a"),
    ({"nodes": {"a": LOOSE}, "after": {"a": [["a"]]}}, "after.a"),
    ({"nodes": {"a": LOOSE}, "after": {"a": [1, None]}}, "after.a"),
    ({"nodes": {"a": LOOSE}, "after": {"a": {"a": 1}}}, "after.a"),
    ({"nodes": {"a": 7}}, "nodes.a"),
    ({"children": [LOOSE, 7]}, "children[1]"),
    ({"children": [{"kind": "nope", "args": {}}]}, "children[0].kind"),
    ({"children": [{"kind": "media.thumb", "args": {"bucket": "b", "width": 1}}]}, "children[0].args.width"),
    ({"children": [{**LOOSE, "key": "k"}]}, "children[0].key"),
    ({"children": [{**LOOSE, "tenant": "zeta"}]}, "children[0].tenant"),
    ({"children": [{"steps": [LOOSE, {**LOOSE, "extra": 1}]}]}, "children[0].steps[1].extra"),
    ({"children": [{"children": [], "key": "k"}]}, "children[0].key"),
    ({"children": [], "then": 7}, "then"),
    ({"children": [], "then": {"children": []}}, "then.children"),
    ({"children": [LOOSE], "completion": "some"}, "completion"),
    ({"children": [LOOSE], "completion": {"at_least": "2"}}, "completion"),
    ({"children": [LOOSE], "completion": {"at_least": 2}}, "completion"),
    ({"children": [LOOSE], "completion": {"tolerate": -1}}, "completion"),
    ({"children": [], "key": "with space"}, "key"),
    ({"children": [], "tenant": "#"}, "tenant"),
]


@pytest.mark.parametrize(("document", "field"), BAD)
def test_what_is_wrong_is_named_and_nothing_is_written(world, document, field):
    answer = world.call("POST", "/batches", document)
    assert answer.status == 422, answer.text
    assert field in answer.fields
    assert world.is_empty
    assert world.batches.records == {}


def test_depth_has_an_end_before_anything_else_does():
    document = LOOSE
    for _ in range(9):
        document = {"children": [document]}
    with pytest.raises(InputError, match="8 is the most"):
        parse_flow_request(document, REGISTRY)


def test_a_cancelled_batch_says_who_was_cancelled(world):
    started = world.call("POST", "/batches", GROUP).json
    answer = world.call("DELETE", started["link"])
    assert (answer.status, answer.json["state"], answer.json["cancelled"]) == (200, "cancelled", 2)
    failures = world.call("GET", f"{started['link']}?failures=true").json["failures"]
    assert [(one["index"], one["state"]) for one in failures] == [(0, "cancelled"), (1, "cancelled")]
    assert world.call("GET", f"/jobs/{failures[0]['id']}").json["state"] == "cancelled"


def test_a_cancel_that_takes_too_long_is_answered_and_left_to_the_janitor(world, monkeypatch):
    monkeypatch.setattr("tidemill.entrypoints.http_batches.CANCEL_TIME_MS", 0)
    started = world.call("POST", "/batches", GROUP).json
    answer = world.call("DELETE", started["link"])

    assert (answer.status, answer.json["state"], answer.json["cancelled"]) == (202, "running", 0)


def test_a_batch_whose_children_run_is_asked_to_stop(world):
    started = world.call("POST", "/batches", GROUP).json
    ref = BatchRef("default", started["id"])
    world.running(ref.child(0))
    answer = world.call("DELETE", started["link"])
    assert (answer.status, answer.json["open"], answer.json["cancel_asked"]) == (202, 1, True)


def test_a_batch_is_its_tenants(world):
    started = world.call("POST", "/batches", {**GROUP, "tenant": "acme"}).json
    assert started["link"].endswith("?tenant=acme")
    assert world.call("GET", started["link"]).status == 200
    assert world.call("GET", f"/batches/{started['id']}").status == 404
    token = {"jwt": {"claims": {"sub": "u", "tenant": "zeta"}}}
    for method in ("GET", "DELETE"):
        answer = world.call(method, f"/batches/{started['id']}", authorizer=token)
        assert (answer.status, answer.json["batch_id"]) == (404, started["id"])
        assert world.call(method, f"/batches/{started['id']}?tenant=acme", authorizer=token).status == 403


def test_an_unfinished_start_says_so(world, monkeypatch):
    error = UnavailableError("send", "Throttled")
    monkeypatch.setattr(world.queues, "send", lambda lane, sends: [error] * len(sends))
    answer = world.call("POST", "/batches", {**GROUP, "key": "k"})
    assert (answer.status, answer.json["code"]) == (503, "batch_unfinished")
    assert "same key" in answer.json["detail"]
    assert world.call("GET", f"/batches/{answer.json['batch_id']}").json["state"] == "submitting"


ROUTES = {("POST", "/batches"): GROUP, ("GET", "/batches/{id}"): None, ("DELETE", "/batches/{id}"): None}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_documented_status_is_reached(world, monkeypatch, method, path):
    body = ROUTES[method, path]
    started = world.call("POST", "/batches", {**GROUP, "key": "seen"}).json
    target = path.replace("{id}", started["id"])
    if method == "DELETE":
        world.running(BatchRef("default", started["id"]).child(0))
    world.call(method, target, body)
    world.call(method, target, body and {**body, "key": "seen"})
    world.call(method, f"{target}?nothing=1", body)
    world.call(method, target, body, authorizer=None)
    world.call(method, target, body, authorizer={"jwt": {"claims": {"sub": "u"}}})
    if method == "POST":
        world.call("POST", target, " " * 6_000_000)
        world.call("POST", target, "{}", headers={"content-type": "text/plain"})
        world.call("POST", target, {"children": 7})
    else:
        world.call(method, f"/batches/{UUID}")
        member = world.batches.records[BatchRef("default", started["id"])].member(0)
        progress = world.client.batches._progress
        progress.count([End(BatchRef("default", started["id"]), member, Fate.CANCELLED)])
        world.call(method, target)
    for error in (UnavailableError("find", "ThrottlingException"), RuntimeError("secret")):
        world.batches.outage = error
        assert "secret" not in world.call(method, target, body).text
    documented = {(method, path, status) for status in world.contract["paths"][path][method.lower()]["responses"]}
    assert {reached for reached in world.reached if reached[:2] == (method, path)} == documented


def test_other_methods_are_refused_with_those_that_are_taken(world):
    assert world.call("GET", "/batches").headers["Allow"] == "POST"
    assert world.call("POST", f"/batches/{UUID}", {}).headers["Allow"] == "DELETE, GET"


@pytest.mark.parametrize(("document", "field"), [row for row in BAD if isinstance(row[0], dict)])
def test_what_the_schema_allows_is_only_refused_for_what_no_schema_says(world, document, field):
    unsaid = {"after.a", "after", "children[0].key", "children[0].tenant", "key", "tenant", "completion"}
    validator = world.validator({"$ref": "#/components/schemas/FlowRequest"})
    assert field in unsaid or not validator.is_valid(document)


@pytest.mark.parametrize("document", [GROUP, {"steps": [LOOSE, GROUP], "then": LOOSE}, {"nodes": {"a": LOOSE}}])
def test_the_schema_takes_what_is_accepted(world, document):
    assert world.validator({"$ref": "#/components/schemas/FlowRequest"}).is_valid(document)
    assert world.call("POST", "/batches", document).status == 202


def test_a_batch_near_its_limit_is_told_of_once(world, monkeypatch):
    monkeypatch.setattr("tidemill.domain.limits.MAX_BATCH_CHILDREN", 10)
    inner = {"children": [LOOSE] * 4}
    sizes = [
        world.call("POST", "/batches", {"children": [LOOSE] * count, "then": LOOSE, "key": f"k{count}"}).json["jobs"]
        for count in (7, 8, 8)
    ]
    sizes.append(world.call("POST", "/batches", {"children": [inner, inner]}).json["jobs"])

    assert sizes == [7, 8, 8, 8]
    told = [json.loads(line) for line in world.telemetry.lines if "limit_near" in line]
    assert [(one["limit"], one["count"], one["most"]) for one in told] == [("batch_children", 8, 10)] * 2
    assert world.client.start(Batch([Loose()] * 8)).is_near_limit
    assert not world.client.start(Batch([Loose()] * 7)).is_near_limit
