"""Lambda's side: the event source mapping of a lane, the janitor's minute, and what an invocation can suffer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from tests.simulation.faults import Fault
from tests.simulation.functions import Container, Context, Functions
from tests.simulation.scheduler import KilledError, Process
from tidemill.domain.duration import milliseconds
from tidemill.domain.lane import Lane
from tidemill.domain.sizing import size_lane

if TYPE_CHECKING:
    from tests.simulation.world import World

_SKEW_MS = 30_000
# Invocations of one lane at the same time; two is the least that AWS takes, and shows every race of two.
MAX_CONCURRENCY = 3
JANITOR_TIMEOUT_MS = 60_000


class Lambda:
    """Invokes functions. An invocation ends by an answer, an error, its timeout, or the death of its process."""

    def __init__(self, world: World, deployments: list[Functions]) -> None:
        self._world = world
        self.deployments = deployments
        self.invocations = 0
        self._rolled_back_until = 0

    def roll_back(self, until_ms: int) -> None:
        """Only the oldest code runs until then, or until everything heals."""
        self._rolled_back_until = until_ms

    def invoke(self, function: str, lane: str, event: dict[str, Any], timeout_ms: int, ended: Any) -> Process:
        """Start one invocation; `ended` is told its answer, or None if there is none."""
        world = self._world
        self.invocations += 1
        functions = self.deployments[0]
        if world.faults.is_on(Fault.OLD_CODE):
            functions = world.rng.choice(self.deployments)
            if world.scheduler.now_ms < self._rolled_back_until:
                functions = self.deployments[-1]
        container = functions.take(function, lane)
        deadline_ms = world.scheduler.now_ms + timeout_ms
        context = Context(f"request-{self.invocations}", deadline_ms)
        skew = world.rng.randint(-_SKEW_MS, _SKEW_MS) if world.faults.is_on(Fault.CLOCK_SKEW) else 0
        process = world.scheduler.spawn(
            f"{container.function}#{self.invocations}",
            lambda: container.handler(event, context),
            role=container.function,
            ended=lambda answer, error: self._end(functions, container, answer, error, ended),
            skew_ms=skew,
        )
        world.scheduler.at(deadline_ms, lambda: self._time_out(process))
        return process

    def _end(
        self, functions: Functions, container: Container, answer: Any, error: BaseException | None, ended: Any
    ) -> None:
        if error is None:
            functions.put_back(container)
        elif not isinstance(error, KilledError):
            self._world.tell("error", type(error).__name__, str(error))
        ended(answer if error is None else None)

    def _time_out(self, process: Process) -> None:
        world = self._world
        if process.ended and all(thread.ended for thread in process.children):
            return
        if process.held_until > world.scheduler.now_ms:
            # A frozen sandbox is killed only once it thaws; until then it may do a little more.
            late = process.held_until + world.rng.choice((0, 10, 1_000, 10_000))
            world.scheduler.at(late, lambda: self._time_out(process))
            return
        world.tell("timeout", process.name)
        world.scheduler.kill(process)


class Mapping:
    """The event source mapping of one lane."""

    def __init__(self, world: World, lane: str, timeout_ms: int, batch_size: int, *, fifo: bool = False) -> None:
        self._world = world
        self._lane = lane
        # Developer Guide, "FIFO queue message ordering": "Duplicates aren't introduced into the queue."
        self._repeats = not fifo
        self._timeout_ms = timeout_ms
        self._batch_size = batch_size
        self._busy = 0
        self._next_at: int | None = None
        self.is_enabled = True

    @classmethod
    def of(cls, world: World, lane: Lane) -> Self:
        """The mapping that the stack makes for `lane`."""
        size = size_lane(lane, world.deployment.registry.in_lane(lane.name))
        return cls(world, lane.name, milliseconds(size.function_timeout), min(lane.batch_size, 10), fifo=lane.fifo)

    def poke(self) -> None:
        """Something happened to the queue: poll it when its next message is visible."""
        visible_at = self._world.cloud.visible_at(self._lane)
        if visible_at is None or self._busy >= MAX_CONCURRENCY or not self.is_enabled:
            return
        at = max(visible_at, self._world.scheduler.now_ms) + 1
        if self._next_at is None or at < self._next_at:
            self._next_at = at
            self._world.scheduler.at(at, lambda: self._poll(at))

    def _poll(self, at: int) -> None:
        if at != self._next_at:
            return
        self._next_at = None
        if self._busy < MAX_CONCURRENCY and self.is_enabled:
            self._receive()
        self.poke()

    def _receive(self) -> None:
        world = self._world
        messages = world.cloud.receive(self._lane, world.rng.randint(1, self._batch_size))
        if not messages:
            return
        world.tell("received", self._lane, [(m["MessageId"], m["Attributes"]) for m in messages])
        if self._repeats and world.faults.strikes(Fault.DUPLICATE):
            world.strike(Fault.DUPLICATE)
            world.cloud.show(self._lane, world.rng.choice(messages)["MessageId"])
        if world.faults.strikes(Fault.INVOKE_THROTTLED):
            # The poller keeps them until their visibility ends: a receive is gone, and nobody ran.
            world.strike(Fault.INVOKE_THROTTLED)
            return
        self._busy += 1
        event = {"Records": [_record(world.cloud.arn_of(self._lane), message) for message in messages]}
        world.functions.invoke(
            "worker", self._lane, event, self._timeout_ms, lambda answer: self._settle(messages, answer)
        )

    def _settle(self, messages: list[dict[str, Any]], answer: Any) -> None:
        """What Lambda does with a partial response: everything that is not reported is deleted."""
        world = self._world
        self._busy -= 1
        if answer is not None:
            failed = [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]
            done = [message for message in messages if message["MessageId"] not in failed]
            if done:
                world.later(world.scheduler.now_ms + world.rng.choice((1, 5, 200)), lambda: self._delete(done))
        self.poke()

    def _delete(self, messages: list[dict[str, Any]]) -> None:
        world = self._world
        if world.faults.strikes(Fault.DELETE_LOST):
            world.strike(Fault.DELETE_LOST)
            return
        before = {message.id: message for message in world.cloud.waiting(self._lane)}
        world.tell("deleted", self._lane, [message["MessageId"] for message in messages])
        world.cloud.delete(self._lane, [message["ReceiptHandle"] for message in messages])
        if self._repeats and world.faults.strikes(Fault.LATE_DUPLICATE):
            chosen = before.get(world.rng.choice(messages)["MessageId"])
            if chosen is not None:
                world.strike(Fault.LATE_DUPLICATE)
                at_ms = world.scheduler.now_ms + world.rng.choice((1, 5_000, 120_000))
                world.later(at_ms, lambda: self._bring_back(chosen))

    def _bring_back(self, message: Any) -> None:
        self._world.tell("came back", self._lane, message.id)
        self._world.cloud.bring_back(self._lane, message)
        self.poke()


class Minute:
    """EventBridge's rule: the janitor once a minute; sometimes not, sometimes twice."""

    def __init__(self, world: World) -> None:
        self._world = world

    def start(self) -> None:
        """Let the first minute begin."""
        self._world.scheduler.after(self._world.rng.randrange(60_000), self._tick)

    def _tick(self) -> None:
        world = self._world
        if world.is_over:
            return
        world.scheduler.after(60_000 * world.idle_minutes(), self._tick)
        if not world.has_work_for_janitor():
            return
        if world.faults.strikes(Fault.TICK_LOST):
            world.strike(Fault.TICK_LOST)
            return
        world.rest.begin_look()
        times = 1
        if world.faults.strikes(Fault.TICK_TWICE):
            world.strike(Fault.TICK_TWICE)
            times = 2
        for _ in range(times):
            world.functions.invoke("janitor", "", {}, JANITOR_TIMEOUT_MS, lambda _: None)


def _record(source: str, message: dict[str, Any]) -> dict[str, Any]:
    """Lambda Developer Guide, "Using Lambda with Amazon SQS": a record as the function gets it."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message["Attributes"],
        "messageAttributes": {},
        "eventSource": "aws:sqs",
        "eventSourceARN": source,
        "awsRegion": "us-east-1",
    }
