"""Batches as they go over the wire.

DynamoDB's JSON is what this package builds and reads anyway. botocore walks through every attribute of it on the
way out and in, guided by its model, which costs more CPU than all the rest of a batch; the hooks below put
`json` in that place for the one call that carries batches. Signing, retries, errors and the checksum stay botocore's.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

_OPERATION: Final = "dynamodb.BatchExecuteStatement"
_BODY: Final = "tidemill_body"


def pass_through(client: DynamoDBClient) -> None:
    """Let batches of statements through this client without a model's walk. No binary values fit through."""
    events = client.meta.events
    events.register(f"before-parameter-build.{_OPERATION}", _take_parameters)
    events.register(f"before-call.{_OPERATION}", _write_body)
    events.register(f"before-parse.{_OPERATION}", _read_body)


def _take_parameters(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    context[_BODY] = json.dumps(params, separators=(",", ":"))
    # Nothing is left for the model to walk through.
    params.clear()


def _write_body(params: dict[str, Any], context: dict[str, Any], **_: object) -> None:
    params["body"] = context[_BODY].encode()


def _read_body(response_dict: dict[str, Any], customized_response_dict: dict[str, Any], **_: object) -> None:
    if response_dict["status_code"] == 200:
        customized_response_dict.update(json.loads(response_dict["body"]))
        response_dict["body"] = b"{}"
