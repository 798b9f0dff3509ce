"""The janitor's Lambda handler, started every minute by an EventBridge rule."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.observability import PowertoolsTelemetry


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
        try:
            return {"sent": janitor.sweep(), "deaths": janitor.census()}
        finally:
            telemetry.flush()

    return handler
