"""What is to go wrong at one step of one order: a test says so in the books' table, and the step reads it.

A shop of your own has no such file. This one has it, so that every failure at every step can be seen.
"""

from __future__ import annotations

import os
from enum import StrEnum
from typing import Any, Final

from orders.books import Books
from tidemill import PermanentError, TransientError

_PREFIX: Final = "trouble#"


class Trouble(StrEnum):
    """How a step fails."""

    REFUSED = "refused"  # for good, before it did anything
    REFUSED_AFTER = "refused after"  # for good, after it did its work
    STUMBLES = "stumbles"  # once, before it did anything
    STUMBLES_AFTER = "stumbles after"  # once, after it did its work
    DIES = "dies"  # with its process, once, after it did its work


_AFTER: Final = frozenset({Trouble.REFUSED_AFTER, Trouble.STUMBLES_AFTER, Trouble.DIES})
_ONCE: Final = frozenset({Trouble.STUMBLES, Trouble.STUMBLES_AFTER, Trouble.DIES})


def plan(books: Books, order: str, step: str, trouble: Trouble) -> None:
    """Let this step of this order fail so."""
    item = {"name": {"S": f"{_PREFIX}{order}#{step}"}, "how": {"S": trouble.value}}
    books.client.put_item(TableName=books.table, Item=item)


def mend(books: Books, order: str, step: str) -> None:
    """Let it fail no more."""
    books.client.delete_item(TableName=books.table, Key={"name": {"S": f"{_PREFIX}{order}#{step}"}})


def meet(books: Books, order: str, step: str, *, after: bool) -> None:
    """Fail as it was planned, if this is the moment."""
    key = {"name": {"S": f"{_PREFIX}{order}#{step}"}}
    found: dict[str, Any] | None = books.client.get_item(TableName=books.table, Key=key, ConsistentRead=True).get(
        "Item"
    )
    if found is None:
        return
    trouble = Trouble(found["how"]["S"])
    if (trouble in _AFTER) is not after:
        return
    if trouble in _ONCE:
        books.client.delete_item(TableName=books.table, Key=key)
    match trouble:
        case Trouble.DIES:
            os._exit(1)
        case Trouble.STUMBLES | Trouble.STUMBLES_AFTER:
            raise TransientError(f"{step} of {order} stumbles")
        case Trouble.REFUSED | Trouble.REFUSED_AFTER:
            raise PermanentError(f"{step} of {order} is refused")
