"""The jobs table in DynamoDB, read. See `tidemill.domain.ports.JobReader`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemill.aws import cursor as cursors
from tidemill.aws import siblings
from tidemill.aws.cursor import Position
from tidemill.aws.errors import AwsError, raise_for
from tidemill.aws.items import (
    ATTENTION_INDEX,
    DUE_INDEX,
    LIST_INDEX,
    NEEDS_ATTENTION,
    SHARDS,
    Item,
    attention_partition,
    due_partition,
    job_of,
    key_of,
    list_partition,
    moment,
    partition_key,
    ref_of,
)
from tidemill.aws.table import JobsTable
from tidemill.domain.envelope import Envelope
from tidemill.domain.errors import InputError
from tidemill.domain.job import Job, JobRef
from tidemill.domain.lifecycle import State
from tidemill.domain.payload import Stored
from tidemill.domain.ports import AttemptFailure, Page

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.client import DynamoDBClient


class DynamoJobReader:
    """`JobReader` on one DynamoDB table.

    Listings go through an index, which lags behind, and then read each record consistently. So a page may
    hold fewer jobs than asked for; only a missing cursor says that there are no more.
    """

    def __init__(self, client: DynamoDBClient, table: str, *, meter: Callable[[float], None] | None = None) -> None:
        self._table = JobsTable(client, table, meter)

    def find(self, refs: Sequence[JobRef]) -> list[Job | None]:
        """See JobReader."""
        items = self._table.read("find", [key_of(ref) for ref in refs])
        return [job_of(item) if item else None for item in items]

    def envelope_of(self, job: Job) -> Envelope | None:
        """See JobReader."""
        (item,) = self._table.read("envelope_of", [siblings.args_key(job.ref, job.fingerprint)])
        return siblings.envelope_of(item) if item else None

    def result_of(self, job: Job) -> str | Stored | None:
        """See JobReader."""
        if not job.has_result_item:
            return job.result
        (item,) = self._table.read("result_of", [siblings.result_key(job)])
        return siblings.result_of(item) if item else None

    def failures_of(self, ref: JobRef) -> list[AttemptFailure]:
        """See JobReader."""
        values = {":pk": {"S": partition_key(ref)}, ":prefix": {"S": siblings.ERROR_PREFIX}}
        arguments = {
            "KeyConditionExpression": "pk = :pk AND begins_with(sk, :prefix)",
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        failures: list[AttemptFailure] = []
        while True:
            answer = self._query("failures_of", arguments)
            failures += [siblings.failure_of(item) for item in answer["Items"]]
            if "LastEvaluatedKey" not in answer:
                # Sorted as numbers: as text, generation 10 would come before generation 2.
                return sorted(failures, key=lambda failed: (failed.generation, failed.attempt))
            arguments["ExclusiveStartKey"] = answer["LastEvaluatedKey"]

    def waiting(self, state: State, tenant: str | None, limit: int, cursor: str | None) -> Page:
        """See JobReader."""
        if state not in NEEDS_ATTENTION:
            raise InputError.at("state", f"no index holds {state} jobs", "not_indexed")
        listing = _Listing(
            name="waiting",
            scope=f"waiting\n{state}\n{tenant or ''}",
            index=ATTENTION_INDEX,
            partition=lambda shard: attention_partition(state, shard),
            beginning=None if tenant is None else f"{tenant}#",
        )
        return self._page(listing, limit, cursor, lambda job: job.state is state)

    def due(self, until_ms: int, limit: int, cursor: str | None) -> Page:
        """See JobReader."""
        listing = _Listing(name="due", scope="due", index=DUE_INDEX, partition=due_partition, until=moment(until_ms))
        return self._page(listing, limit, cursor, lambda job: job.state is State.SCHEDULED or job.watched)

    def recent(self, tenant: str, kind: str, day: str, limit: int, cursor: str | None) -> Page:
        """See JobReader."""
        listing = _Listing(
            name="recent",
            scope=f"recent\n{tenant}\n{kind}\n{day}",
            index=LIST_INDEX,
            partition=lambda shard: list_partition(tenant, kind, day, shard),
            newest_first=True,
        )
        return self._page(listing, limit, cursor, lambda _: True)

    def _page(self, listing: _Listing, limit: int, cursor: str | None, holds: Callable[[Job], bool]) -> Page:
        position: Position | None = listing.start(cursor)
        refs: list[JobRef] = []
        while position is not None and len(refs) < limit:
            answer = self._query(listing.name, listing.query(position, limit - len(refs)))
            refs += [ref_of(item) for item in answer["Items"]]
            position = listing.after(position, answer.get("LastEvaluatedKey"))
        found = self.find(refs) if refs else []
        jobs = tuple(job for job in found if job is not None and holds(job))
        return Page(jobs, None if position is None else cursors.encode(position, listing.scope))

    def _query(self, operation: str, arguments: Mapping[str, Any]) -> Any:
        try:
            answer = self._table.client.query(TableName=self._table.name, **arguments, **self._table.metering)
        except AwsError as error:
            raise_for(operation, error)
        self._table.count(answer)
        return answer


@dataclass(frozen=True, slots=True)
class _Listing:
    """One walk through the shards of an index, one shard after the other."""

    name: str
    scope: str
    index: str
    partition: Callable[[int], str]
    beginning: str | None = None
    until: str | None = None
    newest_first: bool = False

    def start(self, cursor: str | None) -> Position:
        """Where to begin.

        Raises:
            InputError: the cursor is not one of this listing, or leads out of it: DynamoDB refuses a start
                outside of the query's range.
        """
        position = cursors.decode(cursor, self.scope)
        sort_key = position.sort_key or self.beginning or ""
        if not sort_key.startswith(self.beginning or "") or (self.until is not None and sort_key > self.until):
            raise InputError.at("cursor", "is not one that this listing returned", "cursor")
        return position

    def query(self, position: Position, limit: int) -> dict[str, Any]:
        """The arguments of one Query."""
        condition, values = f"{self.index}_pk = :pk", {":pk": {"S": self.partition(position.shard)}}
        if self.beginning is not None:
            condition += f" AND begins_with({self.index}_sk, :beginning)"
            values[":beginning"] = {"S": self.beginning}
        if self.until is not None:
            condition += f" AND {self.index}_sk <= :until"
            values[":until"] = {"S": self.until}
        arguments = {
            "IndexName": self.index,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "Limit": limit,
            "ScanIndexForward": not self.newest_first,
        }
        if position.sort_key is not None and position.ref is not None:
            arguments["ExclusiveStartKey"] = self._key(position.shard, position.sort_key, position.ref)
        return arguments

    def after(self, position: Position, last: Item | None) -> Position | None:
        """Where to go on; None after the last shard."""
        if last is not None:
            return Position(position.shard, last[f"{self.index}_sk"]["S"], ref_of(last))
        return Position(position.shard + 1) if position.shard + 1 < SHARDS else None

    def _key(self, shard: int, at: str, ref: JobRef) -> Item:
        key = key_of(ref)
        key[f"{self.index}_pk"] = {"S": self.partition(shard)}
        key[f"{self.index}_sk"] = {"S": at}
        return key
