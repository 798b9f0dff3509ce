"""Jobs that wait for answers from outside, once or twice, with reminders, and with tokens that they send."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from tests.simulation import stage
from tests.simulation.jobs.behaviour import CANARY, LANE, RETRY, TIMEOUT, misbehave
from tidemill import JobArgs, JobContext, job
from tidemill.domain.definition import JobDefinition
from tidemill.domain.duration import seconds
from tidemill.errors import WaitTimeoutError

KIND = "sim.ask"
NAMES = ("approval", "callback")
# How long a token lasts: longer than any wait, or shorter than most.
LASTS_S = (30, 7_200)


class Decision(JobArgs):
    """What is answered. `mark` differs from one decision to the next."""

    mark: int
    secret: str = CANARY


class Ask(JobArgs, kind=KIND):
    """A job that waits.

    Attributes:
        waits: for what, one after the other: name, timeout and when it reminds, in seconds.
        stumbles: before which of them it misbehaves; as many as there are for the end.
        busy_s: how long it works there before.
        catches: it goes on where nobody answered. `lasts_s`: how long its tokens last, 0 if it sends none.
    """

    number: int
    owner: str
    waits: list[tuple[str, int, list[int]]]
    stumbles: int
    busy_s: int
    catches: bool
    lasts_s: int
    secret: str = CANARY


class Patience:
    """One attempt's way through its waits."""

    def __init__(self, args: Ask, ctx: JobContext) -> None:
        # Watchers know the jobs that they watch, and are loaded after them.
        from tests.simulation.watchers.answers import Answers

        self._world = stage.playing()
        self._answers = self._world.part(Answers)
        self._args, self._ctx = args, ctx
        self._job = f"{ctx.tenant}#{ctx.job_id}"
        self._started = self._world.ledger.start(args, ctx)

    def go(self) -> dict[str, Any]:
        """The job's function."""
        for place, (name, timeout_s, remind_s) in enumerate(self._args.waits):
            if self._args.lasts_s:
                self._ctx.step(f"send-{name}", self._send, name)
            self._stumble(place)
            self._wait(name, timeout_s, remind_s)
        self._stumble(len(self._args.waits))
        self._world.dependency.apply(self._job, self._args.number)
        self._world.ledger.end(self._args, self._ctx)
        return {"number": self._args.number, "secret": self._args.secret}

    def _wait(self, name: str, timeout_s: int, remind_s: list[int]) -> None:
        remind = [timedelta(seconds=after) for after in remind_s]
        asks = f"May number {self._args.number} go on?"
        reminder = (lambda number: self._remind(name, remind_s, number)) if remind else None
        try:
            decision = self._ctx.wait_for(
                name, Decision, timeout=seconds(timeout_s), remind=remind, reminder=reminder, asks=asks
            )
        except WaitTimeoutError:
            self._answers.used(self._job, name, self._ctx.generation, None)
            if not self._args.catches:
                raise
        else:
            self._answers.used(self._job, name, self._ctx.generation, decision.mark)

    def _remind(self, name: str, remind_s: list[int], number: int) -> None:
        self._answers.reminded(self._job, name, remind_s[number - 1])

    def _send(self, name: str) -> None:
        token = self._ctx.answer_token(name, to="somebody", lasts=seconds(self._args.lasts_s))
        self._answers.sent(self._job, name, self._ctx.generation, self._args.lasts_s, token)

    def _stumble(self, place: int) -> None:
        if place == self._args.stumbles:
            self._world.scheduler.sleep(self._args.busy_s * 1_000)
            misbehave(self._world.behaviours[self._args.number].now(self._started), self._world)


def _ask(args: Ask, ctx: JobContext) -> Any:
    return Patience(args, ctx).go()


def definitions(version: str) -> tuple[JobDefinition[Any, Any], ...]:
    """The same in every version of the code."""
    return (job(Ask, lane=LANE, retry=RETRY, timeout=TIMEOUT, answers=dict.fromkeys(NAMES, Decision))(_ask),)
