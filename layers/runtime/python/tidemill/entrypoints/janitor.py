"""The janitor's Lambda handler, started every minute by an EventBridge rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry
from tidemill.service.janitor import Janitor

# What the last calls and the metrics take.
_REST_MS: Final = 5_000


def janitor_handler(registry: JobRegistry) -> Callable[[dict[str, Any], LambdaContext], dict[str, int]]:
    """The Lambda handler of the janitor. It answers what it did, for the log and for tests.

    Raises:
        SettingsError: the environment is incomplete (at cold start).
    """
    program = Program.from_env(registry)
    telemetry = PowertoolsTelemetry(program.settings.stack)
    janitor = program.janitor(telemetry)

    def handler(_event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
        telemetry.correlate(context.aws_request_id)
        try:
            return run_duties(janitor, program.clock.now_ms(), context.get_remaining_time_in_millis())
        finally:
            telemetry.flush()

    return handler


def run_duties(janitor: Janitor, now_ms: int, left_ms: int) -> dict[str, int]:
    """Sweep, then take the census; `left_ms` is what the function has left.

    The sweep has half of the time, so that the census has its turn however much is due, and it has
    it after a sweep that failed too: the two have nothing to do with each other.
    """
    try:
        sent = janitor.sweep(now_ms + left_ms // 2)
    finally:
        deaths = janitor.census(now_ms + left_ms - _REST_MS)
    return {"sent": sent, "deaths": deaths}
