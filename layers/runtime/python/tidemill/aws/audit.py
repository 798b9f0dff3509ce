"""The audit trail in the jobs table. See `tidemill.domain.ports.AuditTrail`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from tidemill.aws.errors import AwsError, raise_for
from tidemill.aws.items import Attribute, Item
from tidemill.aws.table import JobsTable
from tidemill.domain import limits
from tidemill.domain.audit import AuditEntry, Outcome
from tidemill.domain.errors import InputError
from tidemill.domain.job import day_of
from tidemill.domain.names import check_job_id
from tidemill.domain.ports import AuditPage

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient

# No tenant begins with '#': no role that is bound to a tenant's leading keys reaches the trail, and no job's key is
# one of its.
PARTITION: Final = "#audit#"
_KEPT_S: Final = int(limits.MAX_RETENTION.total_seconds())


class DynamoAuditTrail:
    """`AuditTrail` on the jobs table: a partition a day, an item an action."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = JobsTable(client, table)

    def write(self, entry: AuditEntry) -> None:
        """See AuditTrail."""
        (error,) = self._table.put("audit", [audit_item(entry)])
        if error is not None:
            raise error

    def read(self, day: str, limit: int, cursor: str | None) -> AuditPage:
        """See AuditTrail.

        Raises:
            UnavailableError: DynamoDB did not answer.
        """
        start: dict[str, Any] = {} if cursor is None else {"ExclusiveStartKey": _key(day, _checked(cursor))}
        try:
            answer = self._table.client.query(
                TableName=self._table.name,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": f"{PARTITION}{day}"}},
                ConsistentRead=True,
                ScanIndexForward=False,
                Limit=limit,
                **start,
            )
        except AwsError as error:
            raise_for("audit", error)
        entries = tuple(entry_of(item) for item in answer["Items"])
        return AuditPage(entries, entries[-1].id if entries and "LastEvaluatedKey" in answer else None)


def audit_item(entry: AuditEntry) -> Item:
    """The entry as an item. What would be empty is absent."""
    item: Item = {
        **_key(day_of(entry.at), entry.id),
        "at": {"N": str(entry.at)},
        "actor": {"S": entry.actor},
        "action": {"S": entry.action},
        "outcome": {"S": entry.outcome.value},
        "chosen": {"S": _dump(entry.chosen)},
        "counts": {"S": _dump(entry.counts)},
        "jobs": {"S": _dump(entry.jobs)},
        "ttl": {"N": str(entry.at // 1000 + _KEPT_S)},
    }
    texts = {"tenant": entry.tenant, "manner": entry.manner or None, "error": entry.error}
    item.update({name: {"S": text} for name, text in texts.items() if text is not None})
    if entry.ended_at is not None:
        item["ended_at"] = {"N": str(entry.ended_at)}
    return item


def entry_of(item: Mapping[str, Attribute]) -> AuditEntry:
    """The entry in an item."""
    return AuditEntry(
        id=item["sk"]["S"],
        at=int(item["at"]["N"]),
        actor=item["actor"]["S"],
        action=item["action"]["S"],
        tenant=item["tenant"]["S"] if "tenant" in item else None,
        chosen=json.loads(item["chosen"]["S"]),
        manner=item["manner"]["S"] if "manner" in item else "",
        outcome=Outcome(item["outcome"]["S"]),
        ended_at=int(item["ended_at"]["N"]) if "ended_at" in item else None,
        counts=json.loads(item["counts"]["S"]),
        jobs=tuple(json.loads(item["jobs"]["S"])),
        error=item["error"]["S"] if "error" in item else None,
    )


def _key(day: str, entry_id: str) -> Item:
    return {"pk": {"S": f"{PARTITION}{day}"}, "sk": {"S": entry_id}}


def _dump(value: object) -> str:
    return json.dumps(dict(value) if isinstance(value, Mapping) else value, separators=(",", ":"))


def _checked(cursor: str) -> str:
    try:
        return check_job_id(cursor)
    except InputError:
        raise InputError.at("cursor", "is not one that this listing returned", "cursor") from None
