"""What is committed with a job's success, or with a caller's transaction, on a deployed relay and bus."""

import statistics
import time
from uuid import uuid4

import pytest
from trials.quick import Quick
from trials.telling import Tell, Told

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tests.e2e.heard import Heard
from tidemill import State, Submission
from tidemill.events import Publication

pytestmark = pytest.mark.slow
RELAYED = 10
# Two seconds are what is wanted; what is asserted leaves room for a machine on which other tests run, too.
# `python -m bench.relayed` measures it.
MEDIAN_S = 5


@pytest.fixture(scope="module")
def heard(deployed_trials):
    return Heard(deployed_trials)


def now_ms() -> int:
    return int(time.time() * 1000)


def commit(ground, *things, refused=False):
    items = ground.client.transact_items(*things)
    key = {"pk": {"S": f"order#{uuid4().hex}"}, "sk": {"S": "ORDER"}}
    order = {"TableName": ground.program.settings.table, "Item": key}
    if refused:
        order["ConditionExpression"] = "attribute_exists(pk)"
    ground.program.clients.dynamodb.transact_write_items(TransactItems=[{"Put": order}, *items])
    return items


def test_a_jobs_success_and_what_it_tells_come_together(deployed_trials, heard):
    ground = deployed_trials
    diary, name = ground.diary("telling"), uuid4().hex[:12]
    receipt = ground.client.submit(Tell(diary=str(diary.path), name=name, at_ms=now_ms()))

    assert ground.ended(receipt.job.ref).state is State.SUCCEEDED
    child = ground.client.result(receipt.job_id)
    assert wait_until(lambda: heard.of("trial.told", name), PATIENCE_S)
    assert wait_until(lambda: heard.of("job.succeeded", receipt.job_id), PATIENCE_S)
    assert diary.has("ran", name=f"child of {name}")
    (told,) = heard.of("trial.told", name)
    assert (told["specversion"], told["source"], told["causationid"]) == ("1.0", "/tidemill/trials", receipt.job_id)
    assert wait_until(lambda: ground.client.get(child).state is State.SUCCEEDED, PATIENCE_S)


def test_a_job_that_dies_tells_its_death_and_nothing_else(deployed_trials, heard):
    ground = deployed_trials
    diary, name = ground.diary("telling-dead"), uuid4().hex[:12]
    receipt = ground.client.submit(Tell(diary=str(diary.path), name=name, fails=True))

    assert ground.ended(receipt.job.ref).state is State.DEAD
    assert wait_until(lambda: heard.of("job.died", receipt.job_id), PATIENCE_S)
    assert heard.of("trial.told", name) == []
    assert diary.lines("ran") == []


def test_a_callers_transaction(deployed_trials, heard, measured):
    ground = deployed_trials
    diary, name = ground.diary("committed"), uuid4().hex[:12]
    for number in range(RELAYED):
        items = commit(
            ground,
            Submission(Quick(diary=str(diary.path), name=f"{name} {number}"), key=f"{name}-{number}"),
            Publication(Told(name=name, at_ms=now_ms()), subject=f"trial/{name}", sequence=number),
        )
        assert ground.client.get(items.ids[0]).state in {State.QUEUED, State.RUNNING, State.SUCCEEDED}
        assert wait_until(lambda: len(heard.of("trial.told", name)) > number, PATIENCE_S)  # noqa: B023 - used at once
        assert ground.ended(ground.client.get(items.ids[0]).ref).state is State.SUCCEEDED
    took_s = [heard.took_s[fact["id"]] for fact in heard.of("trial.told", name)]
    median_s = statistics.median(took_s)
    measured(f"from its commit to a subscriber's queue a fact took {median_s:.2f} s (median of {len(took_s)})")
    assert median_s < MEDIAN_S
    assert wait_until(lambda: ground.program.outbox.page(0, 1, None).outbounds == (), PATIENCE_S)


def test_what_does_not_commit_is_heard_of_by_nobody(deployed_trials, heard):
    ground = deployed_trials
    diary, name = ground.diary("refused"), uuid4().hex[:12]
    with pytest.raises(Exception, match="TransactionCanceled"):
        commit(ground, Quick(diary=str(diary.path), name=name), Told(name=name, at_ms=0), refused=True)
    commit(ground, Told(name=f"after {name}", at_ms=now_ms()))

    assert wait_until(lambda: heard.of("trial.told", f"after {name}"), PATIENCE_S)
    assert len(heard.of("trial.told", name)) == 1
    assert diary.lines("ran") == []


def test_the_janitor_sends_what_the_relay_has_left(deployed_trials, heard):
    ground = deployed_trials
    functions, name = ground.cloud.client("lambda"), uuid4().hex[:12]
    (mapping,) = [
        one["UUID"]
        for one in functions.list_event_source_mappings()["EventSourceMappings"]
        if "/stream/" in one["EventSourceArn"] and "trials" in one["FunctionArn"]
    ]
    old = ground.program.clock.now_ms() - 180_000
    composer = ground.client.commit.composer
    (outbound,) = composer.compose([Publication(Told(name=name, at_ms=old), subject="trial/old")])
    functions.update_event_source_mapping(UUID=mapping, Enabled=False)
    try:
        items = ground.program.outbox.actions([outbound])
        items[0]["Put"]["Item"]["at"] = {"N": str(old)}
        ground.program.clients.dynamodb.transact_write_items(TransactItems=items)
        ground.sweep()
        assert wait_until(lambda: heard.of("trial.told", name), PATIENCE_S)
        assert ground.program.outbox.standing([outbound]) == [False]
    finally:
        functions.update_event_source_mapping(UUID=mapping, Enabled=True)
