"""Many redrives over HTTP, carefully: some ids, a rate, a canary in two calls; and the trail of it."""

import pytest

from tests.unit.http.dead import ACME, FAILURE, GLOBEX, UUID, entries, kill, remember
from tests.unit.http.gateway import IAM
from tidemill import seconds
from tidemill.domain.lifecycle import State
from tidemill.domain.outcome import Bury, Complete

KEEP = 2_000_000_000_000


def redrive(world, status=200, **document):
    answer = world.call("POST", "/dlq/redrive", document, authorizer=ACME)
    assert answer.status == status, answer.text
    return answer.json


def ended(world, ref, *, well=True):
    """A worker meets the redriven message, and the job ends."""
    job = world.store.jobs[ref]
    world.store.jobs[ref] = job.reopened(State.QUEUED, 0, job.ttl_s)
    verdict = Complete(None, KEEP) if well else Bury("permanent", FAILURE, KEEP)
    world.concluded(ref, verdict)


class TestIds:
    def test_these_and_no_others(self, world):
        mine, other = kill(world, tenant="acme"), kill(world, tenant="acme")

        answer = redrive(world, ids=[mine.id, mine.id])

        assert [job["id"] for job in answer["redriven"]] == [mine.id]
        assert (world.store.jobs[other].state, world.queues.depth("default")) == (State.DEAD, 1)

    def test_one_that_is_not_dead_or_another_s_stops_no_other(self, world):
        mine, theirs = kill(world, tenant="acme"), kill(world, tenant="globex")
        waits = world.submitted(tenant="acme")

        answer = redrive(world, ids=[theirs.id, waits.id, mine.id], mode="restart")

        assert [job["id"] for job in answer["redriven"]] == [mine.id]
        assert [(job["id"], job["code"]) for job in answer["failed"]] == [
            (theirs.id, "job_not_found"),
            (waits.id, "job_state"),
        ]
        assert world.store.jobs[theirs].generation == 1

    def test_a_dry_run_of_them(self, world):
        ref = kill(world, tenant="acme")
        remember(world, ref, "charge")

        answer = redrive(world, ids=[ref.id, UUID], mode="restart", dry_run=True)

        assert [(job["id"], job["again"]) for job in answer["foreseen"]] == [(ref.id, ["charge"])]
        assert [job["id"] for job in answer["failed"]] == [UUID]
        assert (world.queues.depth("default"), entries(world)) == (1, [])


class TestRate:
    @pytest.fixture
    def timed(self, world):
        """When each message was moved, in seconds."""
        at, put = [], world.queues._put

        def timed_put(*arguments):
            at.append(world.clock.now_ms() / 1000)
            return put(*arguments)

        world.queues._put = timed_put
        return at

    @pytest.mark.parametrize("mode", ["resume", "restart"])
    def test_calls_one_after_the_other_keep_it_together(self, world, timed, mode):
        for _ in range(40):
            kill(world, tenant="acme")
        timed.clear()

        answers = [redrive(world, rate=2, mode=mode)]
        while answers[-1]["left"]:
            answers.append(redrive(world, ids=answers[-1]["left"], rate=2, mode=mode))

        assert len(timed) == sum(len(answer["redriven"]) for answer in answers) == 40
        assert len(answers) == 2
        for first in timed:
            assert sum(first <= one < first + 10 for one in timed) <= 10 * 2 + 2

    def test_a_call_ends_when_the_next_one_would_come_too_late(self, world, timed):
        for _ in range(4):
            kill(world, tenant="acme")
        begun = world.clock.now_ms()

        answer = redrive(world, rate=0.1, mode="restart")

        assert (len(answer["redriven"]), len(answer["left"])) == (1, 3)
        assert world.clock.now_ms() - begun == 10_000
        assert (entries(world)[0].error, entries(world)[0].chosen["rate"]) == ("no_time", "0.1")


