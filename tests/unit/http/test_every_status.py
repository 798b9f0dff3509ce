"""Every status that the OpenAPI document promises is reached, and no other."""

import pytest

from tidemill.domain.errors import UnavailableError
from tidemill.domain.outcome import Complete
from tidemill.domain.ports import Refused
from tidemill.entrypoints.http_answers_openapi import answer_paths
from tidemill.entrypoints.http_dlq_openapi import dlq_paths
from tidemill.entrypoints.http_schedule_openapi import schedule_paths

LOOSE = {"kind": "loose", "args": {}}
UUID = "0190a5b0-0000-7000-8000-000000000000"
NEVER = 4_000_000_000_000
ROUTES = {
    ("POST", "/jobs"): LOOSE,
    ("POST", "/jobs/batch"): {"jobs": [LOOSE]},
    ("GET", "/jobs"): None,
    ("GET", "/jobs/{id}"): None,
    ("DELETE", "/jobs"): None,
    ("DELETE", "/jobs/{id}"): None,
    ("POST", "/jobs/{id}/move"): {"delay_seconds": 5},
    ("GET", "/openapi.json"): None,
}


def fails_with(error):
    def fail(*arguments):
        raise error

    return fail


def good(world, method, path):
    """A request that succeeds: its target and body."""
    ref = world.submitted()
    target = "/jobs?state=scheduled" if path == "/jobs" and method != "POST" else path.replace("{id}", ref.id)
    return target, ROUTES[method, path]


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_documented_status_is_reached(world, monkeypatch, method, path):
    target, body = good(world, method, path)
    world.call(method, target, body)
    world.call(method, f"{target}{'&' if '?' in target else '?'}nothing=1", body)
    world.call(method, target, body, authorizer=None)
    world.call(method, target, body, authorizer={"jwt": {"claims": {"sub": "u"}}})
    if path == "/jobs/{id}":
        world.call(method, f"/jobs/{UUID}")
    if (method, path) == ("DELETE", "/jobs/{id}"):
        world.running(busy := world.submitted())
        world.call("DELETE", f"/jobs/{busy.id}")
        world.concluded(done := world.submitted(), Complete(None, NEVER))
        world.call("DELETE", f"/jobs/{done.id}")
    if path == "/jobs/{id}/move":
        world.call(method, f"/jobs/{UUID}/move", body)
        world.client.cancel(over := world.submitted().id)
        world.call(method, f"/jobs/{over}/move", body)
    if method == "POST":
        post_what_is_refused(world, target)
    fail(world, monkeypatch, method, path, target)
    documented = {(method, path, status) for status in world.contract["paths"][path][method.lower()]["responses"]}
    assert {reached for reached in world.reached if reached[:2] == (method, path)} == documented


def post_what_is_refused(world, target):
    batch = target.endswith("batch")

    def wrapped(job):
        return {"jobs": [job]} if batch else job

    world.client.cancel(world.submitted(kind="pay.once", key="k").id)
    world.call("POST", target, wrapped({**LOOSE, "key": "seen"}))
    world.call("POST", target, wrapped({**LOOSE, "key": "seen"}))
    world.call("POST", target, wrapped({"kind": "pay.once", "args": {}, "key": "k"}))
    world.call("POST", target, " " * 6_000_000)
    world.call("POST", target, "{}", headers={"content-type": "text/plain"})
    world.call("POST", target, wrapped({"kind": "nope", "args": {}}))


def fail(world, monkeypatch, method, path, target):
    """Requests that meet AWS failing, and a bug of ours."""
    keyed = {**LOOSE, "key": "other"}
    bodies = {"/jobs": keyed, "/jobs/batch": {"jobs": [keyed]}, "/jobs/{id}/move": {"delay_seconds": 9}}
    body = bodies.get(path) if method == "POST" else None
    for error in (UnavailableError("find", "ThrottlingException"), RuntimeError("secret")):
        if path == "/openapi.json" and isinstance(error, UnavailableError):
            continue
        with monkeypatch.context() as broken:
            broken.setattr(world.store, "find", fails_with(error))
            broken.setattr(world.store, "waiting", fails_with(error))
            broken.setattr(type(world.api), "openapi", property(fails_with(error)))
            answer = world.call(method, target, body)
        assert answer.status == (503 if isinstance(error, UnavailableError) else 500)
        assert "secret" not in answer.text + "".join(world.telemetry.lines)


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_the_routes_are_those_of_the_document(world, method, path):
    assert method.lower() in world.contract["paths"][path]
    others = (*dlq_paths(), *schedule_paths(), *answer_paths(), "/batches", "/batches/{id}")
    found = {path: operations for path, operations in world.contract["paths"].items() if path not in others}
    assert sum(len(operations) for operations in found.values()) == len(ROUTES)


def test_a_job_that_keeps_changing_is_503(world, monkeypatch):
    ref = world.submitted()
    monkeypatch.setattr(world.store, "move", lambda verb, before, after: Refused(before))
    assert world.call("DELETE", f"/jobs/{ref.id}").status == 503
