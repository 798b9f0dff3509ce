"""The DLQ desk over HTTP acts on the caller's own tenant, and its log lines carry nothing of a job."""

from dataclasses import replace

from tests.unit.http.dead import ACME, FAILURE, GLOBEX, entries, kill, remember
from tidemill.domain.lifecycle import State


class TestTenants:
    def test_another_tenant_s_dead_jobs_are_out_of_reach(self, world):
        theirs = kill(world, tenant="globex")
        remember(world, theirs, "charge")
        before = dict(world.store.jobs)

        calls = [
            ("GET", "/dlq", None),
            ("GET", "/dlq/groups", None),
            ("GET", f"/dlq/{theirs.id}", None),
            ("POST", f"/jobs/{theirs.id}/redrive", {}),
            ("POST", f"/jobs/{theirs.id}/redrive", {"args": {}}),
            ("POST", "/dlq/redrive", {}),
            ("POST", "/dlq/redrive", {"dry_run": True}),
            ("POST", "/dlq/purge", {"filter": {"lane": "default"}, "confirm": 1}),
            ("POST", "/dlq/purge", {"filter": {"lane": "default"}, "confirm": "default"}),
            ("POST", "/dlq/purge", {"filter": {"lane": "default"}, "dry_run": True}),
        ]
        for method, target, document in calls:
            answer = world.call(method, target, document, authorizer=ACME)
            assert answer.status == (200 if target in {"/dlq", "/dlq/groups"} else 404), (target, answer.text)
            for shown in ("globex", "charge", "no such bucket"):
                assert shown not in answer.text
        assert world.call("GET", "/dlq", authorizer=ACME).json["jobs"] == []
        assert world.call("GET", "/dlq/groups", authorizer=ACME).json["groups"] == []
        assert (world.store.jobs, world.queues.depth("default"), entries(world)) == (before, 1, [])

    def test_naming_another_is_403(self, world):
        theirs = kill(world, tenant="globex")
        for method, target, document in (
            ("GET", "/dlq?tenant=globex", None),
            ("GET", "/dlq/groups?tenant=globex", None),
            ("GET", f"/dlq/{theirs.id}?tenant=globex", None),
            ("POST", f"/jobs/{theirs.id}/redrive", {"tenant": "globex"}),
            ("POST", "/dlq/redrive", {"tenant": "globex"}),
            ("POST", "/dlq/purge", {"tenant": "globex", "filter": {"lane": "default"}}),
        ):
            assert world.call(method, target, document, authorizer=ACME).status == 403
        assert world.queues.depth("default") == 1

    def test_of_a_dlq_that_tenants_share_each_has_its_own(self, world):
        mine, theirs = kill(world, tenant="acme"), kill(world, tenant="globex")

        purged = world.call("POST", "/dlq/purge", {"filter": {"lane": "default"}, "confirm": 1}, authorizer=GLOBEX)
        redriven = world.call("POST", "/dlq/redrive", {}, authorizer=ACME).json["redriven"]

        assert (purged.json["messages"], purged.json["kept"]) == (1, 0)
        assert [job["id"] for job in redriven] == [mine.id]
        assert world.store.jobs[theirs].state is State.DEAD

    def test_what_is_not_recorded_yet_counts_for_its_own_tenant_only(self, world):
        kill(world, tenant="acme")
        unseen = kill(world, tenant="globex")
        del world.store.jobs[unseen]

        asked = {"filter": {"lane": "default"}, "dry_run": True}
        assert world.call("POST", "/dlq/purge", asked, authorizer=ACME).json["kept"] == 0
        assert world.call("POST", "/dlq/purge", asked, authorizer=GLOBEX).status == 404


def test_nothing_of_a_job_gets_into_the_logs(world):
    secret = "canary-3f9a77"
    ref = kill(world, args={"anything": secret}, failure=replace(FAILURE, message=secret, trace=secret))
    remember(world, ref, secret)
    world.call("GET", f"/dlq/{ref.id}")
    world.call("POST", f"/jobs/{ref.id}/redrive", {"args": {"nothing": secret}})
    world.call("POST", f"/jobs/{ref.id}/redrive", {"args": {"anything": f"{secret}!"}})

    assert secret not in "".join(world.telemetry.lines)
    assert secret not in repr(world.trail.entries)
