"""Who calls, and which tenants that opens."""

import pytest

LOOSE = {"kind": "loose", "args": {}}


def token(**claims):
    return {"jwt": {"claims": claims, "scopes": None}}


ACME = token(tenant="acme", sub="u")
ROUTES = [
    ("POST", "/jobs"),
    ("POST", "/jobs/batch"),
    ("GET", "/jobs?state=dead"),
    ("GET", "/jobs/0190a5b0-0000-7000-8000-000000000000"),
    ("DELETE", "/jobs/0190a5b0-0000-7000-8000-000000000000"),
    ("GET", "/openapi.json"),
    ("GET", "/dlq"),
    ("GET", "/dlq/groups"),
    ("GET", "/dlq/audit"),
    ("GET", "/dlq/0190a5b0-0000-7000-8000-000000000000"),
    ("POST", "/jobs/0190a5b0-0000-7000-8000-000000000000/redrive"),
    ("POST", "/dlq/redrive"),
    ("POST", "/dlq/purge"),
    ("POST", "/jobs/0190a5b0-0000-7000-8000-000000000000/answers/approval"),
]


@pytest.mark.parametrize(("method", "target"), ROUTES)
@pytest.mark.parametrize("authorizer", [None, {}, {"lambda": {"tenant": "acme"}}, {"jwt": {}}, {"iam": {}}])
def test_a_request_that_no_authoriser_saw_is_401(world, method, target, authorizer):
    answer = world.call(method, target, LOOSE, authorizer=authorizer)
    assert (answer.status, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert world.is_empty


@pytest.mark.parametrize(("method", "target"), ROUTES)
@pytest.mark.parametrize("claims", [{"sub": "u"}, {"tenant": ""}, {"tenant": "[a b]"}, {"tenant": None}, {"tenant": 5}])
def test_a_token_without_a_tenant_opens_nothing(world, method, target, claims):
    answer = world.call(method, target, LOOSE, authorizer={"jwt": {"claims": claims}})
    assert (answer.status, answer.json["code"]) == (403, "forbidden_tenant")
    assert world.is_empty


def test_the_tenant_is_that_of_the_token(world):
    answer = world.call("POST", "/jobs", LOOSE, authorizer=ACME)
    assert answer.json["link"] == f"/jobs/{answer.json['id']}"
    job = world.call("GET", answer.json["link"], authorizer=ACME).json
    assert job["tenant"] == "acme"
    assert job["link"] == answer.json["link"]
    assert world.call("POST", "/jobs", {**LOOSE, "tenant": "acme"}, authorizer=ACME).status == 202


@pytest.mark.parametrize("tenant", ["globex", "default", "", 5, ["acme"], {"acme": 1}])
def test_another_tenant_in_the_body_is_forbidden(world, tenant):
    answer = world.call("POST", "/jobs", {**LOOSE, "tenant": tenant}, authorizer=ACME)
    assert (answer.status, answer.fields) == (403, {"tenant"})
    batch = world.call("POST", "/jobs/batch", {"jobs": [{**LOOSE, "tenant": tenant}]}, authorizer=ACME)
    assert (batch.status, batch.fields) == (403, {"jobs[0].tenant"})
    assert world.is_empty


def test_another_tenant_in_a_batch_stops_no_other(world):
    jobs = [{**LOOSE, "tenant": "globex"}, LOOSE]
    answer = world.call("POST", "/jobs/batch", {"jobs": jobs}, authorizer=ACME)
    assert [result.get("status", result.get("created")) for result in answer.json["results"]] == [403, True]
    assert {ref.tenant for ref in world.store.jobs} == {"acme"}


def test_another_tenants_jobs_are_out_of_reach(world):
    ref = world.submitted(tenant="globex", delay_seconds=86_400)
    for method in ("GET", "DELETE"):
        assert world.call(method, f"/jobs/{ref.id}", authorizer=ACME).status == 404
        assert world.call(method, f"/jobs/{ref.id}?tenant=globex", authorizer=ACME).status == 403
    assert world.call("GET", "/jobs?state=scheduled", authorizer=ACME).json["jobs"] == []
    assert world.call("GET", "/jobs?state=scheduled&tenant=globex", authorizer=ACME).status == 403
    assert world.call("GET", "/jobs?kind=loose", authorizer=ACME).json["jobs"] == []


def test_two_tenants_may_use_one_key(world):
    first = world.call("POST", "/jobs", {**LOOSE, "key": "k"}, authorizer=ACME)
    second = world.call("POST", "/jobs", {**LOOSE, "key": "k"}, authorizer=token(tenant="globex"))
    assert (first.status, second.status) == (202, 202)
    assert first.json["id"] != second.json["id"]


def test_a_signed_caller_names_any_tenant(world):
    answer = world.call("POST", "/jobs", {**LOOSE, "tenant": "acme"})
    assert answer.json["link"] == f"/jobs/{answer.json['id']}?tenant=acme"
    assert world.call("GET", answer.json["link"]).json["tenant"] == "acme"
    assert world.call("GET", f"/jobs/{answer.json['id']}").status == 404
    assert world.call("DELETE", answer.json["link"]).json["state"] == "cancelled"


def test_the_claim_has_the_name_that_the_stack_gives_it(make_world):
    world = make_world(tenant_claim="custom:org")
    job = world.call("POST", "/jobs", LOOSE, authorizer=token(**{"custom:org": "acme", "tenant": "globex"}))
    assert job.status == 202
    assert {ref.tenant for ref in world.store.jobs} == {"acme"}
    assert world.api.openapi["security"] == [{"token": []}]
