"""Facts on a deployed bus become jobs of those who hear them: rule, transformer, queue and worker."""

import json
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from trials.telling import Hear, HearInOrder, Told

from examples.demo.watch import wait_until
from tests.e2e.ground import PATIENCE_S
from tests.e2e.test_outbox import commit, now_ms
from tidemill import State
from tidemill.domain.fact import Fact
from tidemill.domain.fact_message import FactMessage
from tidemill.domain.job import Job, JobRef
from tidemill.domain.outbox import OutboundFact, source_of
from tidemill.domain.replay import ReplayState
from tidemill.events import Publication

pytestmark = pytest.mark.slow


def ref_of(fact: Fact, kind: str, replay: str = "") -> JobRef:
    return JobRef(fact.tenant, FactMessage(fact, kind, replay).job_id(kind))


def job_of(ground, fact: Fact, kind: str, replay: str = "") -> Job | None:
    """The record of the subscriber's job once it has succeeded, None until then."""
    (job,) = ground.program.reader.find([ref_of(fact, kind, replay)])
    return job if job is not None and job.state is State.SUCCEEDED else None


def a_fact(**about) -> Fact:
    name = uuid4().hex[:12]
    data = json.dumps({"name": name, "at_ms": now_ms()}).encode()
    # Without a subject, whoever hears in order would refuse it, into the DLQ of a lane that others use.
    given = {"id": str(uuid4()), "data": data, "subject": f"trial/{name}", **about}
    return Fact(type="trial.told", tenant="default", at=now_ms(), correlation_id=name, **given)


def put(ground, *facts: Fact) -> None:
    """On the bus as the relay puts it, but at the test's own time."""
    source = source_of(ground.program.settings.stack)
    errors = ground.program.bus.publish([OutboundFact.of(fact, source) for fact in facts])
    assert errors == [None] * len(facts)


def test_a_committed_fact_reaches_both_of_its_subscribers(deployed_trials):
    ground, name = deployed_trials, uuid4().hex[:12]
    items = commit(ground, Publication(Told(name=name, at_ms=now_ms()), subject=f"trial/{name}", sequence=1))
    fact = a_fact(id=items.ids[0])

    assert wait_until(lambda: job_of(ground, fact, Hear.job_kind), PATIENCE_S)
    assert wait_until(lambda: job_of(ground, fact, HearInOrder.job_kind), PATIENCE_S)
    heard = ground.client.result(job_of(ground, fact, Hear.job_kind).ref.id)
    in_order = ground.client.result(job_of(ground, fact, HearInOrder.job_kind).ref.id)
    assert heard == [name, fact.id]
    assert in_order == [f"trial/{name}", 1, False]


def test_a_fact_that_comes_twice_is_heard_once(deployed_trials):
    ground, fact = deployed_trials, a_fact()
    put(ground, fact, fact)

    assert wait_until(lambda: job_of(ground, fact, Hear.job_kind), PATIENCE_S)
    first = job_of(ground, fact, Hear.job_kind)
    put(ground, fact)
    later = a_fact()
    put(ground, later)
    assert wait_until(lambda: job_of(ground, later, Hear.job_kind), PATIENCE_S)

    again = job_of(ground, fact, Hear.job_kind)
    assert (again.generation, again.attempt, again.finished_at) == (1, 1, first.finished_at)


def test_a_replay_is_heard_once_more_by_whom_it_is_for(deployed_trials):
    ground, fact = deployed_trials, a_fact()
    events = ground.cloud.client("events")
    bus = events.describe_event_bus(Name=ground.program.settings.bus)["Arn"]
    # CloudFormation of the local cloud knows no archives.
    archive = f"trials-{uuid4().hex[:12]}"
    events.create_archive(ArchiveName=archive, EventSourceArn=bus, RetentionDays=1)
    put(ground, fact)
    assert wait_until(lambda: job_of(ground, fact, Hear.job_kind), PATIENCE_S)

    desk = replace(ground.program.replays, settled=timedelta())
    now = now_ms()
    replay = desk.start([Hear.job_kind], since=now - 600_000, until=now, archive=archive)

    assert wait_until(lambda: desk.get(replay.name).state is ReplayState.COMPLETED, PATIENCE_S)
    assert wait_until(lambda: job_of(ground, fact, Hear.job_kind, replay.name), PATIENCE_S)
    assert ground.client.result(job_of(ground, fact, Hear.job_kind, replay.name).ref.id)[1] == fact.id
    # MiniStack sends a replay to every rule; it keeps whom it was asked for.
    chosen, other = sorted(desk.subscribers(), key=lambda one: one.kind)
    assert (chosen.kind, other.kind) == (Hear.job_kind, HearInOrder.job_kind)
    assert desk.get(replay.name).rules == (chosen.rule,)


def test_a_fact_that_is_overtaken_says_so(deployed_trials):
    ground, subject = deployed_trials, f"trial/{uuid4().hex[:12]}"
    second, first = a_fact(subject=subject, sequence=2), a_fact(subject=subject, sequence=1)
    put(ground, second)
    assert wait_until(lambda: job_of(ground, second, HearInOrder.job_kind), PATIENCE_S)
    put(ground, first)
    assert wait_until(lambda: job_of(ground, first, HearInOrder.job_kind), PATIENCE_S)

    results = [ground.client.result(job_of(ground, one, HearInOrder.job_kind).ref.id) for one in (second, first)]
    assert results == [[subject, 2, False], [subject, 1, True]]
