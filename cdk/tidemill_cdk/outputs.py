"""What the command line reads from a deployed stack, by the stack's name alone."""

from __future__ import annotations

import json

from aws_cdk import CfnOutput
from constructs import Construct

from tidemill.settings import RuntimeSettings
from tidemill_cdk.naming import rename


def add_output(scope: Construct, name: str, value: str, description: str) -> None:
    """Add a stack output that is called exactly `name`."""
    rename(CfnOutput(scope, f"{name}Output", value=value, description=description), name)


def add_outputs(scope: Construct, settings: RuntimeSettings, api_url: str) -> None:
    """Publish where everything is. `Settings` is the whole environment contract as one JSON object."""
    for name, value, description in (
        ("ApiUrl", api_url, "The HTTP API"),
        ("Table", settings.table, "The jobs table"),
        ("PayloadBucket", settings.payload_bucket, "The bucket of large payloads"),
        ("IdempotencyTable", settings.idempotency_table, "The table of Powertools' idempotency records"),
        ("Lanes", ",".join(settings.lanes), "The lanes, in the registry's order"),
        ("Settings", json.dumps(settings.to_env(), separators=(",", ":")), "The environment of `tidemill`, as JSON"),
    ):
        add_output(scope, name, value, description)
