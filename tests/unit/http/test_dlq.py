"""The DLQ desk over HTTP."""

import json
from dataclasses import replace

import pytest

from tests.unit.http.dead import ACME, FAILURE, UUID, entries, kill, remember
from tests.unit.http.gateway import IAM
from tidemill import seconds
from tidemill.domain.audit import Outcome
from tidemill.domain.errors import PayloadGoneError, UnavailableError
from tidemill.domain.lifecycle import State
from tidemill.domain.memory import Wish
from tidemill.entrypoints import http_dlq
from tidemill.service.reception import receive

THUMB = {"kind": "media.thumbnail", "args": {"bucket": "b", "width": 320}}
ASKED = {"filter": {"lane": "default"}}


class TestLooking:
    def test_a_list_with_a_filter(self, world):
        mine, other = kill(world, tenant="acme", lane="bulk"), kill(world, tenant="acme")
        kill(world, tenant="globex")

        assert {job["id"] for job in world.call("GET", "/dlq", authorizer=ACME).json["jobs"]} == {mine.id, other.id}
        for query in ("lane=bulk", "lane=bulk&kind=loose", "lane=bulk&reason=permanent&error=0123456789abcdef"):
            page = world.call("GET", f"/dlq?{query}", authorizer=ACME).json
            assert [job["id"] for job in page["jobs"]] == [mine.id]
        for query in ("kind=blob", "error=" + "f" * 16, "reason=poison", "until=2026-01-01T00:00:00Z"):
            assert world.call("GET", f"/dlq?{query}", authorizer=ACME).json["jobs"] == []

    def test_page_by_page(self, world):
        ids = {kill(world).id for _ in range(3)}

        first = world.call("GET", "/dlq?limit=2").json
        second = world.call("GET", f"/dlq?cursor={first['cursor']}").json

        assert len(first["jobs"]) == 2
        assert {job["id"] for page in (first, second) for job in page["jobs"]} == ids

    def test_groups(self, world):
        for _ in range(2):
            last = kill(world, tenant="acme")
        kill(world, tenant="acme", failure=replace(FAILURE, fingerprint="f" * 16, message="other"))
        kill(world, tenant="globex")

        found = world.call("GET", "/dlq/groups", authorizer=ACME).json

        first, second = found["groups"]
        assert (first["count"], first["error"], first["message"]) == (2, FAILURE.fingerprint, "no such bucket")
        assert (first["sample"], first["link"]) == (last.id, f"/jobs/{last.id}")
        assert (second["count"], second["message"], found["complete"]) == (1, "other", True)

    def test_one_job_with_all_that_is_known_of_it(self, world):
        ref = kill(world, tenant="acme", args={"anything": [1, "é"]})
        remember(world, ref, "reserve", "charge")

        shown = world.call("GET", f"/dlq/{ref.id}", authorizer=ACME).json

        assert shown["args"] == {"anything": [1, "é"]}
        assert [step["name"] for step in shown["steps"]] == ["reserve", "charge"]
        assert shown["effects"] == {
            "resume": {"kept": ["reserve", "charge"], "again": []},
            "restart": {"kept": [], "again": ["reserve", "charge"]},
        }
        assert shown["failures"][-1]["message"] == "no such bucket"

    def test_a_job_that_is_not_dead_is_409_and_none_is_404(self, world):
        assert world.call("GET", f"/dlq/{world.submitted().id}").status == 409
        assert world.call("GET", f"/dlq/{UUID}").status == 404
        assert world.call("GET", "/dlq/nonsense").status == 400

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("lane=gpu", "lane"),
            ("kind=A", "kind"),
            ("error=x", "error"),
            ("reason=A", "reason"),
            ("since=yesterday", "since"),
            ("since=2026-01-01", "since"),
            ("until=9999-99-99T00:00:00Z", "until"),
            ("since=2026-02-01T00:00:00Z&until=2026-01-01T00:00:00Z", "until"),
            ("limit=0", "limit"),
            ("limit=x", "limit"),
            ("cursor=x", "cursor"),
            ("color=red", "color"),
        ],
    )
    def test_a_bad_query_is_named(self, world, query, field):
        answer = world.call("GET", f"/dlq?{query}")
        assert (answer.status, answer.fields) == (400, {field})


