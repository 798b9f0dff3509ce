"""Corners of DynamoDB."""

from collections.abc import Callable
from typing import Any

from tests.conformance.edge import Edge, Request
from tests.conformance.subjects import Answer

KEY = {"pk": {"S": "p"}, "sk": {"S": "s"}}
_OTHER = {"pk": {"S": "p"}, "sk": {"S": "t"}}


def _dynamodb(operation: str, **arguments: Any) -> Request:
    batched = {"TransactItems", "RequestItems", "Statements", "Statement"}
    table = {} if batched & arguments.keys() else {"TableName": "<TABLE>"}
    return ("dynamodb", operation, {**table, **arguments})


def _put(item: Any = KEY, **attributes: Any) -> Request:
    return _dynamodb("PutItem", Item={**item, **attributes})


def _update(expression: str, values: Any = None, **options: Any) -> Request:
    given = {"ExpressionAttributeValues": values} if values else {}
    return _dynamodb("UpdateItem", Key=KEY, UpdateExpression=expression, **given, **options)


def _get(name: str) -> Callable[[Answer], Any]:
    return lambda answer: answer["Item"].get(name)


_ADD = {
    "Update": {
        "TableName": "<TABLE>",
        "Key": KEY,
        "UpdateExpression": "ADD n :n",
        "ExpressionAttributeValues": {":n": {"N": "1"}},
    }
}
_TOKEN = _dynamodb("TransactWriteItems", ClientRequestToken="token", TransactItems=[_ADD])
_COUNT = 'UPDATE "<TABLE>" SET "n" = ? WHERE "pk" = ? AND "sk" = ?'


def _statement(value: str) -> dict[str, Any]:
    return {"Statement": _COUNT, "Parameters": [{"N": value}, KEY["pk"], KEY["sk"]]}


