"""Dead jobs on the deployed stack: who is told, and what an operator does over HTTP."""

import pytest
from trials.doomed import Doomed

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tidemill import State
from tidemill.domain.ids import keyed_job_id
from tidemill.domain.job import JobRef

pytestmark = pytest.mark.slow


@pytest.fixture
def dead(ground, request):
    """Two dead jobs whose messages are in the DLQ, and their diary."""
    diary = ground.diary(request.node.name)
    refs = [ground.client.submit(Doomed(diary=str(diary.path), name=name)).job.ref for name in ("one", "two")]
    assert [ground.ended(ref).reason for ref in refs] == ["permanent", "permanent"]
    assert wait_until(lambda: set(refs) <= set(ground.in_dlq("default")), PATIENCE_S)
    return refs, diary


def test_somebody_is_told_of_a_death(ground):
    ref = ground.client.submit(Doomed(diary=str(ground.diary("told").path))).job.ref
    ground.ended(ref)

    ground.sweep()

    notice = JobRef("default", keyed_job_id("default", "trial.doomed-died", f"death/{ref.id}/1"))
    told = ground.ended(notice)
    assert (told.state, told.attempt, told.result) == (
        State.SUCCEEDED,
        1,
        '"trial.doomed in default died of permanent"',
    )


def test_the_desk_lists_foresees_redrives_and_purges_over_http(ground, dead):
    (one, two), diary = dead

    page = ground.api.get("/dlq?lane=default&kind=trial.doomed&reason=permanent")
    assert page.status == 200
    assert {one.id, two.id} <= {job["id"] for job in page.body["jobs"]}
    shown = ground.api.get(f"/dlq/{one.id}").body
    assert [step["name"] for step in shown["steps"]] == ["charge"]

    foreseen = ground.api.post(f"/jobs/{one.id}/redrive", {"mode": "restart", "dry_run": True})
    assert (foreseen.status, foreseen.body["again"], foreseen.body["kept"]) == (200, ["charge"], [])
    assert ground.job(one).generation == 1

    restarted = ground.api.post(f"/jobs/{one.id}/redrive", {"mode": "restart"})
    assert (restarted.status, restarted.body["via"]) == (202, "table")
    resumed = ground.api.post(f"/jobs/{two.id}/redrive", {})
    assert (resumed.status, resumed.body["via"], resumed.body["kept"]) == (202, "dlq", ["charge"])
    for ref in (one, two):
        again = ground.ended(ref, generation=2)
        assert (again.state, again.generation, again.result) == (State.SUCCEEDED, 2, "2")
    assert [len(diary.lines("charged", name)) for name in ("one", "two")] == [2, 1]
    assert not {one, two} & set(ground.in_dlq("default"))

    trail = ground.program.desk.trail().entries
    done = {(entry.action, entry.manner): entry for entry in trail if {str(one), str(two)} & set(entry.jobs)}
    assert set(done) == {("redrive", "restart"), ("redrive", "resume")}
    assert {entry.outcome for entry in done.values()} == {"done"}
    assert all(entry.actor.startswith("arn:") for entry in done.values()), done


def test_a_purge_wants_to_be_confirmed_and_keeps_the_records(ground, dead):
    refs, _ = dead
    wanted = {"filter": {"lane": "default", "kind": "trial.doomed"}}

    foreseen = ground.api.post("/dlq/purge", {**wanted, "dry_run": True})
    count = foreseen.body["messages"]
    assert (foreseen.status, count) == (200, len(ground.in_dlq("default")))
    refused = ground.api.post("/dlq/purge", {**wanted, "confirm": count + 1})
    assert (refused.status, refused.body["violations"][0]["field"]) == (422, "confirm")
    assert len(ground.in_dlq("default")) == count

    purged = ground.api.post("/dlq/purge", {**wanted, "confirm": count})

    assert (purged.status, purged.body["messages"]) == (200, count)
    assert ground.in_dlq("default") == {}
    assert {ground.job(ref).state for ref in refs} == {State.DEAD}
    entry = next(entry for entry in ground.program.desk.trail().entries if entry.action == "purge")
    assert (entry.outcome, entry.counts["purged"]) == ("done", count)
    assert entry.chosen == {"tenant": "default", **wanted["filter"]}