class TestRedrive:
    def test_its_own_message_goes_back(self, world):
        ref = kill(world, tenant="acme")
        remember(world, ref, "reserve")

        answer = world.call("POST", f"/jobs/{ref.id}/redrive", {}, authorizer=ACME)

        assert (answer.status, answer.json["via"], answer.json["mode"]) == (202, "dlq", "resume")
        assert (answer.json["kept"], answer.json["again"]) == (["reserve"], [])
        assert (world.queues.depth("default"), world.queues.count("default")) == (0, 1)
        assert world.telemetry.counts["JobsRedriven"] == 1

    def test_from_a_step(self, world):
        ref = kill(world)
        remember(world, ref, "reserve", "charge")

        answer = world.call("POST", f"/jobs/{ref.id}/redrive", {"from_step": "charge"})

        assert (answer.json["mode"], answer.json["kept"], answer.json["again"]) == (
            "from_step",
            ["reserve"],
            ["charge"],
        )
        (message,) = receive(world.queues.receive("default"))
        assert (world.store.memories[ref].wish, message.envelope.generation) == (Wish(2, "charge"), 2)
        assert (world.store.jobs[ref].state, world.queues.depth("default")) == (State.QUEUED, 0)

    @pytest.mark.parametrize("document", [{"dry_run": True}, {"dry_run": True, "args": {"anything": 2}}])
    def test_a_dry_run_says_what_would_happen_and_does_nothing(self, world, document):
        ref = kill(world)
        remember(world, ref, "reserve")
        before = world.store.jobs[ref]

        answer = world.call("POST", f"/jobs/{ref.id}/redrive", {**document, "mode": "restart"})

        assert (answer.status, answer.json["via"], answer.json["again"]) == (200, None, ["reserve"])
        assert answer.json.get("args") == document.get("args")
        assert (world.store.jobs[ref], world.queues.depth("default"), entries(world)) == (before, 1, [])

    def test_other_arguments_are_merged_into_the_job_s_own(self, world):
        ref = kill(world, **THUMB, tenant="acme", lane="default")

        answer = world.call("POST", f"/jobs/{ref.id}/redrive", {"args": {"width": 64}}, authorizer=ACME)

        assert (answer.status, answer.json["via"]) == (202, "table")
        (message,) = receive(world.queues.receive("default"))
        assert json.loads(message.envelope.args) == {"bucket": "b", "width": 64, "mode": "fit", "tags": {}}
        assert world.store.jobs[ref].fingerprint == message.envelope.fingerprint
        assert world.queues.depth("default") == 0

    def test_or_replace_them(self, world):
        ref = kill(world, **THUMB, lane="default")

        document = {"args": {"bucket": "c", "width": 16}, "replace_args": True}
        assert world.call("POST", f"/jobs/{ref.id}/redrive", document).json["args"]["bucket"] == "c"

    @pytest.mark.parametrize(
        ("document", "fields"),
        [
            ({"args": {"width": 8}}, {"args.width"}),
            ({"args": {"bucket": None}}, {"args.bucket"}),
            ({"args": {"colour": "red"}}, {"args.colour"}),
            ({"args": {"width": "64"}}, {"args.width"}),
            ({"args": {"width": 64}, "replace_args": True}, {"args.bucket"}),
            ({"replace_args": True}, {"args"}),
            ({"args": []}, {"args"}),
            ({"mode": "again"}, {"mode"}),
            ({"mode": "from_step"}, {"from_step"}),
            ({"mode": "restart", "from_step": "x"}, {"from_step"}),
            ({"from_step": "unknown"}, {"from_step"}),
            ({"colour": "red"}, {"colour"}),
            ({"dry_run": "yes"}, {"dry_run"}),
            ([], {"body"}),
        ],
    )
    def test_what_does_not_fit_is_named_and_changes_nothing(self, world, document, fields):
        ref = kill(world, **THUMB, lane="default")
        before = (world.store.jobs[ref], dict(world.store.envelopes))

        answer = world.call("POST", f"/jobs/{ref.id}/redrive", document)

        assert (answer.status, answer.fields) == (422, fields)
        assert (world.store.jobs[ref], world.store.envelopes) == before
        assert (world.queues.depth("default"), world.queues.count("default"), entries(world)) == (1, 0, [])

    def test_a_job_that_is_not_dead_is_409(self, world):
        assert world.call("POST", f"/jobs/{world.submitted().id}/redrive", {}).status == 409
        assert world.call("POST", f"/jobs/{UUID}/redrive", {}).status == 404
        assert world.call("POST", "/jobs/nonsense/redrive", {}).status == 400

    def test_large_arguments_that_are_gone_are_409(self, world, monkeypatch):
        ref = kill(world)
        monkeypatch.setattr(world.store, "envelope_of", lambda job: (_ for _ in ()).throw(PayloadGoneError("j", "n")))
        answer = world.call("POST", f"/jobs/{ref.id}/redrive", {"mode": "restart"})
        assert (answer.status, answer.json["code"]) == (409, "payload_gone")

    def test_no_audit_no_action(self, world):
        ref = kill(world)
        world.trail.outage = UnavailableError("audit", "down")

        for target, document in (
            (f"/jobs/{ref.id}/redrive", {}),
            (f"/jobs/{ref.id}/redrive", {"args": {}}),
            ("/dlq/redrive", {}),
            ("/dlq/purge", {"filter": {"lane": "default"}, "confirm": 1}),
        ):
            assert world.call("POST", target, document).status == 503
        assert (world.store.jobs[ref].state, world.queues.depth("default")) == (State.DEAD, 1)

    @pytest.mark.parametrize(("authorizer", "actor"), [(ACME, "token:user-7"), (IAM, IAM["iam"]["userArn"])])
    def test_who_did_it_is_in_the_trail(self, world, authorizer, actor):
        ref = kill(world, tenant="acme")

        world.call("POST", f"/jobs/{ref.id}/redrive", {"tenant": "acme"}, authorizer=authorizer)

        (entry,) = entries(world)
        assert (entry.actor, entry.tenant, entry.jobs) == (actor, "acme", (str(ref),))
        assert (entry.outcome, entry.counts) == (Outcome.DONE, {"asked": 1, "redriven": 1})