DYNAMODB = (
    Edge("an empty key", [_put({"pk": {"S": ""}, "sk": {"S": "s"}})]),
    Edge("a key of another type", [_put({"pk": {"N": "1"}, "sk": {"S": "s"}})]),
    Edge("an index key of another type", [_put(due_sk={"N": "1"})]),
    Edge("an empty index key", [_put(due_sk={"S": ""})]),
    Edge("a key without its sort key", [_dynamodb("GetItem", Key={"pk": {"S": "p"}})]),
    Edge("an empty set", [_put(t={"SS": []})]),
    Edge("an empty string", [_put(s={"S": ""})]),
    Edge("an item of 400 KB", [_put(s={"S": "x" * (400 * 1_024 - 7)})]),
    Edge("an item of 400 KB and a byte", [_put(s={"S": "x" * (400 * 1_024 - 6)})]),
    Edge("a number's text", [_put(n={"N": "1.50"}), _dynamodb("GetItem", Key=KEY)], _get("n")),
    Edge("a number with an exponent", [_put(n={"N": "1E3"}), _dynamodb("GetItem", Key=KEY)], _get("n")),
    Edge("a number of 39 digits", [_put(n={"N": "1" * 39})]),
    Edge("no number", [_put(n={"N": "one"})]),
    Edge("a reserved word", [_update("SET state = :s", {":s": {"S": "x"}})]),
    Edge("a name that nothing uses", [_update("SET a = :s", {":s": {"S": "x"}}, ExpressionAttributeNames={"#x": "x"})]),
    Edge("a value that nothing uses", [_update("REMOVE a", {":s": {"S": "x"}})]),
    Edge("a value that is not given", [_update("SET a = :s, b = :t", {":s": {"S": "x"}})]),
    Edge("two changes of one attribute", [_update("SET a = :s REMOVE a", {":s": {"S": "x"}})]),
    Edge("a change of the key", [_put(), _update("SET sk = :s", {":s": {"S": "s"}})]),
    Edge("an operand that is missing", [_put(), _update("SET a = n + :n", {":n": {"N": "1"}})]),
    Edge("an operand of another type", [_put(n={"S": "x"}), _update("SET a = n + :n", {":n": {"N": "1"}})]),
    Edge(
        "two changes that read each other",
        [_put(a={"N": "1"}, b={"N": "2"}), _update("SET a = b, b = a", ReturnValues="ALL_NEW")],
        lambda answer: (answer["Attributes"]["a"], answer["Attributes"]["b"]),
    ),
    Edge("a path into nothing", [_put(), _update("SET m.a = :n", {":n": {"N": "1"}})]),
    Edge("a removal from nothing", [_put(), _update("REMOVE m.a")]),
    Edge(
        "an element past the end",
        [_put(l={"L": []}), _update("SET l[7] = :n", {":n": {"N": "1"}}, ReturnValues="ALL_NEW")],
        lambda answer: answer["Attributes"]["l"],
    ),
    Edge(
        "the last member of a set",
        [_put(t={"SS": ["x"]}), _update("DELETE t :t", {":t": {"SS": ["x"]}}, ReturnValues="ALL_NEW")],
        lambda answer: answer["Attributes"].get("t", "gone"),
    ),
    Edge(
        "the size of nothing",
        [
            _dynamodb(
                "PutItem", Item=KEY, ConditionExpression="size(s) > :n", ExpressionAttributeValues={":n": {"N": "0"}}
            )
        ],
    ),
    Edge(
        "a comparison with nothing",
        [_dynamodb("PutItem", Item=KEY, ConditionExpression="s <> :s", ExpressionAttributeValues={":s": {"S": "x"}})],
    ),
    Edge(
        "a comparison of two types",
        [
            _put(n={"N": "1"}),
            _dynamodb("PutItem", Item=KEY, ConditionExpression="n < :s", ExpressionAttributeValues={":s": {"S": "x"}}),
        ],
    ),
    Edge(
        "UPDATED_NEW of a new item",
        [_update("SET a = :s", {":s": {"S": "x"}}, ReturnValues="UPDATED_NEW")],
        lambda answer: sorted(answer["Attributes"]),
    ),
    Edge(
        "UPDATED_OLD of an equal value",
        [_put(a={"S": "x"}), _update("SET a = :s", {":s": {"S": "x"}}, ReturnValues="UPDATED_OLD")],
        lambda answer: answer.get("Attributes"),
    ),
    Edge(
        "UPDATED_OLD of an element",
        [_put(l={"L": [{"N": "1"}, {"N": "2"}]}), _update("REMOVE l[0]", ReturnValues="UPDATED_OLD")],
        lambda answer: answer["Attributes"]["l"],
    ),
    Edge(
        "UPDATED_NEW of a member",
        [
            _put(m={"M": {"a": {"N": "1"}, "b": {"N": "2"}}}),
            _update("SET m.a = :n", {":n": {"N": "3"}}, ReturnValues="UPDATED_NEW"),
        ],
        lambda answer: answer["Attributes"],
    ),
    Edge(
        "one item twice in BatchWriteItem",
        [
            _dynamodb(
                "BatchWriteItem",
                RequestItems={"<TABLE>": [{"PutRequest": {"Item": KEY}}, {"DeleteRequest": {"Key": KEY}}]},
            )
        ],
    ),
    Edge("one item twice in BatchGetItem", [_dynamodb("BatchGetItem", RequestItems={"<TABLE>": {"Keys": [KEY, KEY]}})]),
    Edge("one item twice in a transaction", [_dynamodb("TransactWriteItems", TransactItems=[_ADD, _ADD])]),
    Edge(
        "one item twice in a PartiQL batch",
        [_put(), _dynamodb("BatchExecuteStatement", Statements=[_statement("1"), _statement("2")])],
    ),
    Edge("a transaction's token twice", [_TOKEN, _TOKEN, _dynamodb("GetItem", Key=KEY)], _get("n")),
    Edge(
        "a transaction's token with other actions",
        [
            _TOKEN,
            _dynamodb(
                "TransactWriteItems",
                ClientRequestToken="token",
                TransactItems=[{"Put": {"TableName": "<TABLE>", "Item": _OTHER}}],
            ),
        ],
    ),
    Edge(
        "a transaction that can't be applied",
        [
            _dynamodb(
                "TransactWriteItems",
                TransactItems=[
                    {
                        "Update": {
                            "TableName": "<TABLE>",
                            "Key": KEY,
                            "UpdateExpression": "SET a = n",
                        }
                    }
                ],
            )
        ],
    ),
    Edge(
        "a statement of PartiQL",
        [_put(), _dynamodb("BatchExecuteStatement", Statements=[_statement("1")]), _dynamodb("GetItem", Key=KEY)],
        _get("n"),
    ),
    Edge(
        "a PartiQL batch of reads and writes",
        [
            _dynamodb(
                "BatchExecuteStatement",
                Statements=[
                    _statement("1"),
                    {
                        "Statement": 'SELECT * FROM "<TABLE>" WHERE "pk" = ? AND "sk" = ?',
                        "Parameters": [KEY["pk"], KEY["sk"]],
                    },
                ],
            )
        ],
    ),
    Edge(
        "a PartiQL update of nothing",
        [_dynamodb("BatchExecuteStatement", Statements=[_statement("1")])],
        lambda answer: answer["Responses"][0].get("Error", {}).get("Code", "done"),
    ),
    Edge(
        "a PartiQL deletion of nothing",
        [
            _dynamodb(
                "BatchExecuteStatement",
                Statements=[
                    {
                        "Statement": 'DELETE FROM "<TABLE>" WHERE "pk" = ? AND "sk" = ?',
                        "Parameters": [KEY["pk"], KEY["sk"]],
                    }
                ],
            )
        ],
        lambda answer: answer["Responses"][0].get("Error", {}).get("Code", "done"),
    ),
    Edge(
        "a PartiQL removal of nothing",
        [
            _put(),
            _dynamodb(
                "BatchExecuteStatement",
                Statements=[
                    {
                        "Statement": 'UPDATE "<TABLE>" REMOVE "gone" WHERE "pk" = ? AND "sk" = ?',
                        "Parameters": [KEY["pk"], KEY["sk"]],
                    }
                ],
            ),
        ],
        lambda answer: answer["Responses"][0].get("Error", {}).get("Code", "done"),
    ),
    Edge(
        "a PartiQL insert of what is there",
        [
            _put(),
            _dynamodb(
                "BatchExecuteStatement",
                Statements=[
                    {
                        "Statement": "INSERT INTO \"<TABLE>\" VALUE {'pk': ?, 'sk': ?}",
                        "Parameters": [KEY["pk"], KEY["sk"]],
                        "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
                    }
                ],
            ),
        ],
        lambda answer: sorted(answer["Responses"][0]["Error"]),
    ),
    Edge(
        "a PartiQL insert alone",
        [
            _put(),
            _dynamodb(
                "ExecuteStatement",
                Statement="INSERT INTO \"<TABLE>\" VALUE {'pk': ?, 'sk': ?}",
                Parameters=[KEY["pk"], KEY["sk"]],
            ),
        ],
    ),
    Edge(
        "a PartiQL update alone",
        [
            _put(),
            _dynamodb(
                "ExecuteStatement",
                Statement='UPDATE "<TABLE>" SET "n" = 1 WHERE "pk" = ? AND "sk" = ? AND "n" = 2',
                Parameters=[KEY["pk"], KEY["sk"]],
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            ),
        ],
    ),
    Edge(
        "a wrong number of PartiQL parameters",
        [_dynamodb("ExecuteStatement", Statement=_COUNT, Parameters=[{"N": "1"}])],
    ),
    Edge(
        "a consistent read of an index",
        [
            _dynamodb(
                "Query",
                IndexName="due",
                ConsistentRead=True,
                KeyConditionExpression="due_pk = :p",
                ExpressionAttributeValues={":p": {"S": "0"}},
            )
        ],
    ),
    Edge(
        "a query without its partition",
        [_dynamodb("Query", KeyConditionExpression="sk = :p", ExpressionAttributeValues={":p": {"S": "0"}})],
    ),
    Edge(
        "a start outside the query",
        [
            _dynamodb(
                "Query",
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues={":p": {"S": "0"}},
                ExclusiveStartKey=KEY,
            )
        ],
    ),
    Edge(
        "a page that ends with the partition",
        [
            _put(),
            _dynamodb("Query", KeyConditionExpression="pk = :p", ExpressionAttributeValues={":p": KEY["pk"]}, Limit=1),
        ],
        lambda answer: "more" if "LastEvaluatedKey" in answer else "end",
    ),
    Edge(
        "the next page",
        [
            _put(),
            _put(_OTHER),
            _dynamodb(
                "Query",
                KeyConditionExpression="pk = :p",
                ExpressionAttributeValues={":p": KEY["pk"]},
                ExclusiveStartKey=KEY,
            ),
        ],
        lambda answer: [item["sk"] for item in answer["Items"]],
    ),
    Edge(
        "numbers in order",
        [
            ("dynamodb", "PutItem", {"TableName": "<NUMBERS>", "Item": {"pk": {"S": "p"}, "at": {"N": at}}})
            for at in ("10", "9", "-1")
        ]
        + [
            (
                "dynamodb",
                "Query",
                {
                    "TableName": "<NUMBERS>",
                    "KeyConditionExpression": "pk = :p",
                    "ExpressionAttributeValues": {":p": {"S": "p"}},
                },
            )
        ],
        lambda answer: [item["at"]["N"] for item in answer["Items"]],
    ),
    Edge("no such table", [("dynamodb", "GetItem", {"TableName": "no-such-table", "Key": KEY})]),
)
