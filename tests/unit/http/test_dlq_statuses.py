"""Every status that the OpenAPI document promises of the DLQ desk is reached, and no other."""

import pytest

from tests.unit.http.dead import UUID, kill
from tests.unit.http.test_every_status import fails_with
from tidemill.domain.errors import UnavailableError
from tidemill.entrypoints.http_dlq_openapi import dlq_paths
from tidemill.entrypoints.http_request import MAX_BODY_BYTES

NO_TENANT = {"jwt": {"claims": {"sub": "u"}}}
ROUTES = {
    ("GET", "/dlq"): ("/dlq", None),
    ("GET", "/dlq/groups"): ("/dlq/groups", None),
    ("GET", "/dlq/audit"): ("/dlq/audit", None),
    ("GET", "/dlq/{id}"): ("/dlq/{id}", None),
    ("POST", "/jobs/{id}/redrive"): ("/jobs/{id}/redrive", {"dry_run": True}),
    ("POST", "/dlq/redrive"): ("/dlq/redrive", {"dry_run": True}),
    ("POST", "/dlq/purge"): ("/dlq/purge", {"filter": {"lane": "default"}, "dry_run": True}),
}


@pytest.mark.parametrize(("method", "path"), ROUTES)
def test_every_documented_status_is_reached(world, monkeypatch, method, path):
    target, body = ROUTES[method, path]
    target = target.replace("{id}", kill(world).id)
    world.call(method, target, body)
    world.call(method, f"{target}?nothing=1", body)
    world.call(method, target, body, authorizer=None)
    world.call(method, target, body, authorizer=NO_TENANT)
    if "{id}" in path:
        world.call(method, path.replace("{id}", UUID), body)
        world.call(method, path.replace("{id}", world.submitted().id), body)
    if method == "POST":
        world.call(method, target, {**body, "filter": {"lane": "bulk"}})
        world.call(method, target, " " * (MAX_BODY_BYTES + 1))
        world.call(method, target, "{}", headers={"content-type": "text/plain"})
        world.call(method, target, {"colour": "red"})
    fail(world, monkeypatch, method, target, body)
    if path == "/jobs/{id}/redrive":
        world.call(method, target, {})
    if path == "/dlq/redrive":
        kill(world)
        canary = world.call(method, target, {"canary": 1}).json["canary"]
        world.call(method, target, {"after": canary})
    documented = {(method, path, status) for status in world.contract["paths"][path][method.lower()]["responses"]}
    assert {reached for reached in world.reached if reached[:2] == (method, path)} == documented


def fail(world, monkeypatch, method, target, body):
    for error in (UnavailableError("find", "ThrottlingException"), RuntimeError("secret")):
        with monkeypatch.context() as broken:
            for name in ("find", "waiting"):
                broken.setattr(world.store, name, fails_with(error))
            broken.setattr(world.trail, "read", fails_with(error))
            broken.setattr(world.queues, "peek", fails_with(error))
            answer = world.call(method, target, body)
        assert answer.status == (503 if isinstance(error, UnavailableError) else 500)
        assert "secret" not in answer.text + "".join(world.telemetry.lines)


def test_the_routes_are_those_of_the_document():
    assert {(method.upper(), path) for path, operations in dlq_paths().items() for method in operations} == set(ROUTES)
