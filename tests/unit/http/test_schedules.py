"""Schedules over HTTP: every verb, every status of the document, and every bad field by its name."""

import pytest

from tidemill.domain import limits
from tidemill.domain.errors import UnavailableError
from tidemill.domain.schedule_row import ScheduleRef
from tidemill.entrypoints.http_schedule_openapi import schedule_paths

NIGHTLY = {"name": "nightly", "kind": "loose", "args": {"anything": None}, "cron": "0 3 * * *", "tz": "Europe/Paris"}
TOKEN = {"jwt": {"claims": {"sub": "eve", "tenant": "acme"}}}
OPERATIONS = [(method.upper(), path) for path, methods in schedule_paths().items() for method in methods]
BODIES = {
    "/schedules": {**NIGHTLY, "name": "another"},
    "/schedules/{name}": {"overlap": "skip"},
    "/schedules/{name}/revert": {"to": 1},
    "/schedules/{name}/backfill": {"start": "2027-01-01T00:00:00Z", "end": "2027-01-03T00:00:00Z"},
}


def created(world, **changes):
    answer = world.call("POST", "/schedules", {**NIGHTLY, **changes})
    assert answer.status == 201, answer.text
    return answer


def a_body(method, path):
    return BODIES.get(path, {}) if method in ("POST", "PATCH") else None


def test_a_schedule_is_made_shown_and_listed(world):
    answer = created(world, overlap="skip", missed="run_all", missed_limit=7)

    assert answer.headers["Location"] == answer.json["link"] == "/schedules/nightly"
    assert answer.headers["ETag"] == '"1"'
    shown = world.call("GET", "/schedules/nightly")
    assert shown.json == answer.json
    asked = {"overlap": "skip", "missed": "run_all", "missed_limit": 7, **NIGHTLY}
    assert {name: shown.json[name] for name in asked} == asked
    assert shown.json["next_at"].endswith("T02:00:00.000Z")
    listed = world.call("GET", "/schedules").json["schedules"]
    assert [one["name"] for one in listed] == ["nightly"]
    assert "args" not in listed[0]
    assert len(world.call("GET", "/schedules/nightly/next?count=3").json["next"]) == 3


def test_a_change_is_refused_against_a_stale_version(world):
    created(world)
    changed = world.call("PATCH", "/schedules/nightly", {"every_seconds": 600}, headers={"if-match": '"1"'})
    assert (changed.status, changed.json["version"], changed.headers["ETag"]) == (200, 2, '"2"')
    assert (changed.json["cron"], changed.json["every_seconds"]) == (None, 600)

    for method, target, body in (
        ("PATCH", "/schedules/nightly", {"overlap": "skip"}),
        ("DELETE", "/schedules/nightly", None),
        ("POST", "/schedules/nightly/pause", {}),
        ("POST", "/schedules/nightly/revert", {"to": 1}),
    ):
        refused = world.call(method, target, body, headers={"if-match": '"1"'})
        assert (refused.status, refused.json["code"]) == (409, "stale_version")
        assert "in version 2" in refused.json["detail"]
    assert world.call("GET", "/schedules/nightly").json["version"] == 2


def test_one_field_of_the_times_may_change(world):
    created(world)
    zone = world.call("PATCH", "/schedules/nightly", {"tz": "Asia/Kathmandu"}).json
    assert (zone["cron"], zone["tz"]) == ("0 3 * * *", "Asia/Kathmandu")
    fields = world.call("PATCH", "/schedules/nightly", {"cron": "0 4 * * *"}).json
    assert (fields["cron"], fields["tz"]) == ("0 4 * * *", "Asia/Kathmandu")


