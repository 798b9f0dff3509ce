"""The shop's books, played by moto."""

import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

SHOP = Path(__file__).parents[3] / "examples" / "orders"
sys.path.append(str(SHOP / "functions"))  # so that `orders` is imported here as it is inside Lambda

TABLE = "books"


@pytest.fixture
def books() -> Iterator["object"]:
    """Empty books, in a table as `app.py` makes it."""
    from orders.books import Books

    with mock_aws():
        client = boto3.client("dynamodb", region_name="eu-central-1")
        client.create_table(
            TableName=TABLE,
            KeySchema=[{"AttributeName": "name", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "name", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        yield Books(TABLE, client)