class TestRedriveMany:
    def test_the_next_ones_that_a_filter_means(self, world):
        bulk = [kill(world, tenant="acme", lane="bulk") for _ in range(3)]
        kill(world, tenant="acme")
        document = {"filter": {"lane": "bulk", "kind": "loose"}, "limit": 2}

        first = world.call("POST", "/dlq/redrive", document, authorizer=ACME).json
        second = world.call("POST", "/dlq/redrive", {**document, "cursor": first["cursor"]}, authorizer=ACME).json

        assert [len(page["redriven"]) for page in (first, second)] == [2, 1]
        assert {job["id"] for page in (first, second) for job in page["redriven"]} == {ref.id for ref in bulk}
        assert {job["via"] for page in (first, second) for job in page["redriven"]} == {"dlq"}
        assert (world.queues.depth("bulk"), world.queues.depth("default")) == (0, 1)

    def test_one_that_can_not_stops_no_other(self, world):
        good, bad = kill(world, tenant="acme"), kill(world, tenant="acme")
        remember(world, good, "charge")

        answer = world.call("POST", "/dlq/redrive", {"from_step": "charge"}, authorizer=ACME).json

        assert [job["id"] for job in answer["redriven"]] == [good.id]
        assert [(job["id"], job["code"]) for job in answer["failed"]] == [(bad.id, "invalid_input")]

    def test_a_dry_run(self, world):
        ref, other = kill(world), kill(world)
        remember(world, ref, "a", "b")

        answer = world.call("POST", "/dlq/redrive", {"from_step": "b", "dry_run": True}).json

        assert [(job["id"], job["kept"], job["again"]) for job in answer["foreseen"]] == [(ref.id, ["a"], ["b"])]
        assert [job["id"] for job in answer["failed"]] == [other.id]
        assert (answer["redriven"], world.queues.depth("default"), entries(world)) == ([], 2, [])

    @pytest.mark.parametrize("filter_", [{"kind": "blob"}, {"lane": "bulk"}, {"reason": "poison"}])
    def test_a_filter_that_matches_nothing_is_404_and_changes_nothing(self, world, filter_):
        kill(world)

        for document in ({"filter": filter_}, {"filter": filter_, "dry_run": True}):
            answer = world.call("POST", "/dlq/redrive", document)
            assert (answer.status, answer.json["code"]) == (404, "nothing_matched")
        assert (world.queues.depth("default"), entries(world)) == (1, [])

    def test_when_the_time_is_up_it_says_what_is_left(self, world, monkeypatch):
        refs = [kill(world) for _ in range(3)]
        monkeypatch.setattr(http_dlq, "HTTP_TIME_MS", 1)
        send = world.queues.send

        def slow(*arguments):
            world.clock.advance(seconds(1))
            return send(*arguments)

        world.queues.send = slow
        answer = world.call("POST", "/dlq/redrive", {"mode": "restart"}).json

        assert len(answer["redriven"]) == 1
        assert set(answer["left"]) | {job["id"] for job in answer["redriven"]} == {ref.id for ref in refs}
        assert (entries(world)[0].outcome, entries(world)[0].error) == (Outcome.STOPPED, "no_time")

    @pytest.mark.parametrize(
        ("document", "field"),
        [
            ({"limit": 51}, "limit"),
            ({"limit": True}, "limit"),
            ({"filter": {"lane": "gpu"}}, "lane"),
            ({"filter": {"tenant": "globex"}}, "filter.tenant"),
            ({"filter": None}, "filter"),
            ({"cursor": "x"}, "cursor"),
            ({"rate": 5}, "rate"),
        ],
    )
    def test_what_does_not_fit_is_named(self, world, document, field):
        kill(world)
        answer = world.call("POST", "/dlq/redrive", document)
        assert (answer.status, answer.fields) == (422, {field})
        assert world.queues.depth("default") == 1


