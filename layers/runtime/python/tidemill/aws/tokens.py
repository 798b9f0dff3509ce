"""The task tokens of jobs whose end a state machine waits for, in DynamoDB. See `tidemill.domain.ports.TaskTokens`.

An item beside the job's STATE, because a token is larger than the record: it is written once for each message of a
state machine, and read once for each end.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, unavailable
from tidemill.aws.items import Attribute, key_of, ref_of
from tidemill.aws.patience import each
from tidemill.aws.table import JobsTable
from tidemill.domain.errand import Awaited, errand_of
from tidemill.domain.errors import UnavailableError
from tidemill.domain.job import JobRef

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

TOKEN_KEY: Final = "TOKEN"  # noqa: S105 - the name of an item


class DynamoTaskTokens:
    """`TaskTokens` on the jobs table. A token of 2,048 characters costs three write units, and one read unit."""

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def keep(self, awaited: Sequence[Awaited], until_s: int) -> list[UnavailableError | None]:
        """See TaskTokens. They are a set, so that a message which comes again adds nothing."""
        return each(partial(self._add, until_s), awaited)

    def find(self, refs: Sequence[JobRef]) -> list[Awaited | None]:
        """See TaskTokens. A refusal that lasts is no answer either: the job's message waits until it is mended."""
        try:
            items = self._table.read("find_token", [key_of(ref, TOKEN_KEY) for ref in refs])
        except AwsError as error:
            raise unavailable("find_token", error) from error
        return [None if item is None else awaited_of(item) for item in items]

    def _add(self, until_s: int, awaited: Awaited) -> UnavailableError | None:
        errand = json.dumps(awaited.errand.document(), separators=(",", ":"))
        names = {"#tokens": "tokens", "#errand": "errand", "#ttl": "ttl"}
        values: dict[str, Any] = {
            ":tokens": {"SS": list(awaited.tokens)},
            ":errand": {"S": errand},
            ":ttl": {"N": str(until_s)},
        }
        update = "ADD #tokens :tokens SET #errand = :errand, #ttl = :ttl"
        if awaited.refused is not None:
            update += ", #refused = :refused"
            names["#refused"], values[":refused"] = "refused", {"S": awaited.refused}
        try:
            answer = self._table.client.update_item(
                TableName=self._table.name,
                Key=key_of(awaited.ref, TOKEN_KEY),
                UpdateExpression=update,
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=values,
                **self._table.metering,
            )
        except AwsError as error:
            return unavailable("keep_token", error)
        self._table.count(answer)
        return None


def awaited_of(item: Mapping[str, Attribute]) -> Awaited:
    """What a TOKEN item holds."""
    errand = errand_of(json.loads(item["errand"]["S"]))
    refused = item["refused"]["S"] if "refused" in item else None
    return Awaited(ref_of(item), errand, tuple(sorted(item["tokens"]["SS"])), refused)
