"""The shop's books: double entries in one table, each written once whatever is delivered twice.

A posting moves an amount from one account to another, so that all accounts of a unit are zero together, always. Its
name says what it is for. Written again it changes nothing, and what it reverses is read from the books: so a step and
what undoes it can both be repeated, in any order of crashes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

import boto3
from botocore.exceptions import ClientError

from tidemill import PermanentError

TABLE_VARIABLE: Final = "ORDERS_BOOKS_TABLE"
UNDONE: Final = "#undone"


class OutOfStockError(PermanentError):
    """There is less in the account than is to be taken from it."""


@dataclass(frozen=True, slots=True)
class Posting:
    """So much from one account to another.

    Attributes:
        name: what it is for; there is one posting of a name.
        covered: refuse it if the first account has less.
    """

    name: str
    source: str
    target: str
    amount: int
    covered: bool = False

    @property
    def reverse(self) -> Posting:
        """The one that undoes it."""
        return Posting(self.name + UNDONE, self.target, self.source, self.amount)


@dataclass(frozen=True, slots=True)
class Books:
    """The books in a table of their own, with the key `name`."""

    table: str
    client: Any

    def post(self, posting: Posting) -> bool:
        """Write it and move the amount, in one transaction; whether it was new.

        Raises:
            OutOfStockError: it must be covered and is not.
        """
        source = self._moved(posting.source, -posting.amount, covered=posting.covered)
        target = self._moved(posting.target, posting.amount, covered=False)
        try:
            self.client.transact_write_items(TransactItems=[self._written(posting), source, target])
        except self.client.exceptions.TransactionCanceledException as error:
            return self._refused(posting, error)
        return True

    def undo(self, name: str) -> bool:
        """Reverse the posting of this name if it was ever made; whether this call did it."""
        posting = self.find(name)
        return posting is not None and self.post(posting.reverse)

    def find(self, name: str) -> Posting | None:
        """The posting of this name, as of now."""
        found = self.client.get_item(TableName=self.table, Key={"name": {"S": name}}, ConsistentRead=True).get("Item")
        return None if found is None else _posting(found)

    def balances(self) -> dict[str, int]:
        """Every account that anything was ever posted to."""
        # Beside postings and balances the table has what a test plans to go wrong.
        accounts = [item for item in self._items() if "amount" in item and "source" not in item]
        return {item["name"]["S"]: int(item["amount"]["N"]) for item in accounts}

    def postings(self) -> list[Posting]:
        """All postings."""
        return [_posting(item) for item in self._items() if "source" in item]

    def _items(self) -> Iterator[dict[str, Any]]:
        for page in self.client.get_paginator("scan").paginate(TableName=self.table, ConsistentRead=True):
            yield from page["Items"]

    def _written(self, posting: Posting) -> dict[str, Any]:
        item = {
            "name": {"S": posting.name},
            "source": {"S": posting.source},
            "target": {"S": posting.target},
            "amount": {"N": str(posting.amount)},
        }
        condition = {"ConditionExpression": "attribute_not_exists(#n)", "ExpressionAttributeNames": {"#n": "name"}}
        return {"Put": {"TableName": self.table, "Item": item, **condition}}

    def _moved(self, account: str, amount: int, *, covered: bool) -> dict[str, Any]:
        update: dict[str, Any] = {
            "TableName": self.table,
            "Key": {"name": {"S": account}},
            "UpdateExpression": "ADD amount :a",
            "ExpressionAttributeValues": {":a": {"N": str(amount)}},
        }
        if covered:
            update["ConditionExpression"] = "amount >= :least"
            update["ExpressionAttributeValues"][":least"] = {"N": str(-amount)}
        return {"Update": update}

    def _refused(self, posting: Posting, error: ClientError) -> bool:
        reasons = [reason.get("Code") for reason in error.response.get("CancellationReasons", [])]
        if reasons[0] == "ConditionalCheckFailed":
            return False
        if reasons[1] == "ConditionalCheckFailed":
            raise OutOfStockError(f"{posting.source} has less than {posting.amount}") from error
        raise error


def _posting(item: dict[str, Any]) -> Posting:
    return Posting(item["name"]["S"], item["source"]["S"], item["target"]["S"], int(item["amount"]["N"]))


@cache
def books() -> Books:
    """Those of this deployment."""
    return Books(os.environ[TABLE_VARIABLE], boto3.client("dynamodb"))
