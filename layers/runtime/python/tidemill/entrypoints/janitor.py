"""The janitor's Lambda handler, started every minute by an EventBridge rule."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Final

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry

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
        telemetry.logger.set_correlation_id(context.aws_request_id)
        now_ms = program.clock.now_ms()
        # The sweep may take half of the time, so that the census has its turn however much is due.
        half_ms = context.get_remaining_time_in_millis() // 2
        try:
            with ExitStack() as last:
                # Also after a sweep that failed: the two have nothing to do with each other.
                deaths: list[int] = []
                last.callback(lambda: deaths.append(janitor.census(now_ms + half_ms * 2 - _REST_MS)))
                sent = janitor.sweep(now_ms + half_ms)
            return {"sent": sent, "deaths": deaths[0]}
        finally:
            telemetry.flush()

    return handler
