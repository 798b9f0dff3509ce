"""The janitor's Lambda handler, started every minute by an EventBridge rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry
from tidemill.service.batch_watch import BatchWatch
from tidemill.service.janitor import Janitor
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
    batches = program.batch_watch(telemetry)

    def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
        telemetry.correlate(context.aws_request_id)
        try:
            left_ms = context.get_remaining_time_in_millis()
            return run_duties(ticks, janitor, batches, program.clock.now_ms(), left_ms)
        finally:
            telemetry.flush()

    return handler


def run_duties(ticks: TickSweep, janitor: Janitor, batches: BatchWatch, now_ms: int, left_ms: int) -> dict[str, int]:
    """Let schedules tick, sweep, take the census, and look at batches; `left_ms` is what the function has left.

    Each has a quarter of the time, so that each has its turn however much there is to do, and has it after one that
    failed too: they have nothing to do with each other.
    """
    try:
        made = ticks.run(now_ms + left_ms // 4)
    finally:
        try:
            sent = janitor.sweep(now_ms + left_ms // 2)
        finally:
            try:
                deaths = janitor.census(now_ms + left_ms * 3 // 4)
            finally:
                ends = batches.look(now_ms + left_ms - _REST_MS)
    return {"ticks": made, "sent": sent, "deaths": deaths, "batch_ends": ends}
