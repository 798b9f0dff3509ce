"""Whatever fails, dies, comes twice or comes back: an entity's jobs run in their order and know who finished before."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.builders import moved
from tests.unit.service.conftest import FUNCTION_TIMEOUT, PERMANENT, raising
from tests.unit.service.ordered import LANE, OrderedWorld
from tidemill import RateLimitedError, minutes, seconds
from tidemill.domain.entity import Entity
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import UnavailableError
from tidemill.domain.ids import time_ordered_id
from tidemill.domain.lifecycle import State
from tidemill.domain.ports import Send
from tidemill.service.manner import Manner, Mode
from tidemill.testing.order import MemoryOrder

DOWN = UnavailableError("order", "down")
OUTCOMES = (
    lambda args, ctx: None,
    raising(OSError("x")),
    raising(PERMANENT),
    raising(RateLimitedError(retry_after=seconds(20))),
    raising(ConnectionRefusedError("down")),
)
SUBMITS = st.tuples(st.just("submit"), st.sampled_from("ab"), st.none())
RUNS = st.tuples(
    st.just("run"), st.sampled_from(OUTCOMES), st.sampled_from(["whole", "whole", "claim", "run", "record", "note"])
)
WAITS = st.tuples(st.just("wait"), st.sampled_from([seconds(1), seconds(21), minutes(2), minutes(30)]), st.none())
OTHERS = st.one_of(
    st.tuples(st.just("outage"), st.booleans(), st.none()),
    st.tuples(st.just("copy"), st.integers(0, 50), st.none()),
    st.tuples(st.just("redrive"), st.integers(0, 50), st.sampled_from(["queue", "resume", "restart"])),
    st.tuples(st.just("cancel"), st.integers(0, 50), st.none()),
    st.tuples(st.just("burn"), st.none(), st.none()),
)
ROUNDS = st.lists(st.tuples(SUBMITS, RUNS, RUNS, WAITS, RUNS, OTHERS), min_size=8, max_size=16)


class FlakyOrder(MemoryOrder):
    """Takes no notes while `can_note` is False."""

    can_note = True

    def finish(self, entity: Entity, sequence: int, until_s: int) -> None:
        if not self.can_note:
            raise DOWN
        super().finish(entity, sequence, until_s)


class Story(OrderedWorld):
    """A world to which things happen, and which looks at every run.

    Attributes:
        late: jobs that were redriven or sent a second time: they come out of their turn, and can see that.
        wrong: what a run saw that it should not have seen.
    """

    def __init__(self) -> None:
        super().__init__()
        self.order = FlakyOrder()
        self.build(self.store, self.queues)
        self.version = 0
        self.late: set[Any] = set()
        self.ran: dict[str, int] = {}
        self.wrong: list[str] = []

    def submit_one(self, entity: str) -> None:
        """Entity `a` is numbered by Tidemill, `b` by its submitter, who leaves numbers out."""
        self.version += 2
        try:
            self.ship(entity, **({"sequence": self.version} if entity == "b" else {}))
        except UnavailableError:
            assert self.order.outage is not None

    def run_one(self, outcome: Any, until: str) -> None:
        self.does = [outcome]
        before = len(self.runs)
        deliveries = self.queues.receive(LANE, 1)
        if deliveries:
            self.invoke_until(deliveries, until)
        assert len(self.runs) - before <= 1

    def invoke_until(self, deliveries: list[Any], until: str) -> None:
        """One invocation whose process may die on its way."""
        executor, batch = self.begin(deliveries, LANE, FUNCTION_TIMEOUT)
        if until == "claim":
            return
        for message_id in [*batch.together, *filter(None, [executor.isolate(batch)])]:
            batch.perform(message_id)
        if until == "run":
            return
        self.order.can_note = until != "note"
        staying = executor.finish(batch)
        self.order.can_note = True
        if until != "record":
            self.delete(deliveries, staying, LANE)

    def copy(self, number: int) -> None:
        """A sender whose answer was lost sends a job's message once more."""
        if self.sent:
            envelope = decode(parse_body(self.sent[number % len(self.sent)]))
            self.late.add(envelope.ref)
            fresh = envelope.resend(time_ordered_id(self.clock.now_ms(), self.random.getrandbits(74)))
            self.queues.send(LANE, [Send(fresh)])

    def redrive(self, number: int, way: str) -> None:
        dead = [job for job in self.store.jobs.values() if job.state is State.DEAD]
        if not dead:
            return
        self.clock.advance(seconds(1))
        if way == "queue":
            self.late.update(job.ref for job in dead)
            moved(self.queues, LANE, lambda _: True, 5)
        else:
            job = dead[number % len(dead)]
            self.late.add(job.ref)
            self.desk.redrive(job.ref, Manner(Mode(way)))

    def pass_by(self, span: timedelta) -> None:
        self.clock.advance(span)
        self.janitor.sweep()
        self.janitor.census()

    def cancel_one(self, number: int) -> None:
        waiting = [job for job in self.pending() if job.state is not State.RUNNING]
        if waiting:
            self.client.cancel(waiting[number % len(waiting)].ref.id)

    def _ship(self, args: Any, ctx: Any) -> Any:
        # An assertion here would only be a job that failed.
        finished = self.finished(ctx.entity)
        if ctx.previous_sequence != finished:
            self.wrong.append(f"{ctx.entity} {ctx.sequence} saw {ctx.previous_sequence}, {finished} finished last")
        ref = next(ref for ref in self.store.jobs if ref.id == ctx.job_id)
        if ref not in self.late:
            if ctx.sequence < self.ran.get(ctx.entity, 0):
                self.wrong.append(f"{ctx.entity} {ctx.sequence} was overtaken by {self.ran[ctx.entity]}")
            self.ran[ctx.entity] = ctx.sequence
        return super()._ship(args, ctx)


def act(story: Story, action: tuple[str, Any, Any]) -> None:
    name, what, how = action
    deeds = {
        "submit": lambda: story.submit_one(what),
        "run": lambda: story.run_one(what, how),
        "outage": lambda: setattr(story.order, "outage", DOWN if what else None),
        "copy": lambda: story.copy(what),
        "wait": lambda: story.pass_by(what),
        "redrive": lambda: story.redrive(what, how),
        "cancel": lambda: story.cancel_one(what),
        "burn": story.drain,
    }
    deeds[name]()


@settings(max_examples=60, deadline=None)
@given(ROUNDS)
def test_an_entitys_jobs_run_in_order_and_know_who_finished_before(rounds):
    story = Story()
    for action in (action for actions in rounds for action in actions):
        act(story, action)
        # Nothing on a FIFO lane waits in the table.
        parked = [job for job in story.pending() if job.state is State.SCHEDULED]
        assert all(job.claimable_at == 0 for job in parked)
        assert story.wrong == []

    story.order.outage, story.does = None, []
    for _ in range(400):
        story.step()
        story.clock.advance(seconds(30))
        story.janitor.sweep()
        if not story.queues.count(LANE):
            break
    assert (story.pending(), story.wrong) == ([], [])
    for entity in "ab":
        noted = story.order.finished.get(Entity("default", LANE, entity))
        assert noted == story.finished(entity)
