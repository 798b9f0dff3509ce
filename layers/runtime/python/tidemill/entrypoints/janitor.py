"""The janitor's Lambda handler, started every minute by an EventBridge rule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.janitor import Janitor
from tidemill.service.leftovers import Leftovers
from tidemill.service.tick_sweep import TickSweep

# What the last calls and the metrics take.
_REST_MS: Final = 5_000


def janitor_handler(registry: JobRegistry) -> Callable[[dict[str, Any], LambdaContext], dict[str, int]]:
    """The Lambda handler of the janitor. It answers what it did, for the log and for tests.

    Raises:
        SettingsError: the environment is incomplete (at cold start).
    """
    program = Program.from_env(registry)
    telemetry = PowertoolsTelemetry(program.settings.stack)
    ticks, janitor = program.ticks(telemetry), program.janitor(telemetry)
    batches, leftovers = program.batch_watch(telemetry), program.leftovers(telemetry)

    def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
        telemetry.correlate(context.aws_request_id)
        try:
            left_ms = context.get_remaining_time_in_millis()
            return run_duties(ticks, janitor, batches, program.clock.now_ms(), left_ms, leftovers)
        finally:
            telemetry.flush()

    return handler


def run_duties(
    ticks: TickSweep,
    janitor: Janitor,
    batches: BatchWatch,
    now_ms: int,
    left_ms: int,
    leftovers: Leftovers | None = None,
) -> dict[str, int]:
    """Let schedules tick, sweep, take the census, look at batches and at the outbox; `left_ms` is what is left.

    Each has an equal part of the time, so that each has its turn however much there is to do, and has it after one that
    failed too: they have nothing to do with each other.
    """
    duties: dict[str, Callable[[int], int]] = {"ticks": ticks.run}
    if leftovers is not None:
        duties["leftovers"] = leftovers.sweep
    duties |= {"sent": janitor.sweep, "deaths": janitor.census, "batch_ends": batches.look}
    done: dict[str, int] = {}
    with ExitStack() as rest:
        # The last one that is put there is the first that runs, and one that raises stops none of the others.
        for number, (name, duty) in reversed(list(enumerate(duties.items(), 1))):
            until_ms = now_ms + left_ms * number // len(duties)
            last = number == len(duties)
            rest.callback(_do, done, name, duty, until_ms - (_REST_MS if last else 0))
    return done


def _do(done: dict[str, int], name: str, duty: Callable[[int], int], until_ms: int) -> None:
    done[name] = duty(until_ms)
