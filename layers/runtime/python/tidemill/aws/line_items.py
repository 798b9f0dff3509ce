"""A line of a read model as an item, and the way back. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from tidemill.aws.items import Attribute, Item
from tidemill.domain.chain import Head
from tidemill.domain.line import Editions, Halt, Line
from tidemill.domain.stream import StreamRef

GROUPS_INDEX: Final = "groups"
HALTED_INDEX: Final = "halted"
LINE: Final = "LINE"
# What a projection's own items are under: no tenant begins with '#'.
_OWN: Final = "#projection#"


def line_key(name: str, edition: int, ref: StreamRef) -> Item:
    """The primary key of a line. The tenant leads, so that a role can be bound to one tenant."""
    return {"pk": {"S": f"{ref.tenant}#{name}#{edition}#{ref.subject}"}, "sk": {"S": LINE}}


def own_key(name: str, what: str) -> Item:
    """The primary key of something that is kept of a projection itself."""
    return {"pk": {"S": f"{_OWN}{name}"}, "sk": {"S": what}}


def place_in(item: Mapping[str, Attribute]) -> tuple[str, int, StreamRef]:
    """The projection, edition and stream of a line, by its key."""
    tenant, name, edition, subject = item["pk"]["S"].split("#", 3)
    return name, int(edition), StreamRef.of(tenant, subject)


def group_partition(tenant: str, name: str, edition: int, group: str) -> str:
    """Where the lines of a group are listed."""
    return f"{tenant}#{name}#{edition}#{group}"


def halted_partition(name: str, edition: int) -> str:
    """Where halted lines are listed; they are few."""
    return f"{name}#{edition}"


def line_item(name: str, edition: int, line: Line) -> Item:
    """The item of a line. What is absent is None."""
    item: Item = {
        **line_key(name, edition, line.ref),
        "version": {"N": str(line.head.version)},
        "hash": {"S": line.head.hash},
        "at": {"N": str(line.at)},
    }
    if line.data is not None:
        item["data"] = {"S": line.data.decode()}
    if line.group is not None:
        item["groups_pk"] = {"S": group_partition(line.ref.tenant, name, edition, line.group)}
        item["groups_sk"] = {"S": f"{line.order or ''}#{line.ref.subject}"}
    if line.halt is not None:
        item["halted_pk"] = {"S": halted_partition(name, edition)}
        item["halted_sk"] = item["pk"]
        item["halted_at"] = {"N": str(line.halt.version)}
        item["reason"] = {"S": line.halt.reason}
    return item


def line_of(item: Mapping[str, Attribute]) -> Line:
    """The line in an item."""
    _, _, ref = place_in(item)
    listed = "groups_pk" in item
    return Line(
        ref=ref,
        head=Head(int(item["version"]["N"]), item["hash"]["S"]),
        at=int(item["at"]["N"]),
        data=item["data"]["S"].encode() if "data" in item else None,
        group=item["groups_pk"]["S"].split("#", 3)[3] if listed else None,
        # A subject holds no '#'.
        order=item["groups_sk"]["S"].rpartition("#")[0] if listed else None,
        halt=Halt(int(item["halted_at"]["N"]), item["reason"]["S"]) if "halted_at" in item else None,
    )


def editions_item(name: str, editions: Editions) -> Item:
    """The item that says which editions there are."""
    numbers: Item = {"live": {"N": str(editions.live)}, "last": {"N": str(editions.last)}}
    item: Item = {**own_key(name, "EDITIONS"), **numbers}
    if editions.filling is not None:
        item["filling"] = {"N": str(editions.filling)}
    if editions.filled:
        item["filled"] = {"BOOL": True}
    return item


def editions_of(item: Mapping[str, Attribute]) -> Editions:
    """The editions in an item."""
    filling = int(item["filling"]["N"]) if "filling" in item else None
    return Editions(int(item["live"]["N"]), filling, int(item["last"]["N"]), "filled" in item)