def test_pause_resume_revert_trigger_backfill_versions_delete(world):
    created(world)
    assert world.call("POST", "/schedules/nightly/pause", {}).json["paused"] is True
    assert world.call("GET", "/schedules/nightly/next").json["next"] == []
    assert world.call("POST", "/schedules/nightly/resume", {}).json["paused"] is False
    world.call("PATCH", "/schedules/nightly", {"cron": "0 5 * * *"})
    reverted = world.call("POST", "/schedules/nightly/revert", {"to": 1}).json
    assert (reverted["cron"], reverted["version"]) == ("0 3 * * *", 5)

    triggered = world.call("POST", "/schedules/nightly/trigger", {})
    assert world.call("GET", triggered.json["link"]).json["kind"] == "loose"
    again = world.call("POST", "/schedules/nightly/trigger", {"job_id": triggered.json["id"]})
    assert (triggered.status, again.status, again.json["created"]) == (202, 200, False)

    asked = {"start": "2027-01-01T00:00:00Z", "end": "2027-01-04T00:00:00Z"}
    dry = world.call("POST", "/schedules/nightly/backfill", {**asked, "dry_run": True}).json
    done = world.call("POST", "/schedules/nightly/backfill", asked).json
    assert (dry["ticks"], dry["created"], dry["dry_run"], done["created"], done["failed"]) == (3, 3, True, 3, 0)
    assert [job["id"] for job in dry["jobs"]] == [job["id"] for job in done["jobs"]]
    assert world.call("GET", done["jobs"][0]["link"]).status == 200

    versions = world.call("GET", "/schedules/nightly/versions?limit=2").json
    assert [one["change"] for one in versions["versions"]] == ["reverted", "changed"]
    assert versions["versions"][0]["actor"] == "arn:aws:iam::123456789012:user/op"
    older = world.call("GET", f"/schedules/nightly/versions?cursor={versions['cursor']}").json
    assert [one["change"] for one in older["versions"]] == ["resumed", "paused", "created"]

    assert world.call("DELETE", "/schedules/nightly").status == 200
    assert world.call("GET", "/schedules/nightly").status == 404


def test_a_token_reaches_its_own_tenants_and_sees_no_operators_name(make_world):
    world = make_world(tenant_claim="tenant")
    created(world, tenant="acme")
    created(world, tenant="zeta")

    assert world.call("GET", "/schedules/nightly", authorizer=TOKEN).json["tenant"] == "acme"
    world.call("POST", "/schedules/nightly/pause", {}, authorizer=TOKEN)
    actors = [
        one["actor"] for one in world.call("GET", "/schedules/nightly/versions", authorizer=TOKEN).json["versions"]
    ]
    assert actors == ["token:eve", "operator"]
    for method, target, body in (
        ("GET", "/schedules/nightly?tenant=zeta", None),
        ("PATCH", "/schedules/nightly", {"tenant": "zeta", "overlap": "skip"}),
        ("DELETE", "/schedules/nightly?tenant=zeta", None),
        ("POST", "/schedules", {**NIGHTLY, "name": "x", "tenant": "zeta"}),
        ("POST", "/schedules/nightly/trigger", {"tenant": "zeta"}),
    ):
        assert world.call(method, target, body, authorizer=TOKEN).status == 403
    assert world.client.schedules.get("nightly", tenant="zeta").version == 1


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("name", {"name": "Not A Name"}),
        ("name", {"name": 7}),
        ("kind", {"kind": "nope"}),
        ("args", {"args": 7}),
        ("cron", {"cron": None, "tz": None}),
        ("cron", {"cron": "* * *"}),
        ("cron.minute", {"cron": "61 * * * *"}),
        ("cron.day-of-month", {"cron": "0 0 30 2 *"}),
        ("tz", {"tz": "Mars/Base"}),
        ("tz", {"tz": "#"}),
        ("every_seconds", {"every_seconds": 60}),
        ("every_seconds", {"cron": None, "tz": None, "every_seconds": 61}),
        ("every_seconds", {"cron": None, "tz": None, "every_seconds": 10**18}),
        ("every_seconds", {"cron": None, "tz": None, "every_seconds": True}),
        ("overlap", {"overlap": "x"}),
        ("missed", {"missed": "x"}),
        ("missed_limit", {"missed": "run_all", "missed_limit": 1_000}),
        ("missed_limit", {"missed_limit": 9}),
        ("lane", {"lane": "nowhere"}),
        ("entity", {"entity": "a"}),
        ("extra", {"extra": 1}),
    ],
)
def test_a_bad_field_is_named_and_nothing_is_made(world, field, changes):
    answer = world.call("POST", "/schedules", {**NIGHTLY, **changes})

    assert answer.status == 422
    assert answer.fields == {field}
    assert world.client.schedules.page().rows == ()


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("start", {"start": "yesterday", "end": "2027-01-03T00:00:00Z"}),
        ("end", {"start": "2027-01-01T00:00:00Z", "end": "2027-01-03"}),
        ("end", {"start": "2027-01-01T00:00:00Z", "end": "2999-01-03T00:00:00Z"}),
        ("end", {"start": "2027-01-03T00:00:00Z", "end": "2027-01-01T00:00:00Z"}),
        ("start", {"end": "2027-01-03T00:00:00Z"}),
    ],
)
def test_a_bad_range_is_named(world, field, body):
    created(world)
    answer = world.call("POST", "/schedules/nightly/backfill", body)
    assert (answer.status, answer.fields) == (422, {field})


