"""The outbox's rows in the jobs table. Pure.

A row is written in a transaction, read by the relay from the table's stream, and deleted once it was sent. Its key
follows from what it says: a job's begins with the job's id, so that a look at the job finds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tidemill.aws.items import Attribute, Item
from tidemill.domain import limits
from tidemill.domain.definition import OnFinal
from tidemill.domain.envelope import decode, parse_body
from tidemill.domain.errors import IntegrityError, MalformedMessageError
from tidemill.domain.fact import time_in
from tidemill.domain.outbox import Outbound, OutboundFact, OutboundJob

# No tenant begins with '#': no role that is bound to a tenant's leading keys reaches the outbox. The stream's filter
# knows it, too (cdk/tidemill_cdk/relay.py).
PARTITION: Final = limits.OUTBOX_PARTITION
_TTL_S: Final = int(limits.OUTBOX_RETENTION.total_seconds())


def partition_of(shard: int) -> str:
    """The partition of one part of the outbox."""
    return f"{PARTITION}{shard}"


def outbox_key(outbound: Outbound) -> Item:
    """The primary key of a row."""
    return {"pk": {"S": partition_of(outbound.shard)}, "sk": {"S": outbound.name}}


def outbox_item(outbound: Outbound) -> Item:
    """The whole row."""
    item: Item = {
        **outbox_key(outbound),
        "at": {"N": str(outbound.written_at)},
        "ttl": {"N": str(outbound.written_at // 1000 + _TTL_S)},
    }
    if isinstance(outbound, OutboundFact):
        return {**item, "type": {"S": outbound.type}, "body": {"S": outbound.text}}
    item.update(lane={"S": outbound.lane}, final={"S": outbound.on_final.value}, body={"S": outbound.envelope.encode()})
    return {**item, "durable": {"BOOL": True}} if outbound.durable_args else item


def is_row(keys: Mapping[str, Attribute]) -> bool:
    """Whether a primary key is that of a row."""
    return keys["pk"]["S"].startswith(PARTITION)


def outbound_of(item: Mapping[str, Attribute]) -> Outbound:
    """What a row says.

    Raises:
        IntegrityError: it is not what its writer stored, or newer code wrote it.
    """
    try:
        what, _, rest = item["sk"]["S"].partition("#")
        body, written_at = item["body"]["S"], int(item["at"]["N"])
        if what == "fact":
            tenant, _, fact_id = rest.partition("#")
            return OutboundFact(fact_id, item["type"]["S"], tenant, time_in(body), body, written_at)
        envelope = decode(parse_body(body))
        return OutboundJob(envelope, item["lane"]["S"], written_at, OnFinal(item["final"]["S"]), "durable" in item)
    except (AttributeError, KeyError, ValueError, MalformedMessageError) as error:
        name = item.get("sk", {}).get("S", "without a name")
        raise IntegrityError(f"the outbox's row {name} can't be read: {type(error).__name__}") from None
