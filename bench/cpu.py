"""CPU of one job in the shipped worker and in the textbook handler, measured side by side in one process.

All threads' CPU counts, from the event to the answer; what `bench.cloud` itself takes to answer is left out.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from bench.cloud.account import BenchAccount
from bench.cloud.poller import Context, Handler, Poller
from bench.workload import lambda_environment, submit_ours, submit_textbook

ROUNDS = 40
# The first ones fill caches: compiled expressions, endpoint rules, connections.
WARM_UP = 4
# A hundred jobs are measured on every second round.
LARGE_EVERY = 2


@dataclass
class Case:
    """One handler at one batch size, and its microseconds a job, one sample an invocation."""

    batch: int
    poller: Poller
    handler: Handler
    submit: Callable[[int], None]
    every: int = 1
    samples: list[float] = field(default_factory=list)

    @property
    def us_per_job(self) -> float:
        """The median."""
        return statistics.median(self.samples)

    @property
    def least(self) -> float:
        """The quietest invocation."""
        return min(self.samples)


@dataclass(frozen=True, slots=True)
class CpuFigures:
    """The cases that were measured."""

    batch10: Case
    batch100: Case
    textbook10: Case


def measure_cpu() -> CpuFigures:
    """Run the cases in turn, round by round, so that whatever else the machine does meets them all."""
    account = BenchAccount()
    with lambda_environment(account):
        # Importing builds the handlers' clients, which must happen inside the environment.
        from bench import shipped, textbook

        def submit_orders(count: int) -> None:
            submit_textbook(account, count)

        textbook_poller = account.poller(10, account.textbook_queue)
        figures = CpuFigures(
            Case(10, account.poller(10), shipped.handler, submit_ours),
            Case(100, account.poller(100), shipped.handler, submit_ours, LARGE_EVERY),
            Case(10, textbook_poller, textbook.lambda_handler, submit_orders),
        )
        cases = (figures.batch10, figures.batch100, figures.textbook10)
        for number in range(ROUNDS):
            for case in cases:
                if number % case.every == 0:
                    _sample(account, case, keep=number >= WARM_UP)
    return figures


def _sample(account: BenchAccount, case: Case, *, keep: bool) -> None:
    case.submit(case.batch)
    event = case.poller.gather()
    assert event is not None
    assert len(event["Records"]) == case.batch
    context, away = Context(), account.wire.cpu_ns
    started = time.process_time_ns()
    answer = case.handler(event, context)
    spent = time.process_time_ns() - started - (account.wire.cpu_ns - away)
    assert answer == {"batchItemFailures": []}
    case.poller.settle(event, answer)
    if keep:
        case.samples.append(spent / 1000 / case.batch)