@pytest.mark.parametrize("header", ["x", "", "1.5", '"one"'])
def test_a_bad_if_match_is_named(world, header):
    created(world)
    answer = world.call("POST", "/schedules/nightly/pause", {}, headers={"if-match": header})
    assert (answer.status, answer.fields) == (400, {"If-Match"})


@pytest.mark.parametrize(("method", "path"), OPERATIONS)
def test_every_documented_status_is_reached(world, monkeypatch, method, path):
    """Those of all operations: a good request, and each way to be refused."""
    created(world)
    target, body = path.replace("{name}", "nightly"), a_body(method, path)
    send = world.call
    send(method, f"{target}?nothing=1", body)
    send(method, target, body, authorizer=None)
    send(method, target, body, authorizer={"jwt": {"claims": {"sub": "u"}}})
    if "{name}" in path:
        send(method, path.replace("{name}", "absent"), body)
    if body is not None:
        send(method, target, " " * 6_000_000)
        send(method, target, "{}", headers={"content-type": "text/plain"})
        send(method, target, {**body, "nothing": 1})
    if path == "/schedules" and method == "POST":
        send(method, target, {**NIGHTLY, "cron": "1 1 * * *"})
        with monkeypatch.context() as broken:
            broken.setattr(limits, "MAX_SCHEDULES", 1)
            assert send(method, target, {**NIGHTLY, "name": "b"}).json["code"] == "too_many_schedules"
    for error in (UnavailableError("find", "ThrottlingException"), RuntimeError("secret")):
        with monkeypatch.context() as broken:
            for verb in ("find", "listed", "history"):
                broken.setattr(world.client.schedules.rows, verb, fails_with(error))
            answer = send(method, target, body)
        assert answer.status == (503 if isinstance(error, UnavailableError) else 500)
        assert "secret" not in answer.text + "".join(world.telemetry.lines)
    if path.endswith("trigger"):
        known = send(method, target, body).json["id"]
        send(method, target, {"job_id": known})
    if "409" in world.contract["paths"][path][method.lower()]["responses"] and "{name}" in path:
        send(method, target, body, headers={"if-match": '"7"'})
    send(method, target, body)

    documented = {(method, path, status) for status in world.contract["paths"][path][method.lower()]["responses"]}
    assert {reached for reached in world.reached if reached[:2] == (method, path)} == documented


def test_an_unknown_method_is_told_those_that_are_known(world):
    for target in ("/schedules", "/schedules/nightly", "/schedules/nightly/pause", "/schedules/nightly/next"):
        answer = world.call("PUT", target, {})
        assert answer.status == 405
        assert answer.headers["Allow"]


def test_what_is_logged_names_the_schedule_and_no_argument(world):
    created(world, args={"anything": "canary-3f9a77"})
    assert any("schedule_created" in line and "nightly" in line for line in world.telemetry.lines)
    assert "canary" not in "".join(world.telemetry.lines)
    assert world.client.schedules.rows.find([ScheduleRef("default", "nightly")])[0] is not None


def fails_with(error):
    def fail(*arguments):
        raise error

    return fail
