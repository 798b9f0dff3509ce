"""Dead jobs on the deployed stack: who is told, and what an operator does over HTTP."""

import pytest
from trials.building import Build
from trials.doomed import Doomed

from tidemill import State
from tidemill.domain.job import day_of
from tidemill.service.listing import Query

pytestmark = pytest.mark.slow


@pytest.fixture
def dead(ground, tenant):
    """Two dead jobs whose messages are in the DLQ, and their diary."""
    diary = ground.diary(tenant)
    jobs = [Doomed(diary=str(diary.path), name=name) for name in ("one", "two")]
    refs = [ground.client.submit(job, tenant=tenant).job.ref for job in jobs]
    assert [ground.ended(ref).reason for ref in refs] == ["permanent", "permanent"]
    ground.wait_for_dlq("default", refs)
    return refs, diary


def test_somebody_is_told_of_a_death_once_and_of_no_later_success(ground, tenant):
    ref = ground.client.submit(Doomed(diary=str(ground.diary(tenant).path)), tenant=tenant).job.ref
    dead = ground.ended(ref)
    ground.wait_for_dlq("default", [ref])
    query = Query(tenant=tenant, kind="trial.doomed-died", day=day_of(dead.finished_at))

    ground.sweep()
    (notice,) = ground.program.listing.jobs(query).jobs
    ground.ended(notice.ref)
    ground.program.desk.redrive(ref)
    assert ground.ended(ref, generation=2).state is State.SUCCEEDED
    ground.sweep()

    (told,) = ground.program.listing.jobs(query).jobs
    assert (told.state, told.attempt, told.fence) == (State.SUCCEEDED, 1, 1)
    assert ground.client.result(told.ref.id, tenant) == {
        "job_id": ref.id,
        "dead_kind": "trial.doomed",
        "lane": "default",
        "generation": 1,
        "attempts": 1,
        "reason": "permanent",
        "error": dead.error,
    }


def test_the_desk_lists_foresees_and_redrives_over_http(ground, tenant, dead):
    (one, two), diary = dead

    page = ground.api.get(f"/dlq?lane=default&kind=trial.doomed&reason=permanent&tenant={tenant}")
    assert page.status == 200
    assert {one.id, two.id} == {job["id"] for job in page.body["jobs"]}
    (group,) = ground.api.get(f"/dlq/groups?tenant={tenant}").body["groups"]
    assert (group["count"], group["error"]) == (2, ground.job(one).error)
    shown = ground.api.get(f"/dlq/{one.id}?tenant={tenant}").body
    assert [step["name"] for step in shown["steps"]] == ["charge"]

    restart = {"tenant": tenant, "mode": "restart"}
    foreseen = ground.api.post(f"/jobs/{one.id}/redrive", {**restart, "dry_run": True})
    assert (foreseen.status, foreseen.body["again"], foreseen.body["kept"]) == (200, ["charge"], [])
    assert ground.job(one).generation == 1

    restarted = ground.api.post(f"/jobs/{one.id}/redrive", restart)
    assert (restarted.status, restarted.body["via"]) == (202, "table")
    resumed = ground.api.post(f"/jobs/{two.id}/redrive", {"tenant": tenant})
    assert (resumed.status, resumed.body["via"], resumed.body["kept"]) == (202, "dlq", ["charge"])
    for ref in (one, two):
        again = ground.ended(ref, generation=2)
        assert (again.state, again.generation, again.result) == (State.SUCCEEDED, 2, "2")
    assert [len(diary.lines("charged", name)) for name in ("one", "two")] == [2, 1]
    assert not {one, two} & set(ground.in_dlq("default"))

    done = {(entry.action, entry.manner, entry.jobs) for entry in ground.trail(tenant)}
    assert done == {("redrive", "restart", (str(one),)), ("redrive", "resume", (str(two),))}
    assert {entry.outcome for entry in ground.trail(tenant)} == {"done"}
    assert all(entry.actor.startswith("arn:") for entry in ground.trail(tenant))


def test_a_bad_edit_over_http_changes_nothing(ground, tenant, gate):
    ref = ground.client.submit(Build(diary=str(ground.diary(tenant).path), gate=str(gate)), tenant=tenant).job.ref
    before = ground.ended(ref)
    ground.wait_for_dlq("default", [ref])
    letter = ground.in_dlq("default")[ref]

    refused = ground.api.post(f"/jobs/{ref.id}/redrive", {"tenant": tenant, "args": {"width": 0}})

    assert (refused.status, refused.body["violations"][0]["field"]) == (422, "args.width")
    assert (ground.job(ref), ground.in_dlq("default")[ref]) == (before, letter)
    assert ground.trail(tenant) == []


def test_a_purge_wants_to_be_confirmed_and_keeps_the_records(ground, tenant, dead):
    refs, _ = dead
    wanted = {"filter": {"lane": "default", "kind": "trial.doomed"}, "tenant": tenant}

    foreseen = ground.api.post("/dlq/purge", {**wanted, "dry_run": True})
    assert (foreseen.status, foreseen.body["messages"]) == (200, 2)
    refused = ground.api.post("/dlq/purge", {**wanted, "confirm": 3})
    assert (refused.status, refused.body["violations"][0]["field"]) == (422, "confirm")
    assert set(refs) <= set(ground.in_dlq("default"))

    purged = ground.api.post("/dlq/purge", {**wanted, "confirm": 2})

    assert (purged.status, purged.body["messages"]) == (200, 2)
    assert not set(refs) & set(ground.in_dlq("default"))
    assert {ground.job(ref).state for ref in refs} == {State.DEAD}
    (entry,) = ground.trail(tenant)
    assert (entry.action, entry.outcome, entry.counts["purged"]) == ("purge", "done", 2)
    assert entry.chosen == {"tenant": tenant, **wanted["filter"]}
