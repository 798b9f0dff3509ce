"""Powertools' own answers come out in our form."""

import pytest


@pytest.mark.parametrize("target", ["/", "/job", "/jobs/", "/jobs/a/b", "/docs", "/openapi.yaml", "/jobs//", "//jobs"])
def test_an_unknown_path_is_a_404_problem(world, target):
    answer = world.call("GET", target)
    assert (answer.status, answer.json["code"]) == (404, "no_route")


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("PUT", "/jobs", "DELETE, GET, POST"),
        ("PATCH", "/jobs/abc", "DELETE, GET"),
        ("POST", "/jobs/abc", "DELETE, GET"),
        ("PUT", "/jobs/batch", "POST"),
        ("POST", "/openapi.json", "GET"),
        ("GET", "/jobs/abc/redrive", "POST"),
        ("POST", "/dlq", "GET"),
        ("POST", "/dlq/groups", "GET"),
        ("POST", "/dlq/audit", "GET"),
        ("DELETE", "/dlq/redrive", "POST"),
        ("DELETE", "/dlq/purge", "POST"),
        ("POST", "/dlq/abc", "GET"),
        ("OPTIONS", "/jobs", "DELETE, GET, POST"),
        ("HEAD", "/jobs", "DELETE, GET, POST"),
    ],
)
def test_another_method_is_a_405_problem(world, method, target, allowed):
    answer = world.call(method, target, {})
    assert (answer.status, answer.headers["Allow"]) == (405, allowed)


def test_an_id_that_no_route_matches_is_a_404_problem(world):
    answer = world.call("GET", '/jobs/"')
    assert (answer.status, answer.json["code"]) == (404, "no_route")


def test_debug_mode_can_not_be_switched_on_by_the_environment(make_world, monkeypatch, capsys):
    monkeypatch.setenv("POWERTOOLS_DEV", "true")
    monkeypatch.setenv("POWERTOOLS_EVENT_HANDLER_DEBUG", "true")
    make_world().call("POST", "/jobs", {"kind": "loose", "args": {"anything": "canary"}})
    assert "canary" not in "".join(capsys.readouterr())
