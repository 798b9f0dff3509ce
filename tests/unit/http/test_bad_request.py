"""Bad headers, bodies that are not what they are said to be, bad paths and queries."""

import pytest

THUMB = {"kind": "media.thumbnail", "args": {"bucket": "b", "width": 320}}
UUID = "0190a5b0-0000-7000-8000-000000000000"


@pytest.mark.parametrize("path", ["/jobs", "/jobs/batch"])
@pytest.mark.parametrize(
    ("field", "headers"),
    [
        ("Content-Type", {"content-type": "text/plain"}),
        ("Content-Type", {"content-type": "application/x-www-form-urlencoded"}),
        ("Content-Type", {"content-type": "application/jsonp"}),
        ("Content-Type", {"content-type": ""}),
        ("Content-Type", {"content-type": "application/json; charset=utf-16"}),
        ("Content-Encoding", {"content-encoding": "gzip"}),
    ],
)
def test_another_media_type_is_refused(world, path, field, headers):
    answer = world.call("POST", path, {"jobs": [THUMB]} if "batch" in path else THUMB, headers=headers)
    assert (answer.status, answer.fields) == (415, {field})
    assert world.is_empty


@pytest.mark.parametrize(
    "media_type", ["application/json", "Application/JSON; charset=UTF-8", 'application/json;charset="utf-8"']
)
def test_json_in_utf_8_is_taken_however_it_is_written(world, media_type):
    assert world.call("POST", "/jobs", THUMB, headers={"content-type": media_type}).status == 202


@pytest.mark.parametrize("body", ["not base64!", "eyJ9", "e30", "\ud800", "ä"])
def test_what_the_gateway_calls_base64_has_to_be(world, event, body):
    bad = event("POST", "/jobs", THUMB)
    answer = world.send({**bad, "body": body, "isBase64Encoded": True})
    assert (answer.status, answer.fields) == (400, {"body"})
    assert world.is_empty


def test_base64_with_other_characters_in_it_is_not_read_around_them(world, event):
    good = event("POST", "/jobs", THUMB, encoded=True)
    answer = world.send({**good, "body": good["body"][:8] + "!\n" + good["body"][8:]})
    assert (answer.status, answer.json["violations"][0]["code"]) == (400, "base64")
    assert world.is_empty


def test_half_a_character_in_a_query_is_answered_in_whole_ones(world, event):
    answer = world.send({**event("GET", "/jobs"), "queryStringParameters": {"st\ud800te": "dead"}})
    assert (answer.status, answer.fields) == (400, {"st?te"})


@pytest.mark.parametrize(
    ("field", "target"),
    [
        ("state", "/jobs"),
        ("state", "/jobs?state=running"),
        ("state", "/jobs?state=DEAD"),
        ("state", "/jobs?state="),
        ("state", "/jobs?state=%ED%A0%80"),
        ("kind", "/jobs?kind=Bad%20Kind"),
        ("day", "/jobs?kind=loose&day=yesterday"),
        ("day", "/jobs?kind=loose&day=20261122"),
        ("day", "/jobs?kind=loose&day=2026-13-01"),
        ("day", "/jobs?kind=loose&day="),
        ("day", "/jobs?state=dead&day=2026-11-22"),
        ("limit", "/jobs?state=dead&limit=0"),
        ("limit", "/jobs?state=dead&limit=101"),
        ("limit", "/jobs?state=dead&limit=-1"),
        ("limit", "/jobs?state=dead&limit=1_0"),
        ("limit", "/jobs?state=dead&limit=%D9%A3"),
        ("limit", "/jobs?state=dead&limit=" + "9" * 5_000),
        ("cursor", "/jobs?state=dead&cursor=forged"),
        ("tenant", "/jobs?state=dead&tenant=a%23b"),
        ("States", "/jobs?States=dead"),
        ("id", "/jobs/batch"),
        ("id", "/jobs/1"),
        ("id", "/jobs/" + "a" * 4_000),
        ("tenant", f"/jobs/{UUID}?tenant=a%23b"),
        ("failures", f"/jobs/{UUID}?failures=yes"),
        ("state", f"/jobs/{UUID}?state=dead"),
        ("verbose", "/openapi.json?verbose=1"),
    ],
)
def test_a_bad_path_or_query_is_refused_by_name(world, field, target):
    answer = world.call("GET", target)
    assert answer.status == 400, answer.text
    assert field in answer.fields


def test_a_state_without_an_index_is_refused_with_those_that_have_one(world):
    problem = world.call("GET", "/jobs?state=succeeded").json["violations"][0]
    assert problem["code"] == "not_indexed"
    assert all(state in problem["problem"] for state in ("dead", "retrying", "scheduled"))


@pytest.mark.parametrize(("method", "target"), [("POST", "/jobs?tenant=acme"), ("POST", "/jobs/batch?tenant=acme")])
def test_a_query_that_a_submit_would_ignore_is_refused(world, method, target):
    answer = world.call(method, target, THUMB)
    assert (answer.status, answer.fields) == (400, {"tenant"})
    assert world.is_empty