class TestCanary:
    def test_the_others_follow_in_a_second_call(self, world):
        refs = [kill(world, tenant="acme") for _ in range(4)]

        first = redrive(world, canary=1)
        (bird,) = first["canary"]
        assert (bird["generation"], bird["redriven"], first["left"]) == (1, True, [])
        assert world.queues.depth("default") == 3

        (ref,) = [ref for ref in refs if ref.id == bird["id"]]
        pending = world.call("POST", "/dlq/redrive", {"after": [bird]}, authorizer=ACME)
        assert (pending.status, pending.json["code"], pending.headers["Retry-After"]) == (409, "canary_pending", "2")
        assert (pending.fields, world.queues.depth("default"), len(entries(world))) == ({"after.0"}, 3, 1)

        ended(world, ref)
        world.clock.advance(seconds(1))
        second = redrive(world, after=[bird])

        assert {job["id"] for job in second["redriven"]} == {one.id for one in refs if one != ref}
        assert second["canary"] == []
        assert [entry.chosen.get("canary") for entry in entries(world)] == ["1", None]
        assert entries(world)[1].chosen["after"] == ref.id

    @pytest.mark.parametrize("dry_run", [True, False])
    def test_one_that_died_again_stops_it(self, world, dry_run):
        refs = [kill(world, tenant="acme") for _ in range(3)]
        (bird,) = redrive(world, canary=1, mode="restart")["canary"]
        ended(world, next(ref for ref in refs if ref.id == bird["id"]), well=False)

        answer = redrive(world, 409, after=[bird], dry_run=dry_run)

        assert (answer["code"], bird["id"] in answer["violations"][0]["problem"]) == ("canary_failed", True)
        assert (world.queues.depth("default"), len(entries(world))) == (2, 1)

    def test_one_that_could_not_be_redriven_stops_it(self, world):
        ref, other = kill(world, tenant="acme"), kill(world, tenant="acme")
        remember(world, other, "charge")

        first = redrive(world, ids=[ref.id, other.id], canary=1, from_step="charge")

        assert ([job["id"] for job in first["failed"]], first["redriven"]) == ([ref.id], [])
        assert first["canary"] == [{"id": ref.id, "generation": 1, "redriven": False}]
        answer = redrive(world, 409, ids=[other.id], after=first["canary"], from_step="charge")
        assert (answer["code"], answer["violations"][0]["code"]) == ("canary_failed", "not_redriven")
        assert world.store.jobs[other].generation == 1

    def test_another_tenant_s_job_is_no_canary(self, world):
        theirs = kill(world, tenant="globex")
        ended(world, theirs)
        kill(world, tenant="acme")

        bird = {"id": theirs.id, "generation": 1, "redriven": True}
        assert redrive(world, 409, after=[bird])["code"] == "canary_failed"

    def test_ids_that_flew_are_not_named_again(self, world):
        refs = [kill(world, tenant="acme") for _ in range(2)]
        ids = [ref.id for ref in refs]
        canary = redrive(world, ids=ids, canary=1)["canary"]
        ended(world, refs[0])

        answer = redrive(world, ids=ids, after=canary)

        assert ([job["id"] for job in answer["redriven"]], answer["failed"]) == ([ids[1]], [])

    def test_no_canary_of_messages_that_were_refused(self, world, monkeypatch):
        monkeypatch.setattr("tidemill.service.bulk.is_refusal", lambda job: True)
        kill(world, tenant="acme")

        answer = redrive(world, 422, canary=1)

        assert (answer["violations"][0]["code"], entries(world)) == ("no_canary", [])


class TestTrail:
    def test_a_tenant_reads_what_was_done_with_its_own_jobs(self, world):
        mine, theirs = kill(world, tenant="acme"), kill(world, tenant="globex")
        world.call("POST", f"/jobs/{theirs.id}/redrive", {}, authorizer=GLOBEX)
        world.clock.advance(seconds(1))
        world.call("POST", f"/jobs/{mine.id}/redrive", {"tenant": "acme"}, authorizer=IAM)
        world.clock.advance(seconds(1))
        world.call("POST", "/dlq/redrive", {"ids": [mine.id]}, authorizer=ACME)
        world.clock.advance(seconds(1))

        mine_only = world.call("GET", "/dlq/audit", authorizer=ACME)
        everything = world.call("GET", "/dlq/audit", authorizer=IAM).json["entries"]

        assert [(one["action"], one["actor"], one["jobs"]) for one in mine_only.json["entries"]] == [
            ("redrive", "token:user-7", [str(mine)]),
            ("redrive", "operator", [str(mine)]),
        ]
        assert theirs.id not in mine_only.text
        assert [entry["actor"] for entry in everything] == ["token:user-7", IAM["iam"]["userArn"], "token:user-7"]
        assert world.call("GET", "/dlq/audit?tenant=globex", authorizer=IAM).json["entries"][0]["jobs"] == [str(theirs)]

    def test_page_by_page_and_another_day(self, world):
        refs = [kill(world) for _ in range(3)]
        for ref in refs:
            world.call("POST", f"/jobs/{ref.id}/redrive", {})

        first = world.call("GET", "/dlq/audit?limit=2").json
        second = world.call("GET", f"/dlq/audit?cursor={first['cursor']}").json

        assert [len(page["entries"]) for page in (first, second)] == [2, 1]
        assert world.call("GET", "/dlq/audit?day=2020-01-01").json == {"entries": [], "cursor": None}

    @pytest.mark.parametrize(
        ("query", "field"),
        [
            ("day=yesterday", "day"),
            ("limit=0", "limit"),
            ("cursor=x", "cursor"),
            ("lane=bulk", "lane"),
            ("tenant=a b", "tenant"),
        ],
    )
    def test_a_bad_query_is_named(self, world, query, field):
        answer = world.call("GET", f"/dlq/audit?{query}")
        assert (answer.status, answer.fields) == (400, {field})

    def test_another_s_trail_is_403(self, world):
        assert world.call("GET", "/dlq/audit?tenant=globex", authorizer=ACME).status == 403
