"""The HTTP API's Lambda handler, behind API Gateway (HTTP API, payload format 2.0)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from tidemill.domain.registry import JobRegistry
from tidemill.entrypoints.bootstrap import Program
from tidemill.entrypoints.http_api import HttpApi
from tidemill.entrypoints.observability import PowertoolsTelemetry


def api_handler(registry: JobRegistry) -> Callable[[dict[str, Any], LambdaContext], dict[str, Any]]:
    """The Lambda handler of the HTTP API.

    Raises:
        SettingsError: the environment is incomplete (at cold start).
    """
    program = Program.from_env(registry)
    telemetry = PowertoolsTelemetry(program.settings.stack)
    api = HttpApi(registry, program.client, program.listing, program.desk, telemetry, program.settings.tenant_claim)
    if registry.sagas:
        api.serve_sagas(lambda: program.sagas)

    def handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
        # The gateway's id of the request: the caller has it from the problem document, the access log as well.
        telemetry.correlate(event["requestContext"]["requestId"])
        try:
            return api.resolve(event, context)
        finally:
            telemetry.flush()

    return handler