class TestPurge:
    @pytest.mark.parametrize("confirm", [2, "default"])
    def test_what_is_confirmed_is_gone_and_its_records_stay(self, world, confirm):
        refs = [kill(world) for _ in range(2)]

        foreseen = world.call("POST", "/dlq/purge", {**ASKED, "dry_run": True})
        done = world.call("POST", "/dlq/purge", {**ASKED, "confirm": confirm})

        assert (foreseen.json["messages"], foreseen.json["dry_run"]) == (2, True)
        assert (done.json["messages"], done.json["kept"], world.queues.depth("default")) == (2, 0, 0)
        assert {world.store.jobs[ref].state for ref in refs} == {State.DEAD}
        assert world.call("POST", f"/jobs/{refs[0].id}/redrive", {}).json["via"] == "table"

    @pytest.mark.parametrize("confirm", [None, 1, 3, "bulk", "2"])
    def test_without_it_nothing_is_deleted(self, world, confirm):
        kill(world), kill(world)

        answer = world.call("POST", "/dlq/purge", {**ASKED, "confirm": confirm})

        assert (answer.status, answer.fields) == (422, {"confirm"})
        assert (world.queues.depth("default"), entries(world)) == (2, [])

    def test_a_lane_is_needed_and_something_must_match(self, world):
        kill(world)
        assert world.call("POST", "/dlq/purge", {"filter": {}, "confirm": 1}).fields == {"filter.lane"}
        assert world.call("POST", "/dlq/purge", {"filter": {"lane": "bulk"}, "confirm": 0}).status == 404
        assert world.call("POST", "/dlq/purge", {"filter": {"lane": "default", "kind": "blob"}}).status == 404
